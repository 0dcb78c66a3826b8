import { CryptoError } from './errors.js'
import type { Curve, HashAlgorithm, KeyType, PublicKey, SignatureScheme } from './types.js'

/** All names of sigstore's enum PublicKeyDetails with their numbers (sigstore_common.proto; contract log-v2.md §9). */
export const PUBLIC_KEY_DETAILS = {
  PUBLIC_KEY_DETAILS_UNSPECIFIED: 0,
  PKCS1_RSA_PKCS1V5: 1,
  PKCS1_RSA_PSS: 2,
  PKIX_RSA_PKCS1V5: 3,
  PKIX_RSA_PSS: 4,
  PKIX_ECDSA_P256_SHA_256: 5,
  PKIX_ECDSA_P256_HMAC_SHA_256: 6,
  PKIX_ED25519: 7,
  PKIX_ED25519_PH: 8,
  PKIX_RSA_PKCS1V15_2048_SHA256: 9,
  PKIX_RSA_PKCS1V15_3072_SHA256: 10,
  PKIX_RSA_PKCS1V15_4096_SHA256: 11,
  PKIX_ECDSA_P384_SHA_384: 12,
  PKIX_ECDSA_P521_SHA_512: 13,
  LMS_SHA256: 14,
  LMOTS_SHA256: 15,
  PKIX_RSA_PSS_2048_SHA256: 16,
  PKIX_RSA_PSS_3072_SHA256: 17,
  PKIX_RSA_PSS_4096_SHA256: 18,
  PKIX_ECDSA_P384_SHA_256: 19,
  PKIX_ECDSA_P521_SHA_256: 20,
  ML_DSA_65: 21,
  ML_DSA_87: 22,
  ML_DSA_44: 23,
} as const

/** All names of sigstore's enum HashAlgorithm with their numbers. */
export const HASH_ALGORITHMS = {
  HASH_ALGORITHM_UNSPECIFIED: 0,
  SHA2_256: 1,
  SHA2_384: 2,
  SHA2_512: 3,
  SHA3_256: 4,
  SHA3_384: 5,
} as const

export type KeyDetailsName = keyof typeof PUBLIC_KEY_DETAILS

/** A way of signing that can be verified here. What the registry leaves out (PSS, LMS, HMAC, ML-DSA) cannot. */
export interface KeyDetails {
  readonly name: KeyDetailsName
  readonly number: number
  /** Name on sigstore's command lines, where it has one. */
  readonly flag?: string
  /** True when a key of this type can be declared so. */
  fits(type: KeyType): boolean
  readonly scheme: SignatureScheme
  /** The hash of the message; SHA2_512 for both kinds of Ed25519. */
  readonly hash: HashAlgorithm
  /** In the default list of a v2.4 log. */
  readonly acceptedByLogV2: boolean
}

type Row = readonly [
  name: KeyDetailsName,
  flag: string | undefined,
  fits: (type: KeyType) => boolean,
  scheme: SignatureScheme,
  logV2: boolean,
]

const ecdsa = (hash: HashAlgorithm): SignatureScheme => ({ kind: 'ecdsa', hash })
const rsaSha256: SignatureScheme = { kind: 'rsa-pkcs1', hash: 'SHA2_256' }
const on = (curve: Curve) => (type: KeyType) => type.kind === 'ecdsa' && type.curve === curve
const rsa = (bits?: number) => (type: KeyType) =>
  type.kind === 'rsa' && (bits === undefined || type.modulusBits === bits)
const isEd25519 = (type: KeyType): boolean => type.kind === 'ed25519'

const ROWS: readonly Row[] = [
  ['PKCS1_RSA_PKCS1V5', undefined, rsa(), rsaSha256, false],
  ['PKIX_RSA_PKCS1V5', undefined, rsa(), rsaSha256, false],
  ['PKIX_ECDSA_P256_SHA_256', 'ecdsa-sha2-256-nistp256', on('P-256'), ecdsa('SHA2_256'), true],
  ['PKIX_ED25519', 'ed25519', isEd25519, { kind: 'ed25519' }, false],
  ['PKIX_ED25519_PH', 'ed25519-ph', isEd25519, { kind: 'ed25519ph' }, true],
  ['PKIX_RSA_PKCS1V15_2048_SHA256', 'rsa-sign-pkcs1-2048-sha256', rsa(2048), rsaSha256, true],
  ['PKIX_RSA_PKCS1V15_3072_SHA256', 'rsa-sign-pkcs1-3072-sha256', rsa(3072), rsaSha256, true],
  ['PKIX_RSA_PKCS1V15_4096_SHA256', 'rsa-sign-pkcs1-4096-sha256', rsa(4096), rsaSha256, true],
  ['PKIX_ECDSA_P384_SHA_384', 'ecdsa-sha2-384-nistp384', on('P-384'), ecdsa('SHA2_384'), true],
  ['PKIX_ECDSA_P521_SHA_512', 'ecdsa-sha2-512-nistp521', on('P-521'), ecdsa('SHA2_512'), true],
  ['PKIX_ECDSA_P384_SHA_256', 'ecdsa-sha2-256-nistp384', on('P-384'), ecdsa('SHA2_256'), false],
  ['PKIX_ECDSA_P521_SHA_256', 'ecdsa-sha2-256-nistp521', on('P-521'), ecdsa('SHA2_256'), false],
]

/** What can be verified, in the order of the enum's numbers as far as the rows above keep it. */
export const KEY_DETAILS: readonly KeyDetails[] = ROWS.map(([name, flag, fits, scheme, acceptedByLogV2]) => ({
  name,
  number: PUBLIC_KEY_DETAILS[name],
  ...(flag === undefined ? {} : { flag }),
  fits,
  scheme,
  hash: 'hash' in scheme ? scheme.hash : 'SHA2_512',
  acceptedByLogV2,
}))

/** The registry's row of an enum name; undefined for names that are unknown and for what cannot be verified here. */
export function keyDetailsByName(name: string): KeyDetails | undefined {
  return KEY_DETAILS.find((details) => details.name === name)
}

/** The registry's row of an enum number; undefined as for names. */
export function keyDetailsByNumber(number: number): KeyDetails | undefined {
  return KEY_DETAILS.find((details) => details.number === number)
}

/** The registry's row of a name on sigstore's command lines. */
export function keyDetailsByFlag(flag: string): KeyDetails | undefined {
  return KEY_DETAILS.find((details) => details.flag === flag)
}

/**
 * How a key signs a hashedrekord unless said otherwise: ECDSA with the hash of its curve's size, RSA PKCS#1 v1.5 with SHA-256, Ed25519ph.
 * Throws CRYPTO_KEY_UNSUPPORTED for an RSA key that has not 2048, 3072 or 4096 bits.
 */
export function defaultKeyDetails(key: PublicKey): KeyDetails {
  const found = KEY_DETAILS.find((details) => details.acceptedByLogV2 && details.fits(key.type))
  if (found === undefined)
    throw new CryptoError('CRYPTO_KEY_UNSUPPORTED', 'no way of signing is registered for this size of RSA key')
  return found
}

/**
 * How a key signs a message, a certificate or a checkpoint: as the default above, but Ed25519 pure.
 * This is the pair the CA takes for a proof of possession (contract ca.md §3).
 */
export function schemeOf(key: PublicKey): SignatureScheme {
  if (key.type.kind === 'ed25519') return { kind: 'ed25519' }
  if (key.type.kind === 'rsa') return rsaSha256
  return ecdsa(({ 'P-256': 'SHA2_256', 'P-384': 'SHA2_384', 'P-521': 'SHA2_512' } as const)[key.type.curve])
}
