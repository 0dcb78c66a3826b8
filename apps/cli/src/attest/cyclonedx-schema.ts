import { createRequire } from 'node:module'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { JsonValue } from '@touchmark/encoding'
import type { Schema } from './schemas/parts.js'

/** Versions that have a JSON form. */
export const CYCLONEDX_VERSIONS = ['1.2', '1.3', '1.4', '1.5', '1.6', '1.7'] as const

const SHARED = ['spdx', 'jsf-0.82', 'cryptography-defs']

/** CycloneDX's own schemas, as `@cyclonedx/cyclonedx-library` ships them: all that they refer to lies beside them, so nothing is ever fetched. */
export async function cyclonedxSchema(
  version: string,
): Promise<{ readonly schema: Schema; readonly shared: ReadonlyMap<string, Schema> } | undefined> {
  if (!CYCLONEDX_VERSIONS.some((one) => one === version)) return undefined
  const found = createRequire(import.meta.url).resolve('@cyclonedx/cyclonedx-library/package.json')
  const read = async (name: string): Promise<Schema> =>
    JSON.parse(await readFile(join(dirname(found), 'res', 'schema', `${name}.SNAPSHOT.schema.json`), 'utf8')) as Schema
  const shared = new Map<string, Schema>()
  // Under the address that a reference beside the document's own schema leads to.
  for (const name of SHARED) shared.set(`http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`, await read(name))
  return { schema: await read(`bom-${version}`), shared }
}

/** The version that a document says it is of; `undefined` for what is no CycloneDX document. */
export function cyclonedxVersion(document: JsonValue): string | undefined {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) return undefined
  const { specVersion } = document as { readonly specVersion?: JsonValue }
  return typeof specVersion === 'string' ? specVersion : undefined
}
