import { equalBytes } from '@touchmark/encoding'
import { HASH_BYTES } from '@touchmark/merkle'
import { TILE_WIDTH } from '@touchmark/tlog'
import type pg from 'pg'
import { LedgerError } from '../errors.js'
import { assertNotBehind } from '../guard/compare-heads.js'
import { loadEdge } from '../open/load-edge.js'
import { proveConsistent } from '../open/prove-consistent.js'
import { verifyHead } from '../open/verify-head.js'
import { readTiles } from '../store/read-tree.js'
import type { TreeRow } from '../store/tree-row.js'
import type { LogHead } from '../types.js'
import type { TreeMemory } from '../tree-memory.js'
import { grow, type TreeEdge } from './growth.js'

/** Up to this many leaves of other processes are followed one by one; beyond, the new edge is loaded and proven consistent. */
const MAX_FOLLOWED = 4096n

/**
 * Step 4 of life-of-an-entry.md: brings this process' edge to what the locked row says, and believes no row that does not extend what was committed before.
 * `before` is the newest head that was known when the row was asked for. Throws LEDGER_KEY_MISMATCH, LEDGER_ROLLED_BACK, LEDGER_CORRUPT.
 */
export async function reconcile(
  client: pg.ClientBase,
  memory: TreeMemory,
  row: TreeRow,
  before: LogHead,
): Promise<TreeEdge> {
  if (!equalBytes(row.keySha256, memory.identity.keySha256)) {
    throw new LedgerError('LEDGER_KEY_MISMATCH', `the row of ${row.origin} names another key than it did`)
  }
  memory.state = row.state
  if (row.head.note !== memory.newest.note) verifyHead(memory.identity, row.head)
  // Before anything is taken from the row: another process may have seen a tree that this database no longer has.
  assertNotBehind(memory.identity, row.head.size)
  memory.see(row.head, before)
  const edge = await edgeOf(client, memory.edge, row)
  if (!equalBytes(edge.range.encode(), row.frontier) || !equalBytes(edge.root, row.head.root)) {
    throw new LedgerError('LEDGER_CORRUPT', 'the frontier or root in the row is not what the entries below it hash to')
  }
  memory.follow(edge)
  return edge
}

async function edgeOf(client: pg.ClientBase, edge: TreeEdge, row: TreeRow): Promise<TreeEdge> {
  const from = edge.range.size
  const to = row.head.size
  if (from === to) return edge
  if (to - from <= MAX_FOLLOWED) return grow(edge, await leafHashes(client, row.id, from, to)).edge
  const loaded = await loadEdge(client, row)
  await proveConsistent(client, row.id, { size: from, root: edge.root }, row.head)
  return loaded
}

/** Leaf hashes [from, to) out of the tiles of level 0. Short when a tile is: the root will not fit then. */
async function leafHashes(client: pg.ClientBase, logId: bigint, from: bigint, to: bigint): Promise<Uint8Array[]> {
  const width = BigInt(TILE_WIDTH)
  const wanted: { level: number; index: bigint }[] = []
  for (let index = from / width; index <= (to - 1n) / width; index++) wanted.push({ level: 0, index })
  const stored = await readTiles(client, logId, wanted)
  const hashes: Uint8Array[] = []
  for (const { hashes: bytes, index } of stored.sort((a, b) => Number(a.index - b.index))) {
    for (let at = 0; at * HASH_BYTES < bytes.length; at++) {
      const leaf = index * width + BigInt(at)
      if (leaf >= from && leaf < to) hashes.push(bytes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES))
    }
  }
  if (BigInt(hashes.length) !== to - from) {
    throw new LedgerError('LEDGER_CORRUPT', `tiles of level 0 lack some of the leaves ${from} to ${to}`)
  }
  return hashes
}
