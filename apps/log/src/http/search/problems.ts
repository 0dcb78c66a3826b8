import type { EntryErrorCode } from '@touchmark/entry'
import { CodedError, isCodedError } from '@touchmark/errors'
import type { LedgerErrorCode } from '@touchmark/ledger'
import { requestId, sendProblem } from '@touchmark/service'
import type { Response } from 'express'
import type { LogApiErrorCode } from '../../errors.js'

interface Problem {
  readonly http: number
  /** Fixed text; without one the error's own is sent, which holds nothing of the client's. */
  readonly message?: string
}

/** The one table from codes to answers of the search route. The rest is a 500 without detail. */
const PROBLEMS: Readonly<Partial<Record<LedgerErrorCode | LogApiErrorCode | EntryErrorCode, Problem>>> = {
  LOG_PARAMETER_INVALID: { http: 400 },
  ENTRY_SEARCH_INVALID: { http: 400 },
  LEDGER_SEARCH_INVALID: { http: 400 },
  LEDGER_SEARCH_BUSY: { http: 503, message: 'Too many searches run at this moment; try again.' },
  LEDGER_UNAVAILABLE: { http: 503, message: 'The log cannot be searched at this moment; try again.' },
  LEDGER_CLOSED: { http: 503, message: 'The log is shutting down; try again.' },
}

const UNKNOWN: Problem = { http: 500, message: 'Something went wrong here; the request id finds it in the log.' }

function problemOf(error: unknown): Problem {
  const code = isCodedError(error) ? error.code : ''
  return Object.hasOwn(PROBLEMS, code) ? PROBLEMS[code as LedgerErrorCode]! : UNKNOWN
}

/** True when the fault is ours and its cause belongs in the log. */
export function isOurFault(error: unknown): boolean {
  // Said under load: a line in the log for each would help nobody.
  if (isCodedError(error) && error.code === 'LEDGER_SEARCH_BUSY') return false
  return problemOf(error).http >= 500
}

/** Answers with the problem of an error (RFC 9457). */
export function sendSearchError(response: Response, error: unknown): void {
  const { http, message } = problemOf(error)
  const known = http !== 500 && error instanceof CodedError
  response.setHeader('Cache-Control', 'no-store')
  if (http === 503) response.setHeader('Retry-After', '2')
  if (http === 500) response.setHeader('X-Request-Id', requestId(response))
  sendProblem(response, http, known ? error.code : 'INTERNAL', message ?? (error as Error).message)
}
