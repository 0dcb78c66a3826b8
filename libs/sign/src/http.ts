import { readAtMost } from '@touchmark/encoding'
import { SignError } from './errors.js'

/** The part of `fetch` that is used; handed in, so that nothing here decides how a remote is reached. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface HttpOptions {
  readonly fetch: Fetch
  /** Resolves after so many milliseconds; tests move it by hand. */
  readonly sleep: (ms: number) => Promise<void>
  /** 0 ≤ x < 1, for the jitter between tries. */
  readonly random: () => number
  readonly timeoutMs: number
  readonly tries: number
  /** Default 4 MiB: no honest answer of a CA, log or TSA to one request is larger. */
  readonly answerLimitBytes?: number
}

export const HTTP_DEFAULTS = { timeoutMs: 20_000, tries: 3 } as const

export interface HttpAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: Uint8Array
}

const ANSWER_LIMIT_BYTES = 4 << 20

/**
 * Sends a request, and again after a pause when the service is busy or broken: 5xx, 429 and 408 answers and lost connections, `tries` times in all.
 * Repeating is safe at the log, which gives an equal entry the same index, and at the timestamp authority. Where it is not, `init` is a function, and is
 * asked for a new request before each try.
 * Redirects are never followed, since a service that is somewhere else is another service: they are refused, unless the caller asks for
 * `redirect: 'manual'` and looks at them itself. Throws SIGN_SERVICE_UNREACHABLE (after lost, truncated or late answers too),
 * SIGN_SERVICE_FAILED, and SIGN_SERVICE_ANSWER for a redirect or an answer of more than the limit.
 */
export async function send(
  service: string,
  url: string,
  init: RequestInit | (() => Promise<RequestInit>),
  options: HttpOptions,
): Promise<HttpAnswer> {
  let last: SignError | undefined
  for (let attempt = 0; attempt < options.tries; attempt++) {
    if (attempt > 0) await options.sleep(pauseMs(attempt, last, options.random))
    const request = typeof init === 'function' ? await init() : init
    const answer = await attemptOnce(service, url, request, options).catch((error: unknown) => {
      if (error instanceof SignError && error.code === 'SIGN_SERVICE_UNREACHABLE') last = error
      else throw error
    })
    if (answer === undefined) continue
    if (answer.status >= 300 && answer.status < 400 && request.redirect !== 'manual')
      throw redirected(service, url, answer)
    if (answer.status < 500 && answer.status !== 429 && answer.status !== 408) return answer
    last = new SignError('SIGN_SERVICE_FAILED', `the ${service} answered ${answer.status} (${url})`, {
      found: excerpt(answer.body),
      hint: 'Try again in a minute; if it goes on, look at /readyz of the instance.',
      ...retryAfter(answer.headers),
    })
  }
  throw last ?? new SignError('SIGN_SERVICE_UNREACHABLE', `the ${service} was not asked: tries is ${options.tries}`)
}

function redirected(service: string, url: string, { status, headers }: HttpAnswer): SignError {
  return new SignError('SIGN_SERVICE_ANSWER', `the ${service} answered ${status}, a redirect (${url})`, {
    found: printableExcerpt(headers.get('location') ?? 'a redirect to nowhere'),
    hint: 'Use the URL of the service itself: redirects are not followed.',
  })
}

/** Seconds of a Retry-After header (RFC 9110 §10.2.3), at most 30; a date, or anything else, is no answer worth waiting for. */
function retryAfter(headers: Headers): { retryAfterSeconds?: number } {
  const text = headers.get('retry-after') ?? ''
  return /^\d{1,9}$/.test(text) ? { retryAfterSeconds: Math.min(Number(text), 30) } : {}
}

/** Base URL and path of a service; the base may end in a slash. */
export function serviceUrl(base: string, path: string): string {
  return `${base.replace(/\/+$/, '')}${path}`
}

function pauseMs(attempt: number, last: SignError | undefined, random: () => number): number {
  const asked = (last?.details.retryAfterSeconds ?? 0) * 1000
  const backoff = 250 * 2 ** (attempt - 1)
  return Math.max(asked, backoff / 2 + random() * backoff)
}

async function attemptOnce(service: string, url: string, init: RequestInit, options: HttpOptions): Promise<HttpAnswer> {
  try {
    const response = await options.fetch(url, {
      ...init,
      redirect: 'manual',
      signal: AbortSignal.timeout(options.timeoutMs),
    })
    return {
      status: response.status,
      headers: response.headers,
      body: await limitedBody(response, options.answerLimitBytes ?? ANSWER_LIMIT_BYTES),
    }
  } catch (cause) {
    if (cause instanceof SignError) throw cause
    throw new SignError('SIGN_SERVICE_UNREACHABLE', `the ${service} cannot be reached at ${url}`, {
      cause,
      found: reason(cause),
      hint: 'Check that the instance runs and that its URL is right.',
    })
  }
}

async function limitedBody(response: Response, limitBytes: number): Promise<Uint8Array> {
  if (response.body === null) return new Uint8Array(0)
  const body = await readAtMost(response.body as unknown as AsyncIterable<Uint8Array>, limitBytes)
  if (body === undefined) {
    throw new SignError('SIGN_SERVICE_ANSWER', `an answer of more than ${limitBytes} bytes was refused`)
  }
  return body
}

function reason(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  return inner instanceof Error ? inner.message || inner.name : String(inner)
}

/** What a service said, short and printable. */
export function excerpt(body: Uint8Array): string {
  return printableExcerpt(new TextDecoder().decode(body.subarray(0, 500)))
}

/** Text of a remote, short and in ASCII: it goes to a terminal. */
export function printableExcerpt(text: string): string {
  return text
    .slice(0, 500)
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
}
