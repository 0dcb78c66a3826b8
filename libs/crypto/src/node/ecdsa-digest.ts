import { createECDH, verify } from 'node:crypto'
import type { ECDH } from 'node:crypto'
import { concatBytes } from '@touchmark/encoding'
import { bigIntToBytes, bytesToBigInt, mod, modInverse } from '../big-integers.js'
import { addPoints, CURVES, decodePoint } from '../curves.js'
import type { Point } from '../curves.js'
import { digestToNumber } from '../ecdsa-signature.js'
import type { EcdsaSignature } from '../ecdsa-signature.js'
import type { Curve, HashAlgorithm, PublicKey } from '../types.js'
import { hash as hashOf, HASH_NAMES } from './hashes.js'
import { importSpki } from './key-objects.js'

// ECDSA over a digest, which node:crypto does not offer (docs/adr/0001-verify-ecdsa-over-a-digest.md). A signature (r, s) of key Q over the
// number e is right when x(e/s·G + r/s·Q) = r. Both ways below move e into the key, where node's interfaces let it in:
// e/s·G + r/s·Q = r/s·(Q + e/r·G). All values are public; nothing here is a secret, so nothing needs constant time.

/** One ECDH object a curve: calls are synchronous, and each sets the "private" key it needs first. */
const multipliers = new Map<Curve, ECDH>()

function multiplier(curve: Curve): ECDH {
  const known = multipliers.get(curve)
  if (known !== undefined) return known
  const ecdh = createECDH({ 'P-256': 'prime256v1', 'P-384': 'secp384r1', 'P-521': 'secp521r1' }[curve])
  multipliers.set(curve, ecdh)
  return ecdh
}

/** Q + factor·G; undefined is the point at infinity. */
function shiftedKey(curve: Curve, key: PublicKey, factor: bigint): Point | undefined {
  const parameters = CURVES[curve]
  const point = decodePoint(parameters, key.keyBits)!
  if (factor === 0n) return point
  const ecdh = multiplier(curve)
  ecdh.setPrivateKey(bigIntToBytes(factor, parameters.bytes))
  const multiple = ecdh.getPublicKey()
  const x = bytesToBigInt(multiple.subarray(1, 1 + parameters.bytes))
  const y = bytesToBigInt(multiple.subarray(1 + parameters.bytes))
  return addPoints(parameters, point, { x, y })
}

function encodePoint(curve: Curve, point: Point): Uint8Array {
  const { bytes } = CURVES[curve]
  return concatBytes(Uint8Array.of(4), bigIntToBytes(point.x, bytes), bigIntToBytes(point.y, bytes))
}

/**
 * With K = Q + e/r·G, a Diffie-Hellman secret of r/s and K is x(r/s·K), the x that r is compared with.
 * Two multiplications of G and one of K.
 */
function verifyByAgreement(curve: Curve, key: PublicKey, digest: Uint8Array, { r, s }: EcdsaSignature): boolean {
  const { n, bytes } = CURVES[curve]
  // One inversion for both numbers.
  const inverse = modInverse((r * s) % n, n)
  const shifted = shiftedKey(curve, key, (((digestToNumber(digest, curve) * s) % n) * inverse) % n)
  // r/s times infinity is infinity, which has no x (SEC 1 §4.1.4, step 5).
  if (shifted === undefined) return false
  const ecdh = multiplier(curve)
  ecdh.setPrivateKey(bigIntToBytes((((r * r) % n) * inverse) % n, bytes))
  return bytesToBigInt(ecdh.computeSecret(encodePoint(curve, shifted))) % n === r
}

/** Messages whose hashes are known; the second serves when the first makes K infinite. */
const KNOWN_MESSAGES = [new Uint8Array(0), Uint8Array.of(0)] as const

/**
 * With e' the hash of a known message and K = Q + (e - e')/r·G, the signature is right for e and Q exactly when it is right for e' and K,
 * and that node:crypto can say. One multiplication of G beside the verification.
 */
function verifyByKnownMessage(
  curve: Curve,
  algorithm: HashAlgorithm,
  key: PublicKey,
  digest: Uint8Array,
  { r }: EcdsaSignature,
  der: Uint8Array,
): boolean {
  const { n } = CURVES[curve]
  const inverse = modInverse(r, n)
  for (const message of KNOWN_MESSAGES) {
    const difference = mod(digestToNumber(digest, curve) - digestToNumber(hashOf(algorithm, message), curve), n)
    const shifted = shiftedKey(curve, key, (difference * inverse) % n)
    if (shifted === undefined) continue
    const header = key.spki.subarray(0, key.spki.length - key.keyBits.length)
    return verify(HASH_NAMES[algorithm], message, importSpki(concatBytes(header, encodePoint(curve, shifted))), der)
  }
  return false
}

/**
 * Verifies ECDSA over a digest; the signature is given as numbers (already between 1 and n - 1) and as DER.
 * P-256 takes the first way, which is faster there (0.18 against 0.24 ms); on P-384 and P-521, where OpenSSL 3.0 has no fast
 * multiplication, the second takes half the time.
 */
export function verifyEcdsaDigest(
  curve: Curve,
  algorithm: HashAlgorithm,
  key: PublicKey,
  digest: Uint8Array,
  numbers: EcdsaSignature,
  der: Uint8Array,
): boolean {
  if (curve === 'P-256') return verifyByAgreement(curve, key, digest, numbers)
  return verifyByKnownMessage(curve, algorithm, key, digest, numbers, der)
}
