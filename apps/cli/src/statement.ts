import { concatBytes, hexEncode, utf8Encode } from '@touchmark/encoding'
import type { HashAlgorithm } from '@touchmark/crypto'
import { CliError } from './errors.js'

/** Short names of predicate types, as cosign's `--type` has them (docs/contract/bundle-and-oci.md §5), and three more for SBOMs that cosign has no name for. */
export const PREDICATE_TYPES: Readonly<Record<string, string>> = {
  custom: 'https://cosign.sigstore.dev/attestation/v1',
  slsaprovenance: 'https://slsa.dev/provenance/v0.2',
  slsaprovenance02: 'https://slsa.dev/provenance/v0.2',
  slsaprovenance1: 'https://slsa.dev/provenance/v1',
  spdx: 'https://spdx.dev/Document',
  spdxjson: 'https://spdx.dev/Document',
  spdx3json: 'https://spdx.dev/Document/v3',
  cyclonedx: 'https://cyclonedx.org/bom',
  syftjson: 'https://syft.dev/bom',
  link: 'https://in-toto.io/Link/v1',
  vuln: 'https://cosign.sigstore.dev/attestation/vuln/v1',
  openvex: 'https://openvex.dev/ns',
}

/** The URI of a predicate type. A word that is no short name is refused, lest a slip of the pen asks for a type that nobody attests. Throws CLI_USAGE. */
export function predicateTypeUri(type: string): string {
  const known = Object.hasOwn(PREDICATE_TYPES, type) ? PREDICATE_TYPES[type] : undefined
  if (known !== undefined) return known
  if (/^[a-z][a-z0-9+.-]*:\S+$/i.test(type)) return type
  throw new CliError('CLI_USAGE', `"${type.slice(0, 80)}" is no predicate type`, {
    expected: `${Object.keys(PREDICATE_TYPES).join(', ')}, or a URI`,
  })
}

/** in-toto's names of digests that a bundle can be verified by. */
export const IN_TOTO_HASHES = { SHA2_256: 'sha256', SHA2_384: 'sha384', SHA2_512: 'sha512' } as const

/** What a statement is about: one artifact. */
export interface Subject {
  readonly name: string
  readonly algorithm: HashAlgorithm
  readonly digest: Uint8Array
}

/**
 * An in-toto Statement v1. The predicate's own bytes go in as they are, white space around them included, so no number or escape is written anew and
 * whoever reads them back has the file that was attested. `predicate` MUST be one strict JSON value.
 */
export function buildStatement(subjects: readonly Subject[], predicateType: string, predicate: Uint8Array): Uint8Array {
  const head = JSON.stringify({
    _type: 'https://in-toto.io/Statement/v1',
    subject: subjects.map(({ name, algorithm, digest }) => ({
      name,
      digest: { [IN_TOTO_HASHES[algorithm]]: hexEncode(digest) },
    })),
    predicateType,
  })
  return concatBytes(utf8Encode(`${head.slice(0, -1)},"predicate":`), predicate, utf8Encode('}'))
}
