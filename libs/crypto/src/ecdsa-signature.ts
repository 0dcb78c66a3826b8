import { concatBytes, derSequence, derUnsigned, readDer } from '@touchmark/encoding'
import { bytesToBigInt } from './big-integers.js'
import { CURVES } from './curves.js'
import { CryptoError } from './errors.js'
import type { Curve } from './types.js'

/** The two numbers of an ECDSA signature. */
export interface EcdsaSignature {
  readonly r: bigint
  readonly s: bigint
}

/** Longest DER of a P-521 signature: SEQUENCE 3 + 2 × (INTEGER 2 + 66). */
const MAX_DER_BYTES = 139

/**
 * Decodes Ecdsa-Sig-Value (RFC 3279 §2.2.3): strict DER, nothing behind it, 1 ≤ r, s < n of the curve. A high s is taken.
 * Throws CRYPTO_SIGNATURE_INVALID.
 */
export function decodeEcdsaSignature(der: Uint8Array, curve: Curve): EcdsaSignature {
  const signature = readPair(der)
  if (signature === undefined) throw new CryptoError('CRYPTO_SIGNATURE_INVALID', 'not the DER of an ECDSA signature')
  const { n } = CURVES[curve]
  if (signature.r <= 0n || signature.s <= 0n || signature.r >= n || signature.s >= n)
    throw new CryptoError(
      'CRYPTO_SIGNATURE_INVALID',
      `a number of the signature is not between 1 and the order of ${curve}`,
    )
  return signature
}

function readPair(der: Uint8Array): EcdsaSignature | undefined {
  if (der.length > MAX_DER_BYTES) return undefined
  try {
    return readDer(der, (reader) => {
      const pair = reader.sequence()
      const r = pair.integer(67)
      const s = pair.integer(67)
      pair.end()
      return { r, s }
    })
  } catch {
    return undefined
  }
}

/** Writes the DER from the two halves r || s (IEEE P1363); leading zeros of a half do not matter. */
export function encodeEcdsaSignature(halves: Uint8Array): Uint8Array {
  const half = halves.length / 2
  return derSequence(derUnsigned(halves.subarray(0, half)), derUnsigned(halves.subarray(half)))
}

/**
 * The DER of a signature that may also be given as r || s, as Fulcio and Rekor take it (contract ca.md §3, log-v2.md §3.6):
 * what is an ASN.1 pair of INTEGERs is returned as it is, other bytes of even length up to 132 as halves; else undefined.
 * Bytes behind a DER signature make it neither, unless their sum has such a length, and then the numbers will not verify.
 */
export function ecdsaSignatureToDer(signature: Uint8Array): Uint8Array | undefined {
  if (readPair(signature) !== undefined) return concatBytes(signature)
  if (signature.length === 0 || signature.length > 132 || signature.length % 2 !== 0) return undefined
  return encodeEcdsaSignature(signature)
}

/** The number that ECDSA makes of a digest: its leftmost bits, as many as the order has (FIPS 186-5 §6.4.1). */
export function digestToNumber(digest: Uint8Array, curve: Curve): bigint {
  // The orders have 256, 384 and 521 bits; a digest longer than its order is cut at a whole byte.
  return bytesToBigInt(digest.subarray(0, CURVES[curve].bytes))
}
