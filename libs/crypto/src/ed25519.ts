import { concatBytes, utf8Encode } from '@touchmark/encoding'
import { bytesToBigInt } from './big-integers.js'

const P = 2n ** 255n - 19n
/** The order of the base point (RFC 8032 §5.1). */
export const ED25519_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n

/** y coordinates of the eight points of small order: 1, -1, 0 and the two of order 8. */
const SMALL_ORDER_Y: ReadonlySet<bigint> = new Set([
  1n,
  P - 1n,
  0n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,
])

/** A little-endian number. */
export function littleEndian(bytes: Uint8Array): bigint {
  return bytesToBigInt(Uint8Array.from(bytes).reverse())
}

/**
 * False for keys under which a signature proves nothing (the eight points of small order) and for encodings with y ≥ p.
 * Whether the point is on the curve is left to the verification, which cannot succeed when it is not.
 */
export function isUsableEd25519Key(raw: Uint8Array): boolean {
  if (raw.length !== 32) return false
  const y = littleEndian(raw) & (2n ** 255n - 1n)
  return y < P && !SMALL_ORDER_Y.has(y)
}

/** dom2(1, "") of Ed25519ph with an empty context (RFC 8032 §2). */
const DOM2_PREHASHED = concatBytes(utf8Encode('SigEd25519 no Ed25519 collisions'), Uint8Array.of(1, 0))

/** The bytes whose SHA-512 is the challenge of an Ed25519ph signature over a SHA-512 digest (RFC 8032 §5.1.7). */
export function ed25519phChallenge(commitment: Uint8Array, publicKey: Uint8Array, digest: Uint8Array): Uint8Array {
  return concatBytes(DOM2_PREHASHED, commitment, publicKey, digest)
}

/** The bytes whose SHA-512 is the nonce of an Ed25519ph signature (RFC 8032 §5.1.6). */
export function ed25519phNonce(prefix: Uint8Array, digest: Uint8Array): Uint8Array {
  return concatBytes(DOM2_PREHASHED, prefix, digest)
}
