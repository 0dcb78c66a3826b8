import { ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, equalBytes } from '@touchmark/encoding'
import { ED25519_ORDER, ed25519phChallenge, ed25519phNonce, isUsableEd25519Key, littleEndian } from '../ed25519.js'

/** An Ed25519 verification: the bytes before the challenge are given by the caller, as pure and prehashed differ only there. */
export function verifyEd25519(
  publicKey: Uint8Array,
  signature: Uint8Array,
  challenge: (commitment: Uint8Array) => Uint8Array,
): boolean {
  if (signature.length !== 64 || !isUsableEd25519Key(publicKey)) return false
  const commitment = signature.subarray(0, 32)
  const s = littleEndian(signature.subarray(32))
  if (s >= ED25519_ORDER) return false
  let key
  try {
    key = ed25519.Point.fromBytes(publicKey)
  } catch {
    return false
  }
  const k = littleEndian(sha512(challenge(commitment))) % ED25519_ORDER
  // Without the cofactor, and comparing encodings, as OpenSSL and Go do; noble's own verify multiplies by 8 and so takes a few more.
  const expected = ed25519.Point.BASE.multiplyUnsafe(s).subtract(key.multiplyUnsafe(k))
  return equalBytes(expected.toBytes(), commitment)
}

/** Verifies an Ed25519ph signature with empty context over a SHA-512 digest (RFC 8032 §5.1.7). */
export function verifyEd25519ph(publicKey: Uint8Array, signature: Uint8Array, digest: Uint8Array): boolean {
  return verifyEd25519(publicKey, signature, (commitment) => ed25519phChallenge(commitment, publicKey, digest))
}

/** Signs a SHA-512 digest as Ed25519ph with empty context (RFC 8032 §5.1.6); the seed is the 32-byte private key. */
export function signEd25519ph(seed: Uint8Array, digest: Uint8Array): Uint8Array {
  const { prefix, scalar, pointBytes } = ed25519.utils.getExtendedPublicKey(seed)
  const nonce = littleEndian(sha512(ed25519phNonce(prefix, digest))) % ED25519_ORDER
  const commitment = ed25519.Point.BASE.multiply(nonce).toBytes()
  const k = littleEndian(sha512(ed25519phChallenge(commitment, pointBytes, digest))) % ED25519_ORDER
  const s = (nonce + k * scalar) % ED25519_ORDER
  return concatBytes(commitment, ed25519.Point.Fn.toBytes(s))
}
