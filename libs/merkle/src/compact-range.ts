import { concatBytes } from '@touchmark/encoding'
import { MerkleError } from './errors.js'
import { HASH_BYTES, emptyRoot, nodeHash, portableSha256, type Sha256 } from './hashing.js'

/** Called for every node that an append completes, leaf first: level 0 is the leaf, level n covers 2^n leaves. */
export type NodeVisitor = (level: number, index: bigint, hash: Uint8Array) => void

/**
 * The frontier of a tree: the roots of its largest complete subtrees, left to right. It is all that is needed to append leaves and to know the root.
 */
export class CompactRange {
  #size: bigint
  readonly #hashes: Uint8Array[]
  readonly #sha256: Sha256

  private constructor(size: bigint, hashes: Uint8Array[], sha256: Sha256) {
    this.#size = size
    this.#hashes = hashes
    this.#sha256 = sha256
  }

  /** The tree without leaves. */
  static empty(sha256: Sha256 = portableSha256): CompactRange {
    return new CompactRange(0n, [], sha256)
  }

  /**
   * Takes what {@link encode} wrote for a tree of `size` leaves. Throws MERKLE_RANGE_INVALID unless there is one 32-byte hash for each 1 bit of the size.
   * Whether the hashes are the right ones only {@link root} can tell.
   */
  static decode(size: bigint, bytes: Uint8Array, sha256: Sha256 = portableSha256): CompactRange {
    if (size < 0n) throw new MerkleError('MERKLE_RANGE_INVALID', `a tree cannot have ${size} leaves`)
    const count = subtreeCount(size)
    if (bytes.length !== count * HASH_BYTES) {
      throw new MerkleError(
        'MERKLE_RANGE_INVALID',
        `the frontier of a tree of ${size} leaves has ${count * HASH_BYTES} bytes, not ${bytes.length}`,
      )
    }
    const hashes = Array.from({ length: count }, (_, i) => bytes.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES))
    return new CompactRange(size, hashes, sha256)
  }

  /** Number of leaves. */
  get size(): bigint {
    return this.#size
  }

  /** Adds the next leaf. `visit` sees each node that is complete from now on. */
  append(leaf: Uint8Array, visit?: NodeVisitor): void {
    if (leaf.length !== HASH_BYTES) {
      throw new MerkleError('MERKLE_RANGE_INVALID', `a leaf hash has ${HASH_BYTES} bytes, not ${leaf.length}`)
    }
    let hash = leaf
    let index = this.#size
    let level = 0
    visit?.(level, index, hash)
    // Each trailing 1 bit of the old size is a complete subtree that the new one joins.
    while ((index & 1n) === 1n) {
      hash = nodeHash(this.#hashes.pop()!, hash, this.#sha256)
      index >>= 1n
      level++
      visit?.(level, index, hash)
    }
    this.#hashes.push(hash)
    this.#size++
  }

  /** Root of the tree: the subtrees folded from the right. RFC 6962 §2.1. */
  root(): Uint8Array {
    const last = this.#hashes.length - 1
    if (last < 0) return emptyRoot(this.#sha256)
    let root = this.#hashes[last]!
    for (let i = last - 1; i >= 0; i--) root = nodeHash(this.#hashes[i]!, root, this.#sha256)
    return root
  }

  /** The hashes, largest subtree first, 32 bytes each; the size is kept beside them. */
  encode(): Uint8Array {
    return concatBytes(...this.#hashes)
  }

  clone(): CompactRange {
    return new CompactRange(this.#size, [...this.#hashes], this.#sha256)
  }
}

/** How many complete subtrees a tree of this size is made of: the 1 bits of the size. */
function subtreeCount(size: bigint): number {
  let count = 0
  for (let rest = size; rest > 0n; rest >>= 1n) if ((rest & 1n) === 1n) count++
  return count
}
