import { ShapeError, type EntryErrorCode } from '@touchmark/entry'
import { isCodedError } from '@touchmark/errors'
import type { LedgerErrorCode } from '@touchmark/ledger'
import type { ServiceErrorCode } from '@touchmark/service'
import type { Response } from 'express'
import type { LogApiErrorCode } from '../../errors.js'
import { errorJson, sendError, sendJson } from './answers.js'

/** Which route failed: texts differ by it (log-v1.md §11). */
export type V1Route = 'submit' | 'retrieve' | 'search' | 'read'

interface Problem {
  readonly http: number
  /** Fixed text; without one the error's own is sent, which is written for clients. */
  readonly message?: string
  /** Said by the reference's handler: the body ends with a newline. */
  readonly byHandler?: boolean
}

type Code = EntryErrorCode | LedgerErrorCode | ServiceErrorCode | LogApiErrorCode

const busy = (message: string): Problem => ({ http: 503, message, byHandler: true })
const broken: Problem = { http: 500, byHandler: true }
const tooLarge: Problem = { http: 400, message: 'error processing entry: entry is too large', byHandler: true }

/** The one table from codes to answers of API v1. What is not in it is a 500 without detail. */
const PROBLEMS: Readonly<Partial<Record<Code, Problem>>> = {
  // The reference answers 500 to an entry that is no JSON; its clients would send that again.
  ENTRY_V1_JSON: { http: 400 },
  ENTRY_V1_SHAPE: { http: 422 },
  ENTRY_V1_INVALID: { http: 400, byHandler: true },
  ENTRY_TOO_LARGE: tooLarge,
  LEDGER_ENTRY_TOO_LARGE: tooLarge,
  LOG_V1_REFUSED: { http: 400, byHandler: true },
  LOG_PARAMETER_INVALID: { http: 400, byHandler: true },
  SERVICE_BODY_TOO_LARGE: { http: 413, message: 'Request Entity Too Large' },
  SERVICE_BODY_ABORTED: { http: 499, message: 'context canceled' },
  SERVICE_BODY_TIMEOUT: { http: 408, message: 'the request did not arrive in time' },
  SERVICE_BODY_BUSY: { http: 503, message: 'too many large requests are on their way; retry' },
  LEDGER_CANCELLED: { http: 499, message: 'context canceled' },
  LEDGER_FROZEN: { http: 501, message: 'Create Entry API not enabled in this Rekor instance', byHandler: true },
  LEDGER_PUSHBACK: busy('too many entries wait to be stored; retry'),
  LEDGER_SEARCH_BUSY: busy('too many searches wait for their turn; retry'),
  LEDGER_CLOSED: busy('the log is shutting down; retry'),
  LOG_VALIDATION_FAILED: busy('the log cannot take entries at this moment; retry'),
  LEDGER_UNAVAILABLE: broken,
  LEDGER_SIGNER_FAILED: broken,
  LEDGER_STATE_UNKNOWN: broken,
}

const BROKEN_TEXT: Readonly<Record<V1Route, string>> = {
  submit: 'unexpected result from transparency log',
  retrieve: 'unexpected error communicating with transparency log',
  search: 'unexpected result from searching index',
  read: 'unexpected error communicating with transparency log',
}

function problemOf(error: unknown): Problem {
  const code = isCodedError(error) ? error.code : ''
  return Object.hasOwn(PROBLEMS, code) ? PROBLEMS[code as Code]! : broken
}

/** Said under load, or for ever: a line in the log for each would help nobody. */
const NOT_OURS: readonly string[] = [
  'LEDGER_PUSHBACK',
  'LEDGER_SEARCH_BUSY',
  'LEDGER_FROZEN',
  'SERVICE_BODY_BUSY',
] satisfies Code[]

/** True when the fault is ours and its cause belongs in the log. */
export function isOurFault(error: unknown): boolean {
  if (isCodedError(error) && NOT_OURS.includes(error.code)) return false
  return problemOf(error).http >= 500
}

/** True when the request is refused for what it is, so that it would be again; not when it came at a bad moment. */
export function isRefusal(error: unknown): boolean {
  return !isOurFault(error) && problemOf(error).http !== 503
}

/** Answers with the problem of an error. */
export function sendProblemOf(response: Response, error: unknown, route: V1Route): void {
  const { http, message, byHandler } = problemOf(error)
  if (isCodedError(error) && error.details.retryAfterSeconds !== undefined) {
    response.setHeader('Retry-After', String(error.details.retryAfterSeconds))
  }
  const text = http === 500 ? BROKEN_TEXT[route] : (message ?? worded(error as Error, route))
  const shape = error instanceof ShapeError ? error : undefined
  if (byHandler || shape?.byHandler) sendJson(response, http, errorJson(shape?.number ?? http, text))
  else sendError(response, http, shape?.number ?? http, text)
}

function worded(error: Error, route: V1Route): string {
  const code = isCodedError(error) ? error.code : ''
  if (code === 'ENTRY_V1_JSON' && (route === 'retrieve' || route === 'search')) {
    return `parsing ${route === 'search' ? 'query' : 'entry'} body from "" failed, because ${error.message}`
  }
  if (code === 'ENTRY_V1_INVALID' && route === 'submit') return `error processing entry: ${error.message}`
  return error.message
}
