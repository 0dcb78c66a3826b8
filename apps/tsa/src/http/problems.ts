import type { Response } from 'express'
import { CodedError, isCodedError } from '@touchmark/errors'
import type { ServiceErrorCode } from '@touchmark/service'
import type { TimestampErrorCode } from '@touchmark/timestamp'
import type { TsaErrorCode } from '../errors.js'

const JSON_BODY = 'application/json'
/** The reference labels its handler's errors, which are JSON, as replies (tsa.md §2, layer B). */
const REPLY_BODY = 'application/timestamp-reply'

const GENERAL = 'Error generating timestamp response'

interface Problem {
  readonly status: number
  /** The body's code, where it is not the status. */
  readonly code?: number
  /** Fixed text; without one the error's own is shown, which is written for clients. */
  readonly message?: string
  readonly contentType: string
}

/** The one table from codes to answers. What is not in it is a 500 without detail. */
const PROBLEMS: Readonly<Partial<Record<TsaErrorCode | TimestampErrorCode | ServiceErrorCode, Problem>>> = {
  TSA_BODY_MISSING: { status: 422, code: 602, message: 'request in body is required', contentType: JSON_BODY },
  TSA_MEDIA_TYPE_INVALID: { status: 400, contentType: JSON_BODY },
  TSA_MEDIA_TYPE_UNSUPPORTED: { status: 415, contentType: JSON_BODY },
  TSA_CLOCK_UNPROVEN: {
    status: 503,
    message: 'the clock is not proven to be within the stated accuracy, so no timestamp is issued',
    contentType: JSON_BODY,
  },
  SERVICE_BODY_TOO_LARGE: { status: 400, message: GENERAL, contentType: REPLY_BODY },
  SERVICE_BODY_ABORTED: { status: 499, message: 'client disconnected during request', contentType: REPLY_BODY },
  SERVICE_BODY_TIMEOUT: { status: 408, message: 'the request did not arrive in time', contentType: JSON_BODY },
  SERVICE_BODY_BUSY: {
    status: 503,
    message: 'too many large requests are on their way; retry',
    contentType: JSON_BODY,
  },
  TIMESTAMP_REQUEST_INVALID: { status: 400, message: GENERAL, contentType: REPLY_BODY },
  TIMESTAMP_REQUEST_TOO_LARGE: { status: 400, contentType: REPLY_BODY },
  TIMESTAMP_REQUEST_WEAK_HASH: { status: 400, contentType: REPLY_BODY },
  TIMESTAMP_REQUEST_DIGEST_LENGTH: { status: 400, contentType: REPLY_BODY },
  TIMESTAMP_REQUEST_POLICY_INVALID: { status: 400, contentType: REPLY_BODY },
  TIMESTAMP_REQUEST_POLICY_UNACCEPTED: { status: 400, contentType: REPLY_BODY },
  TIMESTAMP_REQUEST_EXTENSION_UNACCEPTED: { status: 400, contentType: REPLY_BODY },
}

const UNKNOWN: Problem = { status: 500, message: GENERAL, contentType: REPLY_BODY }

/** True when the fault is ours and its cause belongs in the log. */
export function isOurFault(error: unknown): boolean {
  return problemOf(error).status >= 500
}

function problemOf(error: unknown): Problem {
  const code = isCodedError(error) ? error.code : ''
  return Object.hasOwn(PROBLEMS, code) ? PROBLEMS[code as keyof typeof PROBLEMS]! : UNKNOWN
}

/** Answers with the problem of an error. */
export function sendError(response: Response, error: unknown): void {
  const { status, code = status, message, contentType } = problemOf(error)
  const retryAfter = error instanceof CodedError ? error.details.retryAfterSeconds : undefined
  if (retryAfter !== undefined) response.setHeader('Retry-After', String(retryAfter))
  sendProblem(response, status, code, message ?? (error as Error).message, contentType)
}

/** `{"code":…,"message":"…"}` without a newline. */
export function sendProblem(
  response: Response,
  status: number,
  code: number,
  message: string,
  contentType: string = JSON_BODY,
): void {
  const body = Buffer.from(JSON.stringify({ code, message }))
  response.status(status).setHeader('Content-Type', contentType)
  response.setHeader('Content-Length', body.length)
  response.end(body)
}
