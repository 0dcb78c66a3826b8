import { HASH_BYTES, nodeHash, portableSha256, type NodeId, type Sha256 } from '@touchmark/merkle'
import { TlogError } from './errors.js'

/** Levels of the tree that one tile spans (C2SP tlog-tiles: tiles of height 8). */
export const TILE_HEIGHT = 8
/** Hashes in a full tile, entries in a full entry bundle. */
export const TILE_WIDTH = 256
/** Levels 0 to 63 have names; a tree of 2^63 leaves needs 8. */
const MAX_LEVEL = 63
const MAX_INDEX = 1n << 55n

/** A tile of the log: hashes of one level, or, with level `entries`, the bodies themselves. */
export interface TileId {
  readonly level: number | 'entries'
  readonly index: bigint
  /** 1 to 256; less than 256 is a partial tile. */
  readonly width: number
}

/** The path of a tile below the log's prefix (log-v2.md §8): `tile/0/x001/234`, `tile/entries/005.p/17`. */
export function tilePath(level: number | 'entries', index: bigint, width: number = TILE_WIDTH): string {
  if (level !== 'entries' && (!Number.isInteger(level) || level < 0 || level > MAX_LEVEL)) {
    throw new TlogError('TLOG_TILE_PATH_INVALID', `no tile has the level ${level}`)
  }
  if (index < 0n || index >= MAX_INDEX) throw new TlogError('TLOG_TILE_PATH_INVALID', `no tile has the index ${index}`)
  if (!Number.isInteger(width) || width < 1 || width > TILE_WIDTH) {
    throw new TlogError('TLOG_TILE_PATH_INVALID', `no tile has the width ${width}`)
  }
  const digits = index.toString()
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.{3}/g)!
  const name = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/')
  return `tile/${level}/${name}${width === TILE_WIDTH ? '' : `.p/${width}`}`
}

const TILE_PATH = /^tile\/(entries|0|[1-9][0-9]?)\/((?:x[0-9]{3}\/)*)([0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/
/** Longest path there is: `tile/entries/` + six groups + `.p/255`. */
const MAX_PATH_CHARS = 64

/** Reads a tile path; exactly the paths that {@link tilePath} writes are taken. Throws TLOG_TILE_PATH_INVALID. */
export function parseTilePath(path: string): TileId {
  const bad = (): never => {
    throw new TlogError('TLOG_TILE_PATH_INVALID', 'not the path of a tile')
  }
  const match = path.length <= MAX_PATH_CHARS ? TILE_PATH.exec(path) : null
  if (match === null) return bad()
  const level = match[1] === 'entries' ? ('entries' as const) : Number(match[1])
  const index = BigInt((match[2]! + match[3]!).replace(/[x/]/g, ''))
  const width = match[4] === undefined ? TILE_WIDTH : Number(match[4])
  // A leading group of zeros and a width of 256 written out are second names of a tile: caches would keep both.
  if (match[2]!.startsWith('x000')) return bad()
  if (level !== 'entries' && level > MAX_LEVEL) return bad()
  if (index >= MAX_INDEX || (match[4] !== undefined && width >= TILE_WIDTH)) return bad()
  return { level, index, width }
}

/** How many hashes the tile has in a tree of `size` leaves: 0 when it does not exist, 256 when it is full. */
export function tileWidth(level: number, index: bigint, size: bigint): number {
  const width = (size >> BigInt(TILE_HEIGHT * level)) - index * BigInt(TILE_WIDTH)
  if (width <= 0n) return 0
  return width >= BigInt(TILE_WIDTH) ? TILE_WIDTH : Number(width)
}

/** The tiles at the right edge of a tree of `size` leaves: one for each level that has any hash, full or partial. */
export function rightEdge(size: bigint): { level: number; index: bigint; width: number }[] {
  const edge: { level: number; index: bigint; width: number }[] = []
  for (let level = 0; size >> BigInt(TILE_HEIGHT * level) > 0n; level++) {
    const index = ((size >> BigInt(TILE_HEIGHT * level)) - 1n) / BigInt(TILE_WIDTH)
    edge.push({ level, index, width: tileWidth(level, index, size) })
  }
  return edge
}

/** Where a node of the tree lies: the tile to load, and the hashes in it that fold to the node. */
export interface NodePlace {
  readonly level: number
  readonly index: bigint
  /** First hash inside the tile. */
  readonly offset: number
  /** Number of hashes, a power of two up to 128. */
  readonly count: number
}

/** Finds the tile that a node is computed from. */
export function placeOfNode({ level, index }: NodeId): NodePlace {
  const inside = level % TILE_HEIGHT
  const first = index << BigInt(inside)
  return {
    level: (level - inside) / TILE_HEIGHT,
    index: first >> BigInt(TILE_HEIGHT),
    offset: Number(first & BigInt(TILE_WIDTH - 1)),
    count: 1 << inside,
  }
}

/** Computes a node from its tile; undefined when the tile does not reach that far. Throws TLOG_TILE_INVALID on a length that is no whole number of hashes. */
export function nodeInTile(
  tile: Uint8Array,
  place: NodePlace,
  sha256: Sha256 = portableSha256,
): Uint8Array | undefined {
  if (tile.length % HASH_BYTES !== 0 || tile.length > TILE_WIDTH * HASH_BYTES) {
    throw new TlogError('TLOG_TILE_INVALID', `a tile cannot have ${tile.length} bytes`)
  }
  if (place.offset + place.count > tile.length / HASH_BYTES) return undefined
  return fold(tile, place.offset, place.count, sha256)
}

/** The root of a full tile: the hash that stands for it one level up. */
export function tileRoot(tile: Uint8Array, sha256: Sha256 = portableSha256): Uint8Array {
  if (tile.length !== TILE_WIDTH * HASH_BYTES) throw new TlogError('TLOG_TILE_INVALID', 'only a full tile has a root')
  return fold(tile, 0, TILE_WIDTH, sha256)
}

function fold(tile: Uint8Array, offset: number, count: number, sha256: Sha256): Uint8Array {
  if (count === 1) return tile.slice(offset * HASH_BYTES, (offset + 1) * HASH_BYTES)
  const half = count / 2
  return nodeHash(fold(tile, offset, half, sha256), fold(tile, offset + half, half, sha256), sha256)
}
