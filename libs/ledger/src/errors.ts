import { CodedError } from '@touchmark/errors'

export type LedgerErrorCode =
  // Refusals of one caller
  | 'LEDGER_ENTRY_INVALID'
  | 'LEDGER_ENTRY_TOO_LARGE'
  | 'LEDGER_ENTRY_REFUSED'
  | 'LEDGER_PUSHBACK'
  | 'LEDGER_CANCELLED'
  | 'LEDGER_FROZEN'
  | 'LEDGER_CLOSED'
  | 'LEDGER_RANGE_INVALID'
  | 'LEDGER_SEARCH_INVALID'
  | 'LEDGER_SEARCH_BUSY'
  // The batch was not stored; trying again is right
  | 'LEDGER_UNAVAILABLE'
  | 'LEDGER_SIGNER_FAILED'
  // Nobody knows yet whether the batch was stored
  | 'LEDGER_STATE_UNKNOWN'
  // What is stored is not what was signed: the log stops
  | 'LEDGER_CORRUPT'
  | 'LEDGER_ROLLED_BACK'
  // Refusals at start
  | 'LEDGER_KEY_MISMATCH'
  | 'LEDGER_KEY_UNSUPPORTED'
  | 'LEDGER_KIND_MISMATCH'
  | 'LEDGER_GENESIS_MISSING'
  | 'LEDGER_GUARD_FOREIGN'
  | 'LEDGER_GUARD_DAMAGED'
  | 'LEDGER_GUARD_UNAVAILABLE'
  | 'LEDGER_GIVEN_UP'
  // Refusals of `touchmark log recover`
  | 'LEDGER_RECOVERY_REFUSED'

export class LedgerError extends CodedError<LedgerErrorCode> {}

const FATAL: readonly LedgerErrorCode[] = ['LEDGER_CORRUPT', 'LEDGER_ROLLED_BACK', 'LEDGER_KEY_MISMATCH']

/** True for a state that going on would make worse: the log takes no more entries, and the process should stop and be looked at. */
export function isFatal(error: unknown): error is LedgerError {
  return error instanceof LedgerError && FATAL.includes(error.code)
}
