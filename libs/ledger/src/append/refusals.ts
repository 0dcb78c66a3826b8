import { PostgresError } from '@touchmark/postgres'
import { LedgerError } from '../errors.js'
import { CommitUnknown } from './transaction.js'

/** The server refused a value: one entry's, perhaps, and then the others must not suffer. */
const REFUSED_VALUE: readonly string[] = ['POSTGRES_CONSTRAINT', 'POSTGRES_QUERY']

export function isRefusedValue(error: unknown): boolean {
  return error instanceof PostgresError && REFUSED_VALUE.includes(error.code)
}

export function isUnknown(error: unknown): boolean {
  return error instanceof LedgerError && error.code === 'LEDGER_STATE_UNKNOWN'
}

export function frozen(): LedgerError {
  return new LedgerError('LEDGER_FROZEN', 'the log is frozen and takes no more entries')
}

export function notStored(): LedgerError {
  return new LedgerError('LEDGER_UNAVAILABLE', 'the entry was not stored', { retryAfterSeconds: 1 })
}

/** One hash, two bodies: no such pair is known. It must not give one caller the other's entry. */
export function anotherBody(): LedgerError {
  return new LedgerError('LEDGER_ENTRY_REFUSED', 'another entry with the hash of this one is in the log')
}

/** What callers are told: nothing was stored, and why. */
export function asLedgerError(error: unknown): unknown {
  if (!(error instanceof PostgresError)) {
    return error instanceof CommitUnknown
      ? new LedgerError('LEDGER_STATE_UNKNOWN', error.message, { cause: error, retryAfterSeconds: 5 })
      : error
  }
  if (error.code === 'POSTGRES_CORRUPT') {
    return new LedgerError('LEDGER_CORRUPT', 'the database refused to store what contradicts it', { cause: error })
  }
  if (isRefusedValue(error)) {
    const message = 'the database refused the entry; nothing was stored'
    return new LedgerError('LEDGER_ENTRY_REFUSED', message, { cause: error })
  }
  return new LedgerError('LEDGER_UNAVAILABLE', 'the database could not store the entry; nothing was stored', {
    cause: error,
    retryAfterSeconds: 2,
  })
}

/** What callers are told whose entry is in the log and cannot be proven now: never that nothing was stored. */
export function unproven(error: unknown): unknown {
  if (!(error instanceof PostgresError) || error.code === 'POSTGRES_CORRUPT') return asLedgerError(error)
  return new LedgerError('LEDGER_STATE_UNKNOWN', 'the entry is in the log; its proof cannot be read at this moment', {
    cause: error,
    retryAfterSeconds: 2,
    hint: 'send the entry again: the answer is that entry',
  })
}
