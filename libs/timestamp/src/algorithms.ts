import type { DerReader } from '@touchmark/encoding'
import { decodeOid, DER_NULL, derOid, derSequence, encodeOid, equalBytes, TAG } from '@touchmark/encoding'
import type { HashAlgorithm, PublicKey, SignatureScheme } from '@touchmark/crypto'

export const OID = {
  signedData: '1.2.840.113549.1.7.2',
  tstInfo: '1.2.840.113549.1.9.16.1.4',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
  timeStampingPurpose: '1.3.6.1.5.5.7.3.8',
  sha1: '1.3.14.3.2.26',
  rsaEncryption: '1.2.840.113549.1.1.1',
} as const

export const HASH_OID: Readonly<Record<HashAlgorithm, string>> = {
  SHA2_256: '2.16.840.1.101.3.4.2.1',
  SHA2_384: '2.16.840.1.101.3.4.2.2',
  SHA2_512: '2.16.840.1.101.3.4.2.3',
}

export const HASH_ALGORITHMS: readonly HashAlgorithm[] = ['SHA2_256', 'SHA2_384', 'SHA2_512']

export const DIGEST_BYTES: Readonly<Record<HashAlgorithm, number>> = { SHA2_256: 32, SHA2_384: 48, SHA2_512: 64 }

const HASH_OID_CONTENT = HASH_ALGORITHMS.map((name) => encodeOid(HASH_OID[name]))

/** Dotted decimal of an OID; those of the hashes, which are in every request and token, are found without big integers. */
export function readOid(reader: DerReader): string {
  const { content } = reader.element(TAG.oid)
  const known = HASH_OID_CONTENT.findIndex((one) => equalBytes(one, content))
  return known < 0 ? decodeOid(content) : HASH_OID[HASH_ALGORITHMS[known]!]
}

export function hashOfOid(oid: string): HashAlgorithm | undefined {
  return HASH_ALGORITHMS.find((name) => HASH_OID[name] === oid)
}

/** AlgorithmIdentifier; `parameters` is the whole element, absent when there is none. */
export interface AlgorithmIdentifier {
  readonly oid: string
  readonly parameters?: Uint8Array
}

export function readAlgorithm(reader: DerReader): AlgorithmIdentifier {
  const inner = reader.sequence()
  const oid = readOid(inner)
  if (inner.done) return { oid }
  const { bytes } = inner.any()
  inner.end()
  return { oid, parameters: bytes }
}

export function encodeAlgorithm({ oid, parameters }: AlgorithmIdentifier): Uint8Array {
  return parameters === undefined ? derSequence(derOid(oid)) : derSequence(derOid(oid), parameters)
}

/** The AlgorithmIdentifier of a hash with NULL parameters, as message imprints and ESSCertIDv2 hold it. */
export function hashAlgorithmWithNull(hash: HashAlgorithm): Uint8Array {
  return encodeAlgorithm({ oid: HASH_OID[hash], parameters: DER_NULL })
}

const SIGNATURES: ReadonlyArray<{ oid: string; scheme: SignatureScheme }> = [
  { oid: '1.2.840.10045.4.3.2', scheme: { kind: 'ecdsa', hash: 'SHA2_256' } },
  { oid: '1.2.840.10045.4.3.3', scheme: { kind: 'ecdsa', hash: 'SHA2_384' } },
  { oid: '1.2.840.10045.4.3.4', scheme: { kind: 'ecdsa', hash: 'SHA2_512' } },
  { oid: '1.2.840.113549.1.1.11', scheme: { kind: 'rsa-pkcs1', hash: 'SHA2_256' } },
  { oid: '1.2.840.113549.1.1.12', scheme: { kind: 'rsa-pkcs1', hash: 'SHA2_384' } },
  { oid: '1.2.840.113549.1.1.13', scheme: { kind: 'rsa-pkcs1', hash: 'SHA2_512' } },
  { oid: '1.3.101.112', scheme: { kind: 'ed25519' } },
]

/** Signature algorithm OID of a scheme; undefined for schemes that a SignerInfo cannot name (Ed25519ph). */
export function signatureOid(scheme: SignatureScheme): string | undefined {
  const hash = 'hash' in scheme ? scheme.hash : undefined
  return SIGNATURES.find(
    ({ scheme: known }) => known.kind === scheme.kind && ('hash' in known ? known.hash : undefined) === hash,
  )?.oid
}

/**
 * What a SignerInfo's two algorithms mean together. `rsaEncryption` takes its hash from the digest algorithm (RFC 3370 §3.2), which is what
 * OpenSSL writes; parameters are absent, or NULL for RSA. Undefined for everything else.
 */
export function schemeOfSignerInfo(signature: AlgorithmIdentifier, digest: HashAlgorithm): SignatureScheme | undefined {
  const { oid, parameters } = signature
  const rsa = oid.startsWith('1.2.840.113549.1.1.')
  const isNull = parameters?.length === 2 && parameters[0] === DER_NULL[0] && parameters[1] === 0
  if (parameters !== undefined && !(rsa && isNull)) return undefined
  if (oid === OID.rsaEncryption) return { kind: 'rsa-pkcs1', hash: digest }
  return SIGNATURES.find((known) => known.oid === oid)?.scheme
}

/** True when a key of this type makes signatures of this scheme. */
export function schemeFitsKey(scheme: SignatureScheme, key: PublicKey): boolean {
  const kinds = { ecdsa: 'ecdsa', 'rsa-pkcs1': 'rsa', ed25519: 'ed25519', ed25519ph: 'ed25519' } as const
  return kinds[scheme.kind] === key.type.kind
}
