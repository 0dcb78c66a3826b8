import type { V1Trees } from '@touchmark/app-log'
import type { Clock } from '@touchmark/clock'
import type { Signer } from '@touchmark/crypto'
import type { KeyStore } from '@touchmark/keys'
import { isGivenUpAndAbsent, openLog, type Log, type OpenLogOptions } from '@touchmark/ledger'
import type { Database } from '@touchmark/postgres'
import type { Logger } from '@touchmark/service'
import { certificateLogGenesis } from '../compose/certificate-log.js'
import type { WatchedLog } from '../compose/watch.js'
import type { InstanceRow } from '../instance/instance-row.js'
import type { Material } from '../instance/material.js'
import { insertShard, readShards, type ShardRow } from './shard-rows.js'
import { Shards } from './shards.js'
import { FIRST_V1_KEY, settleFirstV1Tree, v1TreesOf } from './v1-trees.js'

/** The key of the first shard; later ones are `signature-log-2` and so on. */
export const FIRST_KEY = 'signature-log'

/** Every tree of the instance, opened. */
export interface Trees {
  /** All shards of the signature logs. */
  readonly shards: Shards
  /** Those of them that API v1 serves. */
  readonly v1: V1Trees
  readonly certificate: Log
  /** What is open at this moment. */
  all(): readonly Log[]
  close(): Promise<void>
}

export interface OpenTreesOptions {
  readonly db: Database
  readonly material: Material
  /** Where the keys of later shards are. */
  readonly store: KeyStore
  readonly row: InstanceRow
  readonly clock: Clock
  readonly logger: Logger
  /** What every tree is opened with besides. */
  readonly common?: Pick<OpenLogOptions, 'observe' | 'guard'>
}

/** Opens the trees, and makes those that a new instance begins with. Throws what opening a tree throws. */
export async function openTrees(options: OpenTreesOptions): Promise<Trees> {
  const { db, material, row, clock, common = {} } = options
  const { caIntermediate, caRoot, signers } = material
  await settleFirstShard({ db, row, clock, signer: signers[FIRST_KEY], common })
  await settleFirstV1Tree({ db, row, clock, signer: signers[FIRST_V1_KEY], common })
  const certificate = await openLog({
    ...common,
    db,
    kind: 'certificate',
    origin: `${new URL(row.publicUrl).hostname}/ct`,
    signer: signers['certificate-log'],
    clock,
    genesis: certificateLogGenesis(caIntermediate.der, caRoot.der, row.createdAt),
  })
  const signerOf = new WeakMap<Log, Signer>()
  const shards = await openShards(options, signerOf).catch(async (error: unknown) => {
    await certificate.close()
    throw error
  })
  return {
    shards,
    v1: v1TreesOf(shards, (log) => signerOf.get(log)!),
    certificate,
    all: () => [...shards.served.map(({ log }) => log), certificate],
    close: async () => {
      await Promise.all([shards.close(), certificate.close()])
    },
  }
}

function openShards(
  { db, material, store, clock, logger, common = {} }: OpenTreesOptions,
  signerOf: WeakMap<Log, Signer>,
): Promise<Shards> {
  const made: Readonly<Record<string, Signer>> = material.signers
  return Shards.open({
    read: () => readShards(db),
    open: async ({ kind, origin, keyName }) => {
      const signer = made[keyName] ?? (await store.open(keyName))
      const log = await openLog({ ...common, db, kind, origin, clock, signer })
      signerOf.set(log, signer)
      return log
    },
    report: (error, origin) =>
      origin === undefined
        ? logger.debug({ err: error }, 'the shards could not be read')
        : logger.error({ err: error, origin }, 'a shard cannot be served'),
  })
}

/** Makes the tree of the public URL where there is none, and the row that names it as the first shard. Many processes may do so at once. */
export async function settleFirstShard(options: {
  db: Database
  row: InstanceRow
  signer: Signer
  clock: Clock
  common?: OpenTreesOptions['common']
  /** The caller begins another shard: a first one that was given up and is not there is not missed. */
  followed?: boolean
}): Promise<void> {
  const { db, row, signer, clock, common = {}, followed = false } = options
  const origin = new URL(row.publicUrl).hostname
  const shards: readonly ShardRow[] = await readShards(db)
  if (shards.some((shard) => shard.origin === origin)) return
  // A later one never begins before the first is there, or was given up: then it must not be begun again, guard or no guard.
  if (shards.some(({ kind, activeFrom }) => kind === 'signature-v2' && activeFrom !== undefined)) return
  if (followed && (await isGivenUpAndAbsent(db, common.guard, origin))) return
  const log = await openLog({ ...common, db, kind: 'signature-v2', origin, signer, clock })
  await log.close()
  const { publicUrl, createdAt } = row
  await insertShard(db, {
    origin,
    publicUrl,
    keyName: FIRST_KEY,
    treeId: undefined,
    createdAt,
    activeFrom: createdAt,
  })
}

/** The trees as health and metrics see them. */
export function watchedLogs(trees: Trees): WatchedLog[] {
  return [
    ...trees.shards.served.map(({ row, log }): WatchedLog => {
      return { label: row.kind === 'signature-v1' ? 'signature-v1' : 'signature', log }
    }),
    { label: 'certificate', log: trees.certificate },
  ]
}
