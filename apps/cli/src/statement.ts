import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { parseJson, utf8Decode, utf8Encode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
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
  link: 'https://in-toto.io/Link/v1',
  vuln: 'https://cosign.sigstore.dev/attestation/vuln/v1',
  openvex: 'https://openvex.dev/ns',
}

const PREDICATE_LIMIT_BYTES = 16 << 20

/** The URI of a predicate type. Throws CLI_USAGE. */
export function predicateTypeUri(type: string): string {
  const known = Object.hasOwn(PREDICATE_TYPES, type) ? PREDICATE_TYPES[type] : undefined
  if (known !== undefined) return known
  if (/^[a-z][a-z0-9+.-]*:\S+$/i.test(type)) return type
  throw new CliError('CLI_USAGE', `"${type}" is no predicate type`, {
    expected: `${Object.keys(PREDICATE_TYPES).join(', ')}, or a URI`,
  })
}

/** Reads a predicate: strict JSON, one object. Throws CLI_USAGE or CLI_FILE_UNREADABLE. */
export async function readPredicate(file: string): Promise<Uint8Array> {
  const predicate = await readInput(file, PREDICATE_LIMIT_BYTES)
  let kind: string
  try {
    const value = parseJson(predicate, { maxDepth: 250 })
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return predicate
    kind = Array.isArray(value) ? 'an array' : value === null ? 'null' : `a ${typeof value}`
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new CliError('CLI_USAGE', `the predicate ${file} is not strict JSON`, { cause, found: cause.message })
  }
  throw new CliError('CLI_USAGE', `the predicate ${file} is not a JSON object`, { found: kind })
}

/**
 * An in-toto Statement v1 about one file. The predicate's own bytes go in unchanged, so no number or escape of it is written anew;
 * `predicate` is from {@link readPredicate}. Throws CLI_USAGE.
 */
export function buildStatement(file: string, artifact: Uint8Array, type: string, predicate: Uint8Array): Uint8Array {
  const subject = [{ name: basename(file), digest: { sha256: createHash('sha256').update(artifact).digest('hex') } }]
  const head = JSON.stringify({
    _type: 'https://in-toto.io/Statement/v1',
    subject,
    predicateType: predicateTypeUri(type),
  })
  return utf8Encode(`${head.slice(0, -1)},"predicate":${utf8Decode(predicate).trim()}}`)
}
