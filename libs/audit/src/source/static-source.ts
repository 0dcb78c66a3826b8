import { TILE_WIDTH, tilePath } from '@touchmark/tlog'
import type { LeafTile, LogSource, PackedEntries } from './log-source.js'

/** Reads a file of a log by its path; undefined where there is none. The bytes are handed over. Throws what keeps it from finding out. */
export type ReadPath = (path: string) => Promise<Uint8Array | undefined>

/** A log as C2SP tlog-tiles lays it out, over HTTP or in a folder. */
export class StaticSource implements LogSource {
  readonly tilesPerRead = 1
  readonly parallelReads: number
  readonly #read: ReadPath

  constructor(read: ReadPath, parallelReads: number) {
    this.#read = read
    this.parallelReads = parallelReads
  }

  async *read(first: bigint, count: number, lastWidth: number): AsyncGenerator<LeafTile> {
    for (let i = 0; i < count; i++) {
      const index = first + BigInt(i)
      const width = i === count - 1 ? lastWidth : TILE_WIDTH
      const [entries, tile] = await Promise.all([this.#entries(index, width), this.tile(0, index, width)])
      yield { entries, tile }
    }
  }

  async tile(level: number, index: bigint, width: number): Promise<Uint8Array | undefined> {
    const tile = await this.#read(tilePath(level, index, width))
    if (tile !== undefined || width === TILE_WIDTH) return tile
    // A partial tile may be gone once the full one is there.
    const full = await this.#read(tilePath(level, index))
    return full?.length === TILE_WIDTH * 32 ? full.slice(0, width * 32) : undefined
  }

  async #entries(index: bigint, width: number): Promise<PackedEntries | undefined> {
    const bytes = await this.#read(tilePath('entries', index, width))
    if (bytes !== undefined || width === TILE_WIDTH) return bytes && { lengthBytes: 2, bytes }
    const full = await this.#read(tilePath('entries', index))
    return full && { lengthBytes: 2, bytes: full, mayHaveMore: true }
  }
}
