/** What an error may carry beside its text; `cause` goes to the log and never to a client. */
export interface ErrorDetails {
  cause?: unknown
  retryAfterSeconds?: number
  /** Which check failed, what it wanted and what it found: filled by verifiers. */
  check?: string
  expected?: string
  found?: string
  /** What a person can do about it. */
  hint?: string
}

/** In a process that runs the bundled command line and the server's own modules there are two copies of this class: both put this on their errors. */
const CODED: unique symbol = Symbol.for('touchmark.CodedError') as never

/**
 * An error with a stable code. Bad input from outside is always a CodedError; a TypeError is our bug.
 * Each lib has one closed union of codes in its errors.ts; a code is public API and is listed in docs/errors.md.
 */
export class CodedError<Code extends string = string> extends Error {
  readonly code: Code
  readonly details: Omit<ErrorDetails, 'cause'>

  constructor(code: Code, message: string, details: ErrorDetails = {}) {
    const { cause, ...rest } = details
    super(message, cause === undefined ? undefined : { cause })
    this.name = new.target.name
    this.code = code
    this.details = rest
  }

  get [CODED](): true {
    return true
  }
}

/** True for any error that has a stable code of ours, by whichever copy of this module it was made. */
export function isCodedError(error: unknown): error is CodedError {
  return typeof error === 'object' && error !== null && CODED in error
}
