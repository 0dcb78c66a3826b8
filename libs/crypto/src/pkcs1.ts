import { concatBytes, hexDecode } from '@touchmark/encoding'
import type { HashAlgorithm } from './types.js'

/** Bytes of a digest. */
export const DIGEST_BYTES: Readonly<Record<HashAlgorithm, number>> = { SHA2_256: 32, SHA2_384: 48, SHA2_512: 64 }

/** DigestInfo up to the digest, parameters NULL present (RFC 8017 §9.2, note 1). */
const DIGEST_INFO: Readonly<Record<HashAlgorithm, Uint8Array>> = {
  SHA2_256: hexDecode('3031300d060960864801650304020105000420'),
  SHA2_384: hexDecode('3041300d060960864801650304020205000430'),
  SHA2_512: hexDecode('3051300d060960864801650304020305000440'),
}

/**
 * The one encoded message EMSA-PKCS1-v1_5 has for a digest (RFC 8017 §9.2), or undefined when the modulus is too short for it.
 * A verifier compares whole blocks and parses nothing, so no forgery by padding has a place to hide.
 */
export function pkcs1EncodedMessage(
  hash: HashAlgorithm,
  digest: Uint8Array,
  modulusBytes: number,
): Uint8Array | undefined {
  const info = DIGEST_INFO[hash]
  const padding = modulusBytes - 3 - info.length - digest.length
  if (padding < 8) return undefined
  return concatBytes(Uint8Array.of(0, 1), new Uint8Array(padding).fill(0xff), Uint8Array.of(0), info, digest)
}
