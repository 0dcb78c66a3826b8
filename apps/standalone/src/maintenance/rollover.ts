import { createHash } from 'node:crypto'
import type { Clock } from '@touchmark/clock'
import type { Signer } from '@touchmark/crypto'
import type { KeyStore } from '@touchmark/keys'
import { assertNeverSeen, hasSignedAbsentTree, openLog, type HeadGuard } from '@touchmark/ledger'
import type { Database } from '@touchmark/postgres'
import { openGuard } from '../compose/open-guard.js'
import { checkPublicUrl, readConfig } from '../config/options.js'
import { StandaloneError } from '../errors.js'
import { alone } from '../instance/instance-row.js'
import { KEYS } from '../instance/key-names.js'
import { FIRST_KEY, settleFirstShard } from '../logs/open-trees.js'
import { activateShard, insertShard, isKeyOfAnother, readShards, type ShardRow } from '../logs/shard-rows.js'
import { readSummaries, type ShardSummary } from './list-shards.js'
import { openMaintenance, type Maintenance, type MaintenanceOptions } from './open-maintenance.js'

export interface RolloverOptions extends MaintenanceOptions {
  /** Where the rollback guard is, as for `touchmark up`. */
  readonly guard?: readonly string[]
  /** Of the new shard: its host name becomes the origin. */
  readonly publicUrl: string
  /** Makes the shard and publishes its key, and leaves it to a second call to begin with it. */
  readonly prepare?: boolean
}

/**
 * Begins a shard of the API v2 log: a key, a tree and the row that running servers follow. The older shards take entries until they are frozen, so no writer is refused.
 * Cut short and called again with the same URL, it goes on where it was. Throws STANDALONE_SHARD_EXISTS, STANDALONE_CONFIG, LEDGER_ROLLED_BACK for a tree that the rollback guard
 * has seen and the database does not have, and what database, keys and guard throw.
 */
export async function rollover(options: RolloverOptions, clock: Clock): Promise<ShardSummary> {
  const publicUrl = checkPublicUrl(options.publicUrl)
  const maintenance = await openMaintenance(options, { keys: true })
  try {
    return await guarded(options, (guard) =>
      alone(maintenance.db, () => beginShard(maintenance, guard, publicUrl, options.prepare === true, clock)),
    )
  } finally {
    await maintenance.close()
  }
}

/** Runs `work` with the rollback guard of the instance, which is read before a tree is begun. */
export async function guarded<T>(
  options: MaintenanceOptions & Pick<RolloverOptions, 'guard'>,
  work: (guard: HeadGuard) => Promise<T>,
): Promise<T> {
  const guard = openGuard(readConfig(options, process.env))
  try {
    return await work(guard)
  } finally {
    await guard.close()
  }
}

async function beginShard(
  { db, row, store }: Maintenance,
  guard: HeadGuard,
  publicUrl: string,
  prepare: boolean,
  clock: Clock,
): Promise<ShardSummary> {
  const keys = store!
  await settleFirstShard({ db, row, signer: await keys.open(FIRST_KEY), clock, common: { guard }, followed: true })
  const origin = new URL(publicUrl).hostname
  const shards = await readShards(db)
  const there = shards.find((shard) => shard.origin === origin)
  if (there !== undefined) assertPrepared(there, publicUrl, prepare)
  else {
    await assertNeverSeen(db, guard, origin)
    const { keyName, signer } = await newKey({ db, guard, keys }, FIRST_KEY, shards, () => origin)
    const log = await openLog({ db, kind: 'signature-v2', origin, signer, clock, guard })
    await log.close()
    // The shard exists from here on: servers open it when they see the row.
    const createdAt = clock.now()
    await insertShard(db, { origin, publicUrl, keyName, treeId: undefined, createdAt, activeFrom: undefined })
  }
  if (!prepare) await activateShard(db, origin, nextStart(shards, clock))
  return (await readSummaries(db, row)).find((shard) => shard.origin === origin)!
}

function assertPrepared(there: ShardRow, publicUrl: string, prepare: boolean): void {
  if (there.activeFrom === undefined && there.state === 'active' && there.publicUrl === publicUrl && !prepare) return
  const state = there.activeFrom === undefined ? 'is prepared' : 'has begun'
  throw new StandaloneError('STANDALONE_SHARD_EXISTS', `the shard ${there.origin} ${state} already`, {
    expected: 'a host name that no shard of this log has',
    found: there.publicUrl,
    hint: 'See `touchmark log shards`. A shard keeps its host name for ever; a new one needs another.',
  })
}

/**
 * A key that no tree has, and that the guard has seen sign none that the database lost: of a rollover that was cut short the key is used again for the same origin, never for another.
 */
export async function newKey(
  { db, guard, keys }: { db: Database; guard: HeadGuard; keys: KeyStore },
  prefix: string,
  shards: readonly ShardRow[],
  originOf: (signer: Signer) => string,
): Promise<{ keyName: string; signer: Signer }> {
  const used = new Set(shards.map((shard) => shard.keyName))
  for (let number = 2; ; number++) {
    const keyName = `${prefix}-${number}`
    if (used.has(keyName)) continue
    const signer = await keys.openOrCreate(keyName, KEYS[FIRST_KEY])
    const keySha256 = createHash('sha256').update(signer.publicKey.spki).digest()
    const origin = originOf(signer)
    if (await isKeyOfAnother(db, keySha256, origin)) continue
    if (!(await hasSignedAbsentTree(db, guard, signer.publicKey, [origin]))) return { keyName, signer }
  }
}

/** Now, and later than every shard before: their order is that of their starts, whatever a clock says. */
export function nextStart(shards: readonly ShardRow[], clock: Clock): Date {
  const last = Math.max(0, ...shards.map((shard) => shard.activeFrom?.getTime() ?? 0))
  return new Date(Math.max(clock.now().getTime(), last + 1000))
}
