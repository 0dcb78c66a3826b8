import type { Curve, HashAlgorithm, PublicKey, SignatureScheme } from '@touchmark/crypto'
import { concatBytes, utf8Encode } from '@touchmark/encoding'
import { portableSha256, type Sha256 } from '@touchmark/merkle'
import { TlogError } from './errors.js'

/** sigstore-go takes a checkpoint for one of API v1 when its first line looks like this (log-v1.md §5). */
const V1_ORIGIN = /^(.*) - [0-9]+$/

/** True for the origin of an API v1 log: `<host name> - <tree id>`. */
export function isV1Origin(origin: string): boolean {
  return V1_ORIGIN.test(origin)
}

/** The name a log signs with: its origin; for an API v1 log the host name before the tree id. */
export function keyNameOf(origin: string): string {
  return V1_ORIGIN.exec(origin)?.[1] ?? origin
}

const RSA_LABEL = 'PKIX-RSA-PKCS#1v1.5'

/**
 * The 32-byte log id, whose first 4 bytes are the key id in checkpoints (log-v2.md §7).
 * The key's type decides: ECDSA is the hash of the SPKI alone, Ed25519 and RSA mix the name in. An API v1 log hashes the SPKI of every type.
 */
export function logIdOf(key: PublicKey, origin: string, sha256: Sha256 = portableSha256): Uint8Array {
  if (key.type.kind === 'ecdsa' || isV1Origin(origin)) return sha256(key.spki)
  const name = utf8Encode(`${origin}\n`)
  if (key.type.kind === 'ed25519') return sha256(concatBytes(name, Uint8Array.of(1), key.keyBits))
  return sha256(concatBytes(name, Uint8Array.of(0xff), utf8Encode(RSA_LABEL), key.spki))
}

const CURVE_HASH: Readonly<Record<Curve, HashAlgorithm>> = {
  'P-256': 'SHA2_256',
  'P-384': 'SHA2_384',
  'P-521': 'SHA2_512',
}
const RSA_BITS = [2048, 3072, 4096]

/** How a log with this key signs its checkpoints: log-v2.md §7, and log-v1.md §4 (SHA-256 for every ECDSA key) for an API v1 origin. Throws TLOG_KEY_UNSUPPORTED. */
export function schemeOfLog(key: PublicKey, origin: string): SignatureScheme {
  const { type } = key
  if (type.kind === 'ed25519') return { kind: 'ed25519' }
  if (type.kind === 'ecdsa') return { kind: 'ecdsa', hash: isV1Origin(origin) ? 'SHA2_256' : CURVE_HASH[type.curve] }
  if (!RSA_BITS.includes(type.modulusBits)) {
    throw new TlogError('TLOG_KEY_UNSUPPORTED', `a log key cannot be RSA with ${type.modulusBits} bits`)
  }
  return { kind: 'rsa-pkcs1', hash: 'SHA2_256' }
}
