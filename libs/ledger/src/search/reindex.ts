import type { Database } from '@touchmark/postgres'
import { SEARCH_KEYS_VERSION } from '@touchmark/entry'
import { indexStep } from './index-step.js'
import { readSearchedTrees } from './search-sql.js'

const BUSY_PAUSE_MS = 200

export interface ReindexProgress {
  readonly origin: string
  readonly phase: 'clearing' | 'indexing'
  readonly indexedSize: bigint
  readonly size: bigint
}

export interface ReindexedTree {
  readonly origin: string
  readonly size: bigint
  /** Entries that could not be read in full. */
  readonly unread: bigint
}

/**
 * Throws the search index of every signature log in the database away and makes it again. A server that runs meanwhile may do part of the work; while it
 * lasts, searches say how far they are complete. It can be stopped at any moment, and called again. Resolves when every tree is indexed as far as it was at the end.
 */
export async function reindex(
  db: Database,
  options: { progress?: (progress: ReindexProgress) => void } = {},
): Promise<ReindexedTree[]> {
  const rows = await db.query<{ origin: string }>(`select origin from logs where kind <> 'certificate' order by id`)
  const done: ReindexedTree[] = []
  for (const { origin } of rows) {
    await forget(db, origin)
    done.push(await rebuild(db, origin, options.progress))
  }
  return done
}

async function forget(db: Database, origin: string): Promise<void> {
  await db.query(
    `update log_search_progress set extractor = 0, indexed_size = 0, unread = 0
     where log_id = (select id from logs where origin = $1)`,
    [origin],
  )
}

async function rebuild(
  db: Database,
  origin: string,
  report: ((progress: ReindexProgress) => void) | undefined,
): Promise<ReindexedTree> {
  for (;;) {
    const outcome = await indexStep(db, origin)
    const [tree] = await db.withClient((client) => readSearchedTrees(client, [origin]))
    if (tree === undefined) return { origin, size: 0n, unread: 0n }
    const { size, indexedSize, extractor, unread } = tree
    report?.({ origin, phase: extractor < SEARCH_KEYS_VERSION ? 'clearing' : 'indexing', indexedSize, size })
    if (outcome === 'current' || outcome === 'newer' || outcome === 'absent')
      return { origin, size: indexedSize, unread }
    if (outcome === 'busy') await new Promise((resolve) => setTimeout(resolve, BUSY_PAUSE_MS))
  }
}
