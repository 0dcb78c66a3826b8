import type pg from 'pg'
import { LedgerError } from '../errors.js'

/** The outcome of a COMMIT is not known: it must be read. */
export class CommitUnknown extends Error {}

/** Waits for statements that were sent together; throws the first error when all have ended, so that none is left unheard. */
export async function all<T extends readonly unknown[]>(statements: {
  readonly [K in keyof T]: Promise<T[K]>
}): Promise<T> {
  const settled = await Promise.allSettled(statements as readonly Promise<unknown>[])
  const failed = settled.find((one) => one.status === 'rejected')
  if (failed) throw failed.reason
  return settled.map((one) => (one as PromiseFulfilledResult<unknown>).value) as unknown as T
}

/**
 * Steps 8 and 9: sends the statement and COMMIT together and says what became of them. `meanwhile` runs while the server writes.
 * Resolves when the transaction is committed. Throws CommitUnknown when the answer was lost, LEDGER_STATE_UNKNOWN when a standby
 * has not confirmed; any other error means that nothing was stored.
 */
export async function writeAndCommit(
  client: pg.ClientBase,
  write: Promise<boolean>,
  meanwhile: () => void = () => undefined,
): Promise<void> {
  const warnings: string[] = []
  const onNotice = (notice: { code?: string | undefined; message?: string | undefined }) => {
    if (notice.code?.startsWith('01')) warnings.push(notice.message ?? '')
  }
  client.on('notice', onNotice)
  try {
    const commit = client.query('commit')
    const both = Promise.allSettled([write, commit])
    meanwhile()
    const [written, committed] = await both
    if (committed.status === 'rejected') {
      throw new CommitUnknown('the connection was lost while the batch was committed', { cause: committed.reason })
    }
    // COMMIT after a statement that failed answers ROLLBACK: that is an answer, and the statement says why.
    if (written.status === 'rejected') throw written.reason
    if (committed.value.command !== 'COMMIT' || !written.value) {
      throw new LedgerError('LEDGER_CORRUPT', 'the row of the tree changed under its lock')
    }
    // A wait for a synchronous standby that was cut short: stored here, and perhaps nowhere else. Reading back would find it here and prove nothing.
    if (warnings.length > 0) {
      throw new LedgerError('LEDGER_STATE_UNKNOWN', `the commit was not confirmed: ${warnings.join('; ')}`, {
        retryAfterSeconds: 5,
        hint: 'look at the standby that commits wait for; then send the entry again',
      })
    }
  } finally {
    client.off('notice', onNotice)
  }
}

/**
 * Ends a transaction that holds the row's lock and has nothing to write. COMMIT, not ROLLBACK: the lock is in PostgreSQL's log, so a standby that commits wait for
 * has then confirmed everything before it, an entry whose own commit was cut short included. Throws what {@link writeAndCommit} throws.
 */
export function confirmEarlier(client: pg.ClientBase): Promise<void> {
  return writeAndCommit(client, Promise.resolve(true))
}
