import { createHash } from 'node:crypto'

// RFC 6962 §2.1 word for word: slow, and written apart from everything that it is compared with.

export type Hash = Uint8Array

const sha256 = (...parts: Uint8Array[]): Hash => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

export const leafOf = (entry: Uint8Array): Hash => sha256(Buffer.of(0), entry)

/** Largest power of two smaller than n. */
function split(n: number): number {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

/** A tree of leaves; complete subtrees are remembered, or sixty-five thousand leaves would take minutes. */
export class NaiveTree {
  readonly leaves: Hash[] = []
  readonly #known = new Map<string, Hash>()

  add(entry: Uint8Array): void {
    this.leaves.push(leafOf(entry))
  }

  /** MTH(D[from:to]), §2.1. */
  root(to = this.leaves.length, from = 0): Hash {
    const n = to - from
    if (n === 0) return sha256()
    if (n === 1) return this.leaves[from]!
    const key = `${from} ${to}`
    const known = this.#known.get(key)
    if (known) return known
    const k = split(n)
    const hash = sha256(Buffer.of(1), this.root(from + k, from), this.root(to, from + k))
    if ((n & (n - 1)) === 0) this.#known.set(key, hash)
    return hash
  }

  /** PATH(m, D[from:to]), §2.1.1. */
  path(m: number, to: number, from = 0): Hash[] {
    const n = to - from
    if (n === 1) return []
    const k = split(n)
    return m < k
      ? [...this.path(m, from + k, from), this.root(to, from + k)]
      : [...this.path(m - k, to, from + k), this.root(from + k, from)]
  }

  /** PROOF(m, D[n]), §2.1.2. */
  proof(m: number, n: number): Hash[] {
    return m === n ? [] : this.#subproof(m, 0, n, true)
  }

  #subproof(m: number, from: number, to: number, whole: boolean): Hash[] {
    const n = to - from
    if (m === n) return whole ? [] : [this.root(to, from)]
    const k = split(n)
    return m <= k
      ? [...this.#subproof(m, from, from + k, whole), this.root(to, from + k)]
      : [...this.#subproof(m - k, from + k, to, false), this.root(from + k, from)]
  }

  /** A tile of C2SP tlog-tiles: `width` hashes of complete subtrees of 256^level leaves. */
  tile(level: number, index: number, width: number): Buffer {
    const span = 256 ** level
    const first = index * 256
    return Buffer.concat(Array.from({ length: width }, (_, i) => this.root((first + i + 1) * span, (first + i) * span)))
  }
}

/** Bodies with their lengths before them: an entry bundle of C2SP tlog-tiles. */
export function bundleOf(entries: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    entries.flatMap((entry) => {
      const length = Buffer.alloc(2)
      length.writeUInt16BE(entry.length)
      return [length, Buffer.from(entry)]
    }),
  )
}
