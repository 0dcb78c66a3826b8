import { createHash } from 'node:crypto'
import type { NodeSource } from '../proof-plan.js'
import { leafHash, nodeHash, type Sha256 } from '../hashing.js'

export const nodeSha256: Sha256 = (bytes) => createHash('sha256').update(bytes).digest()

/** RFC 6962 §2.1 read word for word: recursive, slow, and sharing nothing with the code under test but the hash of one node. */
export class NaiveTree implements NodeSource {
  readonly leaves: Uint8Array[] = []
  readonly #memo = new Map<string, Uint8Array>()

  static of(size: number): NaiveTree {
    const tree = new NaiveTree()
    for (let i = 0; i < size; i++) tree.leaves.push(leafHash(new TextEncoder().encode(`leaf ${i}`), nodeSha256))
    return tree
  }

  root(begin = 0, end = this.leaves.length): Uint8Array {
    if (begin === end) return nodeSha256(new Uint8Array(0))
    if (end - begin === 1) return this.leaves[begin]!
    const key = `${begin}-${end}`
    const known = this.#memo.get(key)
    if (known) return known
    const k = largestPowerBelow(end - begin)
    const root = nodeHash(this.root(begin, begin + k), this.root(begin + k, end), nodeSha256)
    this.#memo.set(key, root)
    return root
  }

  path(m: number, begin: number, end: number): Uint8Array[] {
    if (end - begin === 1) return []
    const k = largestPowerBelow(end - begin)
    if (m < k) return [...this.path(m, begin, begin + k), this.root(begin + k, end)]
    return [...this.path(m - k, begin + k, end), this.root(begin, begin + k)]
  }

  proof(m: number, end: number): Uint8Array[] {
    return m === 0 ? [] : this.#subproof(m, 0, end, true)
  }

  #subproof(m: number, begin: number, end: number, whole: boolean): Uint8Array[] {
    if (m === end - begin) return whole ? [] : [this.root(begin, end)]
    const k = largestPowerBelow(end - begin)
    if (m <= k) return [...this.#subproof(m, begin, begin + k, whole), this.root(begin + k, end)]
    return [...this.#subproof(m - k, begin + k, end, false), this.root(begin, begin + k)]
  }

  node(level: number, index: bigint): Uint8Array | undefined {
    const begin = Number(index) * 2 ** level
    const end = begin + 2 ** level
    return end <= this.leaves.length ? this.root(begin, end) : undefined
  }
}

function largestPowerBelow(n: number): number {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}
