import { assembleProof, planConsistency, verifyConsistency } from '@touchmark/merkle'
import { placeOfNode } from '@touchmark/tlog'
import type pg from 'pg'
import { nodeSource } from '../append/growth.js'
import { TileNodes } from '../append/tile-nodes.js'
import { LedgerError } from '../errors.js'
import { sha256 } from '../sha256.js'
import { readTiles } from '../store/read-tree.js'

/** A tree of which no more is known than this. */
export interface SizeAndRoot {
  readonly size: bigint
  readonly root: Uint8Array
}

/** Proves from the stored tiles that the second tree extends the first. Throws LEDGER_CORRUPT. */
export async function proveConsistent(
  client: pg.ClientBase,
  logId: bigint,
  first: SizeAndRoot,
  second: SizeAndRoot,
): Promise<void> {
  const plan = planConsistency(first.size, second.size)
  const wanted = new Map(
    plan.flat().map((id) => [`${placeOfNode(id).level}/${placeOfNode(id).index}`, placeOfNode(id)]),
  )
  const stored = await readTiles(client, logId, [...wanted.values()])
  try {
    const tiles = stored.map((tile) => TileNodes.fromHashes(tile.level, tile.index, tile.hashes))
    verifyConsistency({
      firstSize: first.size,
      firstRoot: first.root,
      secondSize: second.size,
      secondRoot: second.root,
      proof: assembleProof(plan, nodeSource(tiles), sha256),
      sha256,
    })
  } catch (cause) {
    throw new LedgerError(
      'LEDGER_CORRUPT',
      `the tree of ${second.size} entries does not extend the one of ${first.size}`,
      { cause },
    )
  }
}
