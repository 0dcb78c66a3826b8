import { HASH_BYTES, nodeHash } from '@touchmark/merkle'
import { TILE_HEIGHT, TILE_WIDTH } from '@touchmark/tlog'
import { sha256 } from '../sha256.js'

/** Row r of a tile holds its complete subtrees of 2^r hashes; the rows lie behind each other, row 0 (the tile itself) first. */
const ROW_START = Array.from({ length: TILE_HEIGHT + 1 }, (_, row) => 2 * TILE_WIDTH - ((2 * TILE_WIDTH) >> row))
const NODES = 2 * TILE_WIDTH - 1

/** A tile with every node inside it, so that a proof costs look-ups and no hashing. */
export class TileNodes {
  readonly level: number
  readonly index: bigint
  #width: number
  readonly #nodes: Uint8Array

  private constructor(level: number, index: bigint, width: number, nodes: Uint8Array) {
    this.level = level
    this.index = index
    this.#width = width
    this.#nodes = nodes
  }

  static empty(level: number, index: bigint): TileNodes {
    return new TileNodes(level, index, 0, new Uint8Array(NODES * HASH_BYTES))
  }

  /** Takes a tile as it is stored and hashes what is inside. The length MUST be 32 to 8,192 and a multiple of 32. */
  static fromHashes(level: number, index: bigint, hashes: Uint8Array): TileNodes {
    const tile = TileNodes.empty(level, index)
    tile.#nodes.set(hashes)
    tile.#width = hashes.length / HASH_BYTES
    for (let row = 1; row <= TILE_HEIGHT; row++) {
      for (let offset = 0; (offset + 1) << row <= tile.#width; offset++) {
        tile.#put(row, offset, nodeHash(tile.#at(row - 1, 2 * offset), tile.#at(row - 1, 2 * offset + 1), sha256))
      }
    }
    return tile
  }

  /** Hashes in the tile, up to 256. */
  get width(): number {
    return this.#width
  }

  get isFull(): boolean {
    return this.#width === TILE_WIDTH
  }

  /** `level/index`: the name of the tile in maps. */
  get key(): string {
    return tileKey(this.level, this.index)
  }

  copy(): TileNodes {
    return new TileNodes(this.level, this.index, this.#width, this.#nodes.slice())
  }

  /** Stores a node of the tile. Hashes of row 0 MUST come in order. */
  put(row: number, offset: number, hash: Uint8Array): void {
    this.#put(row, offset, hash)
    if (row === 0) this.#width = offset + 1
  }

  /** The root of 2^row hashes; undefined while they are not complete. */
  node(row: number, offset: number): Uint8Array | undefined {
    return (offset + 1) << row <= this.#width ? this.#at(row, offset).slice() : undefined
  }

  /** The first `width` hashes: the bytes of the tile on the wire. */
  hashes(width: number = this.#width): Uint8Array {
    return this.#nodes.slice(0, width * HASH_BYTES)
  }

  #at(row: number, offset: number): Uint8Array {
    const start = (ROW_START[row]! + offset) * HASH_BYTES
    return this.#nodes.subarray(start, start + HASH_BYTES)
  }

  #put(row: number, offset: number, hash: Uint8Array): void {
    this.#nodes.set(hash, (ROW_START[row]! + offset) * HASH_BYTES)
  }
}

export function tileKey(level: number, index: bigint): string {
  return `${level}/${index}`
}
