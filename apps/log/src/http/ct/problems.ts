import { CodedError, isCodedError } from '@touchmark/errors'
import type { LedgerErrorCode } from '@touchmark/ledger'
import { requestId, sendProblem } from '@touchmark/service'
import type { Response } from 'express'
import type { LogApiErrorCode } from '../../errors.js'

type Code = LedgerErrorCode | LogApiErrorCode

interface Problem {
  readonly http: number
  /** Fixed text; without one the error's own is sent, which is written for clients. */
  readonly message?: string
}

/** The one table from codes to answers of the certificate log (RFC 6962 §4 leaves bodies open: RFC 9457 problems). The rest is a 500 without detail. */
const PROBLEMS: Readonly<Partial<Record<Code, Problem>>> = {
  LOG_PARAMETER_INVALID: { http: 400 },
  LOG_TILE_LEVEL_INVALID: { http: 404, message: 'There is no such tile.' },
  LOG_TILE_NOT_FOUND: { http: 404, message: 'There is no such tile.' },
  LOG_ENTRY_NOT_FOUND: { http: 404, message: 'The tree of this size has no such entry.' },
  LEDGER_RANGE_INVALID: { http: 400, message: 'The tree is not as large, or the numbers are in the wrong order.' },
  LEDGER_UNAVAILABLE: { http: 503, message: 'The log cannot be read at this moment; try again.' },
  LEDGER_CLOSED: { http: 503, message: 'The log is shutting down; try again.' },
}

const UNKNOWN: Problem = { http: 500, message: 'Something went wrong here; the request id finds it in the log.' }

function problemOf(error: unknown): Problem {
  const code = isCodedError(error) ? error.code : ''
  return Object.hasOwn(PROBLEMS, code) ? PROBLEMS[code as Code]! : UNKNOWN
}

/** True when the fault is ours and its cause belongs in the log. */
export function isOurFault(error: unknown): boolean {
  return problemOf(error).http >= 500
}

/** Answers with the problem of an error. */
export function sendCtError(response: Response, error: unknown): void {
  const { http, message } = problemOf(error)
  const known = http !== 500 && error instanceof CodedError
  if (http === 503) response.setHeader('Retry-After', '1')
  if (http === 500) response.setHeader('X-Request-Id', requestId(response))
  sendProblem(response, http, known ? error.code : 'INTERNAL', message ?? (error as Error).message)
}
