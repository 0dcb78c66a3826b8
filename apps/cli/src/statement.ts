import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { parseJson, utf8Encode } from '@touchmark/encoding'
import { CliError } from './errors.js'
import { readInput } from './files.js'

export interface StatementOptions {
  /** A file that holds the predicate, as JSON. */
  readonly predicate: string
  /** A short name of the table below, or a URI. */
  readonly type: string
}

/** Short names of predicate types, as cosign's `--type` has them (docs/contract/bundle-and-oci.md §5). */
export const PREDICATE_TYPES: Readonly<Record<string, string>> = {
  custom: 'https://cosign.sigstore.dev/attestation/v1',
  slsaprovenance: 'https://slsa.dev/provenance/v0.2',
  slsaprovenance02: 'https://slsa.dev/provenance/v0.2',
  slsaprovenance1: 'https://slsa.dev/provenance/v1',
  spdxjson: 'https://spdx.dev/Document',
  cyclonedx: 'https://cyclonedx.org/bom',
  vuln: 'https://cosign.sigstore.dev/attestation/vuln/v1',
  openvex: 'https://openvex.dev/ns',
}

const PREDICATE_LIMIT_BYTES = 16 << 20

/** The URI of a predicate type. Throws CLI_USAGE. */
export function predicateTypeUri(type: string): string {
  const known = PREDICATE_TYPES[type]
  if (known !== undefined) return known
  if (/^[a-z][a-z0-9+.-]*:\S+$/i.test(type)) return type
  throw new CliError('CLI_USAGE', `"${type}" is no predicate type`, {
    expected: `${Object.keys(PREDICATE_TYPES).join(', ')}, or a URI`,
  })
}

/**
 * An in-toto Statement v1 about one file. The predicate's own bytes go in unchanged, so no number or escape of it is written anew;
 * they must be one strict JSON object. Throws CLI_USAGE or CLI_FILE_UNREADABLE.
 */
export async function buildStatement(
  file: string,
  artifact: Uint8Array,
  options: StatementOptions,
): Promise<Uint8Array> {
  const predicateType = predicateTypeUri(options.type)
  const predicate = await readInput(options.predicate, PREDICATE_LIMIT_BYTES)
  try {
    const value = parseJson(predicate, { trailing: 'refuse' })
    if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new Error('it is not an object')
  } catch (cause) {
    throw new CliError('CLI_USAGE', `the predicate ${options.predicate} is not a JSON object`, {
      cause,
      found: cause instanceof Error ? cause.message : 'unknown',
    })
  }
  const subject = [{ name: basename(file), digest: { sha256: createHash('sha256').update(artifact).digest('hex') } }]
  const head = JSON.stringify({ _type: 'https://in-toto.io/Statement/v1', subject, predicateType })
  return utf8Encode(`${head.slice(0, -1)},"predicate":${Buffer.from(predicate).toString('utf8').trim()}}`)
}
