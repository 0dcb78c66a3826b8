import type { Hasher } from '@touchmark/audit'
import { checkStored, storedTrees, type CheckStoredOptions, type StoredReport } from '@touchmark/ledger'
import { StandaloneError } from '../errors.js'
import { openMaintenance, type MaintenanceOptions } from './open-maintenance.js'

export type FsckDatabaseOptions = MaintenanceOptions

/** What is told of the check of one tree. */
export interface TreeCheck extends Required<Pick<CheckStoredOptions, 'resume' | 'onProgress'>> {
  done(report: StoredReport): void
}

export interface FsckDatabaseWork {
  readonly hasher: Hasher
  /** The origin of the one tree to check; else every tree. */
  readonly log?: string
  begin(origin: string): TreeCheck
}

/** Checks the trees of an instance as they are stored, with its own keys; a server may run meanwhile. Throws STANDALONE_SHARD_UNKNOWN, and what opening throws. */
export async function fsckDatabase(options: FsckDatabaseOptions, work: FsckDatabaseWork): Promise<void> {
  const { db, store, close } = await openMaintenance(options, { keys: true })
  try {
    const signers = await Promise.all(store!.names().map((name) => store!.open(name)))
    const keys = signers.map(({ publicKey }) => publicKey)
    const trees = await storedTrees(db)
    const wanted = trees.filter(({ origin }) => work.log === undefined || origin === work.log)
    if (wanted.length === 0) {
      throw new StandaloneError('STANDALONE_SHARD_UNKNOWN', `the database holds no log ${work.log ?? 'at all'}`, {
        hint: `It holds: ${trees.map(({ origin }) => origin).join(', ') || 'nothing'}`,
      })
    }
    for (const { origin } of wanted) {
      const { resume, onProgress, done } = work.begin(origin)
      done(await checkStored({ db, origin, keys, hasher: work.hasher, resume, onProgress }))
    }
  } finally {
    await close()
  }
}
