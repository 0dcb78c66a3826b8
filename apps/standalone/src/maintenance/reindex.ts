import { reindex, type ReindexedTree, type ReindexProgress } from '@touchmark/ledger'
import { openMaintenance, type MaintenanceOptions } from './open-maintenance.js'

export type { ReindexedTree, ReindexProgress }

/**
 * Makes the search index of the instance anew. A server may run on it: it goes on to append and to answer, and its searches say how far they are complete.
 * Throws what openMaintenance throws, LEDGER_CORRUPT when an entry is missing, and what the database throws; it can be run again after any of them.
 */
export async function reindexSearch(
  options: MaintenanceOptions,
  progress?: (progress: ReindexProgress) => void,
): Promise<ReindexedTree[]> {
  const maintenance = await openMaintenance(options, { keys: false })
  try {
    return await reindex(maintenance.db, progress === undefined ? {} : { progress })
  } finally {
    await maintenance.close()
  }
}
