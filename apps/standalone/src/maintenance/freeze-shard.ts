import type { Clock } from '@touchmark/clock'
import { freezeLog } from '@touchmark/ledger'
import { StandaloneError } from '../errors.js'
import { alone } from '../instance/instance-row.js'
import { readShards, type ShardRow } from '../logs/shard-rows.js'
import { assertNewest } from './assert-newest.js'
import { readSummaries, type ShardSummary } from './list-shards.js'
import { openMaintenance, type MaintenanceOptions } from './open-maintenance.js'

export interface FreezeShardOptions extends MaintenanceOptions {
  readonly origin: string
}

/**
 * Ends a shard of the API v2 log: it takes no more entries, in any process, and is read and proven for ever. One that is frozen stays as it is.
 * Throws STANDALONE_SHARD_UNKNOWN, STANDALONE_SHARD_NEEDED for the one that clients write to, and what opening the tree throws.
 */
export async function freezeShard(options: FreezeShardOptions, clock: Clock): Promise<ShardSummary> {
  const { db, row, store, close } = await openMaintenance(options, { keys: true })
  try {
    return await alone(db, async () => {
      const shard = assertFreezable(await readShards(db), options.origin)
      const signer = await store!.open(shard.keyName)
      if (shard.state === 'active') await assertNewest(options, { db, shard, signer, clock })
      await db.transaction(({ client }) => freezeLog(client, { origin: shard.origin, signer, clock }), {
        statementTimeoutMs: 10_000,
      })
      return (await readSummaries(db, row)).find(({ origin }) => origin === shard.origin)!
    })
  } finally {
    await close()
  }
}

/** The shard with this origin, if it may be frozen. */
export function assertFreezable(shards: readonly ShardRow[], origin: string): ShardRow {
  const shard = shards.find((one) => one.origin === origin)
  if (shard === undefined) {
    throw new StandaloneError('STANDALONE_SHARD_UNKNOWN', `no shard has the origin ${origin.slice(0, 300)}`, {
      expected: shards.map((one) => one.origin).join(', '),
      hint: 'See `touchmark log shards`. The certificate log has no shards and cannot be frozen.',
    })
  }
  const last = shards.filter((one) => one.kind === shard.kind && one.activeFrom !== undefined).at(-1)
  if (shard.kind === 'signature-v1' || last === shard) {
    throw new StandaloneError('STANDALONE_SHARD_NEEDED', `${origin} is the shard that clients write to`, {
      hint:
        shard.kind === 'signature-v1'
          ? 'The older tree of API v1 is frozen when a new one begins: touchmark log rollover --v1.'
          : 'Begin a new shard first: touchmark log rollover --public-url URL. Then freeze this one.',
    })
  }
  return shard
}
