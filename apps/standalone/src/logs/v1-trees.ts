import { treeIdOf, v1Genesis, v1Origin, type V1Tree, type V1Trees } from '@touchmark/app-log'
import type { Clock } from '@touchmark/clock'
import type { Signer } from '@touchmark/crypto'
import { nodeCrypto } from '@touchmark/crypto/node'
import { openLog, type Log, type OpenLogOptions } from '@touchmark/ledger'
import type { Database } from '@touchmark/postgres'
import { logIdOf } from '@touchmark/tlog'
import type { InstanceRow } from '../instance/instance-row.js'
import { insertShard, readShards, type ShardRow } from './shard-rows.js'
import type { Shards } from './shards.js'

/** The key of the first tree of API v1. */
export const FIRST_V1_KEY = 'signature-log-v1'

/** The origin of a tree of API v1 with this key: the tree's id is made from the key. */
export function v1OriginOf(hostName: string, signer: Signer): { origin: string; treeId: bigint } {
  const sha256 = (bytes: Uint8Array): Uint8Array => nodeCrypto.hash('SHA2_256', bytes)
  // Any origin of this form gives the same log id: it is the hash of the key alone.
  const treeId = treeIdOf(logIdOf(signer.publicKey, v1Origin(hostName, 1n), sha256))
  return { origin: v1Origin(hostName, treeId), treeId }
}

/**
 * Makes the first tree of API v1 where there is none, also for an instance that is older than this API. Many processes may do so at once:
 * one key gives one origin.
 */
export async function settleFirstV1Tree(options: {
  db: Database
  row: InstanceRow
  signer: Signer
  clock: Clock
  common: Pick<OpenLogOptions, 'observe' | 'guard'>
}): Promise<void> {
  const { db, row, signer, clock, common } = options
  const began = (shard: ShardRow): boolean => shard.kind === 'signature-v1' && shard.activeFrom !== undefined
  if ((await readShards(db)).some(began)) return
  const { origin, treeId } = v1OriginOf(new URL(row.publicUrl).hostname, signer)
  const now = clock.now()
  const genesis = await v1Genesis(signer, now, nodeCrypto)
  const log = await openLog({ ...common, db, kind: 'signature-v1', origin, signer, clock, genesis })
  await log.close()
  const { publicUrl } = row
  await insertShard(db, { origin, publicUrl, keyName: FIRST_V1_KEY, treeId, createdAt: now, activeFrom: now })
}

/** The shards that API v1 serves; `signerOf` has the key that a shard was opened with. */
export function v1TreesOf(shards: Shards, signerOf: (log: Log) => Signer): V1Trees {
  let generation: number | undefined
  let made: readonly V1Tree[] = []
  return {
    refresh: () => shards.refresh(),
    trees() {
      if (generation === shards.generation) return made
      generation = shards.generation
      made = shards.served.flatMap(({ row: { kind, treeId, activeFrom }, log }): V1Tree[] => {
        if (kind !== 'signature-v1' || treeId === undefined || activeFrom === undefined) return []
        const signer = signerOf(log)
        // Every answer has a timestamp of its own, and its receiver checks it.
        return [{ treeId, log, signEntry: (message) => signer.signUnchecked?.(message) ?? signer.sign(message) }]
      })
      return made
    },
  }
}
