import { CodedError, isCodedError } from '@touchmark/errors'
import type { MetricSnapshot } from '@touchmark/service'
import type { StandaloneConfig } from '../config/options.js'
import type { GreetingInput } from '../greeting.js'

/** What the supervisor tells a worker, over the pipe that the two share: nothing of it stands in an argument or in the environment. */
export type ToWorker =
  | {
      readonly kind: 'start'
      readonly config: StandaloneConfig
      readonly poolSize: number
      readonly housekeeper: boolean
    }
  | { readonly kind: 'metrics'; readonly request: number }
  | { readonly kind: 'stop'; readonly drainMs: number }

/** What a worker tells the supervisor. */
export type FromWorker =
  /** It listens to the pipe. */
  | { readonly kind: 'hello' }
  | { readonly kind: 'serving'; readonly port: number; readonly greeting: GreetingInput }
  /** It could not start, and ends. */
  | { readonly kind: 'refused'; readonly error: SentError }
  /** It met a state that nobody may go on from. */
  | { readonly kind: 'fatal'; readonly error: SentError }
  | { readonly kind: 'metrics'; readonly request: number; readonly snapshot: MetricSnapshot }

/** An error on its way from one process to another. */
export interface SentError {
  readonly code: string | undefined
  readonly message: string
  readonly stack: string | undefined
  readonly details: CodedError['details']
}

export function toSent(error: unknown): SentError {
  if (!(error instanceof Error)) return { code: undefined, message: String(error), stack: undefined, details: {} }
  const coded = isCodedError(error) ? { code: error.code, details: error.details } : { code: undefined, details: {} }
  return { ...coded, message: error.message, stack: error.stack }
}

/** The same error in this process: its code and details are kept, its stack becomes the cause. */
export function fromSent({ code, message, stack, details }: SentError): Error {
  if (code === undefined) return new Error(message, { cause: stack })
  return new CodedError(code, message, { ...details, cause: stack })
}
