import { leafHash, nodeHash } from '@touchmark/merkle'
import { encodeEntryBundle, parseTilePath, tilePath } from '@touchmark/tlog'
import { StaticSource } from '../source/static-source.js'

/** A log as files in memory, made the plain way: every level from the one below. */
export class MemoryLog {
  readonly files = new Map<string, Uint8Array>()
  readonly reads: string[] = []
  readonly size: bigint
  readonly root: Uint8Array

  constructor(bodies: readonly Uint8Array[]) {
    this.size = BigInt(bodies.length)
    let hashes = bodies.map((body) => leafHash(body))
    this.root = rootOf(hashes)
    this.#put('entries', bodies, (some) => encodeEntryBundle(some))
    for (let level = 0; hashes.length > 0; level++) {
      this.#put(level, hashes, (some) => new Uint8Array(Buffer.concat(some)))
      const full = Math.floor(hashes.length / 256)
      hashes = Array.from({ length: full }, (_, i) => rootOf(hashes.slice(i * 256, (i + 1) * 256)))
    }
  }

  source(parallelReads = 4): StaticSource {
    return new StaticSource((path) => {
      this.reads.push(path)
      parseTilePath(path)
      return Promise.resolve(this.files.get(path)?.slice())
    }, parallelReads)
  }

  /** Turns one bit of a stored file. */
  flip(path: string, at: number): void {
    const bytes = this.files.get(path)
    if (bytes?.[at] === undefined) throw new Error(`${path} has no byte ${at}`)
    bytes[at] ^= 1
  }

  #put(
    level: number | 'entries',
    items: readonly Uint8Array[],
    pack: (some: readonly Uint8Array[]) => Uint8Array,
  ): void {
    for (let start = 0; start < items.length; start += 256) {
      const some = items.slice(start, start + 256)
      this.files.set(tilePath(level, BigInt(start / 256), some.length), pack(some))
    }
  }
}

function rootOf(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length === 1) return hashes[0]!
  let split = 1
  while (split * 2 < hashes.length) split *= 2
  return nodeHash(rootOf(hashes.slice(0, split)), rootOf(hashes.slice(split)))
}

/** `count` bodies of a few bytes each. */
export function smallBodies(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => new TextEncoder().encode(`entry ${i}`))
}
