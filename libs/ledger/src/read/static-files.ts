import { HASH_BYTES } from '@touchmark/merkle'
import type { Database } from '@touchmark/postgres'
import { MAX_BUNDLE_ENTRY_BYTES, TILE_WIDTH, TlogError } from '@touchmark/tlog'
import { readBundle, readTiles } from '../store/read-tree.js'
import type { TreeMemory } from '../tree-memory.js'

const MAX_LEVEL = 63
const MAX_TILE_INDEX = 1n << 55n

/**
 * Tiles and entry bundles as they are served. What is there never changes, so what was read once comes from memory, as the same object each time: whoever
 * is given it MUST NOT change it. Callers that want at once what is not in memory wait for one read.
 */
export class StaticFiles {
  readonly #db: Database
  readonly #memory: TreeMemory
  readonly #reading = new Map<string, Promise<Uint8Array | undefined>>()

  constructor(db: Database, memory: TreeMemory) {
    this.#db = db
    this.#memory = memory
  }

  /** A tile of exactly this width, or undefined where the tree does not reach that far. */
  async tile(level: number, index: bigint, width: number): Promise<Uint8Array | undefined> {
    if (!isTile(level, index, width)) return undefined
    const last = this.#memory.edge.tiles[level]
    if (width < TILE_WIDTH && last?.index === index && last.width >= width) return last.hashes(width)
    const full = this.#memory.files.get(tileName(level, index))
    if (full) return cut(full, width)
    // The stored tile is read whole, whatever is cut from it: one that is full by now serves every width from then on.
    const stored = await this.#once(tileName(level, index), width * HASH_BYTES, () => this.#readTile(level, index))
    return stored && stored.length >= width * HASH_BYTES ? cut(stored, width) : undefined
  }

  /** Throws TLOG_ENTRY_BUNDLE_INVALID for entries of a certificate log that are longer than a bundle can hold. */
  async entryBundle(index: bigint, width: number): Promise<Uint8Array | undefined> {
    if (!isTile(0, index, width)) return undefined
    const name = `entries/${index}/${width}`
    return this.#memory.files.get(name) ?? this.#once(name, 0, () => this.#readBundle(name, index, width))
  }

  /** Joins a read that is under way. That one may have begun before the tree grew to what is asked for now: what it did not find is looked for again. */
  async #once(
    name: string,
    bytes: number,
    read: () => Promise<Uint8Array | undefined>,
  ): Promise<Uint8Array | undefined> {
    const running = this.#reading.get(name)
    const joined = running && (await running)
    if (joined && joined.length >= bytes) return joined
    const reading = read()
    this.#reading.set(name, reading)
    try {
      return await reading
    } finally {
      if (this.#reading.get(name) === reading) this.#reading.delete(name)
    }
  }

  async #readTile(level: number, index: bigint): Promise<Uint8Array | undefined> {
    const known = this.#memory.fullTiles.get(`${level}/${index}`)
    if (known) return this.#keep(tileName(level, index), known.hashes())
    const { id } = this.#memory.identity
    const [tile] = await this.#db.withClient((client) => readTiles(client, id, [{ level, index }]))
    if (tile?.hashes.length !== TILE_WIDTH * HASH_BYTES) return tile?.hashes
    return this.#keep(tileName(level, index), tile.hashes)
  }

  async #readBundle(name: string, index: bigint, width: number): Promise<Uint8Array | undefined> {
    const start = index * BigInt(TILE_WIDTH)
    const { id } = this.#memory.identity
    const { entries, longest, bytes } = await this.#db.withClient((client) =>
      readBundle(client, id, start, start + BigInt(width)),
    )
    if (entries < width) return undefined
    if (longest > MAX_BUNDLE_ENTRY_BYTES) {
      throw new TlogError('TLOG_ENTRY_BUNDLE_INVALID', `an entry has ${longest} bytes, more than a bundle can hold`)
    }
    return this.#keep(name, bytes)
  }

  /** What the driver gives may be a piece of a larger buffer, which would stay as long as the piece does. */
  #keep(name: string, bytes: Uint8Array): Uint8Array {
    const own = new Uint8Array(bytes)
    this.#memory.files.put(name, own, own.length)
    return own
  }
}

function tileName(level: number, index: bigint): string {
  return `tile/${level}/${index}`
}

function cut(tile: Uint8Array, width: number): Uint8Array {
  return tile.length === width * HASH_BYTES ? tile : tile.slice(0, width * HASH_BYTES)
}

function isTile(level: number, index: bigint, width: number): boolean {
  return (
    Number.isInteger(level) &&
    level >= 0 &&
    level <= MAX_LEVEL &&
    index >= 0n &&
    index < MAX_TILE_INDEX &&
    Number.isInteger(width) &&
    width >= 1 &&
    width <= TILE_WIDTH
  )
}
