import type { Clock } from '@touchmark/clock'
import type { Signer } from '@touchmark/crypto'
import { openLog } from '@touchmark/ledger'
import type { Database } from '@touchmark/postgres'
import { openGuard } from '../compose/open-guard.js'
import { readConfig } from '../config/options.js'
import type { ShardRow } from '../logs/shard-rows.js'
import type { MaintenanceOptions } from './open-maintenance.js'

/**
 * Opens a tree as a server does before it is ended: a database that went back in time must not be the one whose last head is signed.
 * Throws what openLog() throws, LEDGER_ROLLED_BACK above all.
 */
export async function assertNewest(
  options: MaintenanceOptions,
  tree: { db: Database; shard: ShardRow; signer: Signer; clock: Clock },
): Promise<void> {
  const { db, shard, signer, clock } = tree
  const guard = openGuard(readConfig(options, process.env))
  try {
    const log = await openLog({ db, kind: shard.kind, origin: shard.origin, signer, clock, guard })
    await log.close()
  } finally {
    await guard.close()
  }
}
