import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'

/** SHA-256 of one byte string. Node's is several times faster than the default, so a server hands in its own. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array

/** Bytes of a hash: leaf, node or root. */
export const HASH_BYTES = 32

/** SHA-256 that runs everywhere, a browser included. */
export const portableSha256: Sha256 = (bytes) => nobleSha256(bytes)

/** Leaf hash: SHA-256(0x00 || body). RFC 6962 §2.1: the prefix keeps a leaf from being taken for a node. */
export function leafHash(body: Uint8Array, sha256: Sha256 = portableSha256): Uint8Array {
  const prefixed = new Uint8Array(1 + body.length)
  prefixed.set(body, 1)
  return sha256(prefixed)
}

/** Interior hash: SHA-256(0x01 || left || right). RFC 6962 §2.1. */
export function nodeHash(left: Uint8Array, right: Uint8Array, sha256: Sha256 = portableSha256): Uint8Array {
  const joined = new Uint8Array(1 + 2 * HASH_BYTES)
  joined[0] = 1
  joined.set(left, 1)
  joined.set(right, 1 + HASH_BYTES)
  return sha256(joined)
}

/** Root of the tree without leaves: SHA-256 of nothing. RFC 6962 §2.1. */
export function emptyRoot(sha256: Sha256 = portableSha256): Uint8Array {
  return sha256(new Uint8Array(0))
}
