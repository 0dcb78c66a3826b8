import { v1Genesis } from '@touchmark/app-log'
import type { Clock } from '@touchmark/clock'
import { nodeCrypto } from '@touchmark/crypto/node'
import { freezeLog, isGivenUpAndAbsent, openLog, type HeadGuard } from '@touchmark/ledger'
import { StandaloneError } from '../errors.js'
import { alone } from '../instance/instance-row.js'
import { activateShard, insertShard, readShards, type ShardRow } from '../logs/shard-rows.js'
import { FIRST_V1_KEY, v1OriginOf } from '../logs/v1-trees.js'
import { assertNewest } from './assert-newest.js'
import { readSummaries, type ShardSummary } from './list-shards.js'
import { openMaintenance, type Maintenance, type MaintenanceOptions } from './open-maintenance.js'
import { guarded, newKey, nextStart, type RolloverOptions } from './rollover.js'

export interface RolloverV1Options extends MaintenanceOptions, Pick<RolloverOptions, 'guard'> {
  /** Makes the tree and publishes its key, and leaves it to a second call to begin with it. */
  readonly prepare?: boolean
}

/**
 * Begins a tree of API v1, with a key of its own, at the address of the old one. The old tree is frozen and the new one takes entries in one transaction, so that indexes over all trees go on
 * without a gap (log-v1.md §12); an entry that meets the frozen tree is appended to the new one. Where the first tree was given up and is not in the database, the new one is the first.
 * Throws STANDALONE_SHARD_EXISTS for a second tree that is prepared, STANDALONE_SHARD_UNKNOWN before API v1 was ever served, and what database, keys and guard throw.
 */
export async function rolloverV1(options: RolloverV1Options, clock: Clock): Promise<ShardSummary> {
  const maintenance = await openMaintenance(options, { keys: true })
  try {
    return await guarded(options, (guard) => alone(maintenance.db, () => beginTree(maintenance, guard, options, clock)))
  } finally {
    await maintenance.close()
  }
}

async function beginTree(
  maintenance: Maintenance,
  guard: HeadGuard,
  options: RolloverV1Options,
  clock: Clock,
): Promise<ShardSummary> {
  const { db, row, store } = maintenance
  const { prepare = false } = options
  const shards = (await readShards(db)).filter(({ kind }) => kind === 'signature-v1')
  const old = shards.filter(({ activeFrom }) => activeFrom !== undefined).at(-1)
  if (old === undefined) await assertFirstGivenUp(maintenance, guard, prepare)
  const prepared = shards.find(({ activeFrom, state }) => activeFrom === undefined && state === 'active')
  if (prepared !== undefined && prepare) {
    throw new StandaloneError('STANDALONE_SHARD_EXISTS', `the tree ${prepared.origin} is prepared already`, {
      hint: 'Begin with it: touchmark log rollover --v1, without --prepare.',
    })
  }
  const origin = prepared?.origin ?? (await makeTree(maintenance, guard, clock))
  if (old === undefined) await activateShard(db, origin, nextStart(await readShards(db), clock))
  else if (!prepare) {
    const signer = await store!.open(old.keyName)
    // One that lost entries and was given up is frozen already.
    if (old.state === 'active') await assertNewest(options, { db, shard: old, signer, clock })
    const from = nextStart(await readShards(db), clock)
    await db.transaction(
      async (tx) => {
        await freezeLog(tx.client, { origin: old.origin, signer, clock })
        await activateShard(tx, origin, from)
      },
      { statementTimeoutMs: 10_000 },
    )
  }
  return (await readSummaries(db, row)).find((shard) => shard.origin === origin)!
}

/** Without a tree that takes entries one may only be begun in the place of a first one that was given up. Throws STANDALONE_SHARD_UNKNOWN. */
async function assertFirstGivenUp({ db, row, store }: Maintenance, guard: HeadGuard, prepare: boolean): Promise<void> {
  const first = store!.has(FIRST_V1_KEY)
    ? v1OriginOf(new URL(row.publicUrl).hostname, await store!.open(FIRST_V1_KEY)).origin
    : undefined
  const isGivenUp = first !== undefined && (await isGivenUpAndAbsent(db, guard, first))
  if (isGivenUp && !prepare) return
  throw new StandaloneError('STANDALONE_SHARD_UNKNOWN', 'API v1 has no tree yet', {
    hint: isGivenUp ? 'Begin with one at once: without --prepare.' : 'Start `touchmark up` of this release once.',
  })
}

async function makeTree({ db, row, store }: Maintenance, guard: HeadGuard, clock: Clock): Promise<string> {
  const host = new URL(row.publicUrl).hostname
  const all: readonly ShardRow[] = await readShards(db)
  const { keyName, signer } = await newKey(
    { db, guard, keys: store! },
    FIRST_V1_KEY,
    all,
    (key) => v1OriginOf(host, key).origin,
  )
  const { origin, treeId } = v1OriginOf(host, signer)
  const createdAt = clock.now()
  const genesis = await v1Genesis(signer, createdAt, nodeCrypto)
  const log = await openLog({ db, kind: 'signature-v1', origin, signer, clock, genesis, guard })
  await log.close()
  await insertShard(db, { origin, publicUrl: row.publicUrl, keyName, treeId, createdAt, activeFrom: undefined })
  return origin
}
