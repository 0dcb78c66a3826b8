import { assembleProof, planInclusion, type CompactRange, type NodeSource } from '@touchmark/merkle'
import { TILE_HEIGHT, TILE_WIDTH, placeOfNode } from '@touchmark/tlog'
import { sha256 } from '../sha256.js'
import { TileNodes, tileKey } from './tile-nodes.js'

/** What must be known of a tree to append to it: the frontier and the last tile of each level. Never changed once made. */
export interface TreeEdge {
  readonly range: CompactRange
  readonly root: Uint8Array
  /** The last tile of each level, from level 0 up. */
  readonly tiles: readonly TileNodes[]
}

/** A tree that has grown in memory, and by what. */
export interface Growth {
  readonly edge: TreeEdge
  /** Every tile that is new or wider than before. */
  readonly changed: readonly TileNodes[]
}

/** Adds leaf hashes at the right edge. The edge that is given stays as it is, so a batch that fails leaves no trace. */
export function grow(edge: TreeEdge, leafHashes: readonly Uint8Array[]): Growth {
  const range = edge.range.clone()
  const tiles = [...edge.tiles]
  const changed = new Map<string, TileNodes>()

  const writable = (level: number, index: bigint): TileNodes => {
    const last = tiles[level]
    const key = tileKey(level, index)
    const known = changed.get(key)
    if (known) return known
    const tile = last?.index === index ? last.copy() : TileNodes.empty(level, index)
    changed.set(key, tile)
    tiles[level] = tile
    return tile
  }

  for (const leaf of leafHashes) {
    range.append(leaf, (level, index, hash) => {
      const { level: tileLevel, index: tileIndex, offset, row } = rowOfNode(level, index)
      writable(tileLevel, tileIndex).put(row, offset, hash)
      // The root of a full tile is a row of its own there, and a hash of the tile above.
      if (row === 0 && tileLevel > 0) lowerTile(changed, tiles, tileLevel - 1, index)?.put(TILE_HEIGHT, 0, hash)
    })
  }
  return { edge: { range, root: range.root(), tiles }, changed: [...changed.values()] }
}

/** Serves the nodes of proofs out of tiles in memory. */
export function nodeSource(tiles: Iterable<TileNodes>): NodeSource {
  const byKey = new Map<string, TileNodes>()
  for (const tile of tiles) {
    const other = byKey.get(tile.key)
    if (!other || other.width < tile.width) byKey.set(tile.key, tile)
  }
  return {
    node(level, index) {
      const place = rowOfNode(level, index)
      return byKey.get(tileKey(place.level, place.index))?.node(place.row, place.offset)
    },
  }
}

/** The inclusion proofs of the `count` entries that the growth began with at `firstIndex`. */
export function proofsOf(
  before: TreeEdge,
  { edge, changed }: Growth,
  firstIndex: bigint,
  count: number,
): Uint8Array[][] {
  const source = nodeSource([...before.tiles, ...edge.tiles, ...changed])
  const size = edge.range.size
  return Array.from({ length: count }, (_, i) =>
    assembleProof(planInclusion(firstIndex + BigInt(i), size), source, sha256),
  )
}

/** The tile, row and offset of a node of the tree. */
export function rowOfNode(level: number, index: bigint): { level: number; index: bigint; row: number; offset: number } {
  const place = placeOfNode({ level, index })
  const row = level % TILE_HEIGHT
  return { level: place.level, index: place.index, row, offset: place.offset >> row }
}

function lowerTile(changed: Map<string, TileNodes>, tiles: TileNodes[], level: number, index: bigint) {
  const tile = changed.get(tileKey(level, index)) ?? tiles[level]
  return tile?.index === index && tile.width === TILE_WIDTH ? tile : undefined
}
