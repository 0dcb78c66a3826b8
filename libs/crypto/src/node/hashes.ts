import { createHash, randomBytes as nodeRandomBytes } from 'node:crypto'
import type { HashAlgorithm } from '../types.js'

/** OpenSSL's names. */
export const HASH_NAMES: Readonly<Record<HashAlgorithm, string>> = {
  SHA2_256: 'sha256',
  SHA2_384: 'sha384',
  SHA2_512: 'sha512',
}

/** A view without Buffer's own slice, so that pure code sees one kind of byte array. */
export function plainBytes(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}

/** Hashes the parts one after the other. */
export function hash(algorithm: HashAlgorithm, ...parts: readonly Uint8Array[]): Uint8Array {
  const state = createHash(HASH_NAMES[algorithm])
  for (const part of parts) state.update(part)
  return plainBytes(state.digest())
}

/** SHA-1, for key identifiers only (RFC 5280 §4.2.1.2): nothing is proven by it. */
export function sha1(data: Uint8Array): Uint8Array {
  return plainBytes(createHash('sha1').update(data).digest())
}

/** Bytes of the system's generator. */
export function randomBytes(length: number): Uint8Array {
  return new Uint8Array(nodeRandomBytes(length))
}
