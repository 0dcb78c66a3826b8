import { SearchFollower, SearchIndex, type LedgerObserver, type Log } from '@touchmark/ledger'
import type { Database } from '@touchmark/postgres'
import { gauge, type Logger, type Registry } from '@touchmark/service'

/** The search index of an instance: asked by the routes, and followed by this process when it is the one that does. */
export interface Search {
  readonly index: SearchIndex
  /** Wakes the follower with each append of this process; those of others are found by its poll. */
  readonly observe: LedgerObserver
  /** Begins to follow these trees. */
  start(trees: () => readonly Log[]): void
  /** Ends after the transaction that runs. */
  stop(): Promise<void>
}

/** Search needs the trees to be open, and opening them needs its observer: it is made before them and started after. */
export function createSearch(parts: { db: Database; registry: Registry; logger: Logger; follows: boolean }): Search {
  const { db, registry, logger, follows } = parts
  let open: () => readonly Log[] = () => []
  const trees = (): readonly Log[] => open()
  const follower = new SearchFollower({
    db,
    trees,
    failed: (error) => logger.warn({ err: error }, 'the search index could not be brought up to date'),
  })
  gauge(
    registry,
    'touchmark_search_lag_entries',
    'Entries of the signature logs that are not in the search index yet.',
    () => Number(follower.status.lag),
  )
  gauge(
    registry,
    'touchmark_search_unread_entries',
    'Entries in the search index that could not be read in full.',
    () => Number(follower.status.unread),
  )
  return {
    index: new SearchIndex({ db, trees }),
    observe: {
      batch: ({ added }) => {
        if (follows && added > 0) follower.wake()
      },
    },
    start(of) {
      open = of
      if (follows) follower.start()
    },
    stop: () => follower.stop(),
  }
}
