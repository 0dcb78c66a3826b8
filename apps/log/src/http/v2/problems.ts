import type { Response } from 'express'
import type { EntryErrorCode } from '@touchmark/entry'
import { CodedError, isCodedError } from '@touchmark/errors'
import type { LedgerErrorCode } from '@touchmark/ledger'
import { requestId, type ServiceErrorCode } from '@touchmark/service'
import type { LogApiErrorCode } from '../../errors.js'
import { GRPC, sendFrozen, sendStatus } from '../gateway-status.js'

interface Problem {
  readonly http: number
  readonly grpc: number
  /** Fixed text; without one the error's own is sent, which is written for clients. */
  readonly message?: string
}

type Code = EntryErrorCode | LedgerErrorCode | ServiceErrorCode | LogApiErrorCode

const invalid = (message?: string): Problem => ({
  http: 400,
  grpc: GRPC.invalidArgument,
  ...(message === undefined ? {} : { message }),
})
const unavailable = (message: string): Problem => ({ http: 503, grpc: GRPC.unavailable, message })
const tooLarge = invalid('entry is too large')

/** The one table from codes to answers of API v2 (log-v2.md §6). What is not in it is a 500 without detail. */
const PROBLEMS: Readonly<Partial<Record<Code, Problem>>> = {
  ENTRY_JSON_INVALID: invalid(),
  ENTRY_KIND_MISSING: invalid('invalid type, must be hashedrekord'),
  ENTRY_HASHEDREKORD_INVALID: invalid('invalid hashedrekord request'),
  ENTRY_DSSE_INVALID: invalid('invalid dsse request'),
  // The reference answers 500; the client can do something about it, so it is told (docs/spec-divergences.md).
  ENTRY_TOO_LARGE: tooLarge,
  LEDGER_ENTRY_TOO_LARGE: tooLarge,
  SERVICE_BODY_TOO_LARGE: invalid('http: request body too large'),
  SERVICE_BODY_ABORTED: { http: 499, grpc: GRPC.cancelled, message: 'context canceled' },
  SERVICE_BODY_TIMEOUT: { http: 408, grpc: GRPC.deadlineExceeded, message: 'the request did not arrive in time' },
  SERVICE_BODY_BUSY: unavailable('too many large requests are on their way; retry'),
  LEDGER_CANCELLED: { http: 499, grpc: GRPC.cancelled, message: 'context canceled' },
  LEDGER_ENTRY_REFUSED: { http: 500, grpc: GRPC.unknown, message: 'failed to integrate entry' },
  LEDGER_PUSHBACK: unavailable('reached max pushback; retry'),
  LEDGER_CLOSED: unavailable('the log is shutting down; retry'),
  LOG_VALIDATION_FAILED: unavailable('the log cannot take entries at this moment; retry'),
  LEDGER_UNAVAILABLE: unavailable('the log cannot store entries at this moment; retry'),
  LEDGER_SIGNER_FAILED: unavailable('the log cannot sign at this moment; retry'),
  // A repeated request is answered with the entry if it was stored, so a retry is always right.
  LEDGER_STATE_UNKNOWN: unavailable('it is not known whether the entry was stored; retry'),
  LOG_TILE_NOT_FOUND: { http: 404, grpc: GRPC.notFound, message: 'Not Found' },
  LOG_TILE_LEVEL_INVALID: invalid(),
  LOG_DEADLINE: { http: 504, grpc: GRPC.deadlineExceeded, message: 'context deadline exceeded' },
  LOG_DEADLINE_INVALID: invalid(),
}

const UNKNOWN: Problem = { http: 500, grpc: GRPC.internal, message: 'internal server error' }

/** A client that has nothing better to go by tries again after this long. */
const RETRY_AFTER_SECONDS = 1

function problemOf(error: unknown): Problem {
  const code = isCodedError(error) ? error.code : ''
  return Object.hasOwn(PROBLEMS, code) ? PROBLEMS[code as Code]! : UNKNOWN
}

/** Said under load, or for ever: a line in the log for each would help nobody. */
const NOT_OURS: readonly string[] = ['LEDGER_PUSHBACK', 'LEDGER_FROZEN', 'SERVICE_BODY_BUSY'] satisfies Code[]

/** True when the fault is ours and its cause belongs in the log. */
export function isOurFault(error: unknown): boolean {
  if (isCodedError(error) && NOT_OURS.includes(error.code)) return false
  return problemOf(error).http >= 500 && problemOf(error).http !== 504
}

/** True when the request is refused for what it is, so that it would be again; not when it came at a bad moment. */
export function isRefusal(error: unknown): boolean {
  return !isOurFault(error) && problemOf(error).http !== 503 && problemOf(error).http !== 504
}

/** Answers with the problem of an error. */
export function sendError(response: Response, error: unknown): void {
  if (isCodedError(error) && error.code === 'LEDGER_FROZEN') return sendFrozen(response)
  const { http, grpc, message } = problemOf(error)
  if (http === 503) {
    const seconds = error instanceof CodedError ? error.details.retryAfterSeconds : undefined
    response.setHeader('Retry-After', String(seconds ?? RETRY_AFTER_SECONDS))
  }
  if (http === 500) response.setHeader('X-Request-Id', requestId(response))
  sendStatus(response, http, grpc, message ?? (error as Error).message)
}
