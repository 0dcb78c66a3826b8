/** What became of a batch. `unchanged`: it held nothing new. */
export type BatchOutcome = 'committed' | 'unchanged' | 'failed' | 'unknown'

/** One batch, told after it ended. Times are in milliseconds. */
export interface BatchReport {
  readonly outcome: BatchOutcome
  readonly entries: number
  /** Entries that got an index of their own. */
  readonly added: number
  readonly bytes: number
  /** From the first entry's arrival to the start of the transaction. */
  readonly gatherMs: number
  /** Until the tree's row was locked and known entries were found. */
  readonly lockMs: number
  readonly signMs: number
  /** Writing and committing. */
  readonly commitMs: number
}

/** Callbacks for metrics. They MUST NOT throw and MUST NOT take long. */
export interface LedgerObserver {
  batch?(report: BatchReport): void
  /** Entries accepted and not yet answered, after each change by a batch. */
  waiting?(entries: number): void
  /** A caller was refused with this code. */
  refused?(code: string): void
  /** The rollback guard knew nothing of a tree of this size: what the database has was believed (trust on first use). */
  guardBegan?(size: bigint): void
  /** The log stopped for good. */
  failed?(error: Error): void
}
