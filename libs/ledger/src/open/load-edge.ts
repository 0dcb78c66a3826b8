import { equalBytes, hexEncode } from '@touchmark/encoding'
import { CompactRange, HASH_BYTES, assembleProof, rootPlan } from '@touchmark/merkle'
import { rightEdge, tilePath } from '@touchmark/tlog'
import type pg from 'pg'
import { nodeSource, rowOfNode, type TreeEdge } from '../append/growth.js'
import { TileNodes } from '../append/tile-nodes.js'
import { LedgerError } from '../errors.js'
import { sha256 } from '../sha256.js'
import { readTiles } from '../store/read-tree.js'
import type { TreeRow } from '../store/tree-row.js'

/**
 * Loads the right edge of the tree as the row has it, hashes it again and compares it with the row's frontier and root.
 * Throws LEDGER_CORRUPT, naming the tile or the column that differs.
 */
export async function loadEdge(client: pg.ClientBase, row: TreeRow): Promise<TreeEdge> {
  const { size, root } = row.head
  const range = decodeFrontier(row)
  if (!equalBytes(range.root(), root)) {
    throw corrupt('the root in the row is not that of the frontier beside it', range.root(), root)
  }
  const wanted = rightEdge(size)
  const stored = await readTiles(client, row.id, wanted)
  const tiles = wanted.map(({ level, index, width }) => {
    const hashes = stored.find((tile) => tile.level === level && tile.index === index)?.hashes
    const name = tilePath(level, index, width)
    if (!hashes) throw new LedgerError('LEDGER_CORRUPT', `${name} is missing`)
    if (hashes.length !== width * HASH_BYTES) {
      throw new LedgerError('LEDGER_CORRUPT', `${name} has ${hashes.length / HASH_BYTES} hashes, not ${width}`)
    }
    return TileNodes.fromHashes(level, index, hashes)
  })
  checkTiles(row, tiles)
  return { range, root: range.root(), tiles }
}

/** Every hash of every tile at the edge is under the frontier, or under the last hash of the tile above. */
function checkTiles(row: TreeRow, tiles: readonly TileNodes[]): void {
  const source = nodeSource(tiles)
  for (const [i, { level, index }] of rootPlan(row.head.size).entries()) {
    const place = rowOfNode(level, index)
    const tile = tiles[place.level]!
    const expected = row.frontier.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)
    const [found] = assembleProof([[{ level, index }]], source, sha256)
    if (!equalBytes(found!, expected)) throw corrupt(`${nameOf(tile)} does not hash to the frontier`, expected, found!)
  }
  for (const tile of tiles) {
    if (!tile.isFull) continue
    const above = tiles[tile.level + 1]?.node(0, Number(tile.index & 255n))
    const found = tile.node(8, 0)!
    if (!above || !equalBytes(found, above)) {
      throw corrupt(`${nameOf(tile)} does not hash to its place in the tile above`, above ?? new Uint8Array(0), found)
    }
  }
}

function decodeFrontier(row: TreeRow): CompactRange {
  try {
    return CompactRange.decode(row.head.size, row.frontier, sha256)
  } catch (cause) {
    throw new LedgerError('LEDGER_CORRUPT', 'the frontier in the row does not fit its size', { cause })
  }
}

function nameOf(tile: TileNodes): string {
  return tilePath(tile.level, tile.index, tile.width)
}

function corrupt(why: string, expected: Uint8Array, found: Uint8Array): LedgerError {
  return new LedgerError('LEDGER_CORRUPT', why, { expected: hexEncode(expected), found: hexEncode(found) })
}
