import { readAtMost } from '@touchmark/encoding'
import { SignError } from './errors.js'
import { lostReason } from './http-reasons.js'
import { LONGEST_PAUSE_SECONDS, mayPass, pauseMs, retryAfterSeconds } from './http-retry.js'

/** The part of an answer that is used; a `Response` is one. */
export interface FetchAnswer {
  readonly status: number
  readonly headers: Pick<Headers, 'get' | 'getSetCookie'>
  readonly body: AsyncIterable<Uint8Array> | Response['body']
}

/** The part of `fetch` that is used; handed in, so that nothing here decides how a remote is reached. */
export type Fetch = (url: string, init: RequestInit) => Promise<FetchAnswer>

export interface HttpOptions {
  readonly fetch: Fetch
  /** Resolves after so many milliseconds; tests move it by hand. */
  readonly sleep: (ms: number) => Promise<void>
  /** 0 ≤ x < 1, for the jitter between tries. */
  readonly random: () => number
  /** Of one try, from the request to the last byte of its answer. */
  readonly timeoutMs: number
  readonly tries: number
  /** Of all tries of one request and the pauses between them; default: as long as the tries take. */
  readonly deadlineMs?: number
  /** Milliseconds that only go forward, for the deadline; default `performance.now`. */
  readonly elapsed?: () => number
  /** Default 4 MiB: no honest answer of a CA, log or TSA to one request is larger. */
  readonly answerLimitBytes?: number
}

/** Of one try, and of all tries of a request with the pauses between them. */
export const HTTP_DEFAULTS = { timeoutMs: 15_000, deadlineMs: 75_000, tries: 3 } as const

export interface HttpAnswer {
  readonly status: number
  readonly headers: FetchAnswer['headers']
  readonly body: Uint8Array
}

const ANSWER_LIMIT_BYTES = 4 << 20

/** What to do about an answer that no such service gives. */
export const NOT_THE_SERVICE =
  'Check that this is the address of the service itself, and that no proxy answers in its place; if so, tell who runs the instance.'

/**
 * Sends a request, and again after a pause when the service is busy or broken: 5xx, 429 and 408 answers and lost connections, `tries` times in all and
 * not beyond the deadline. A service that asks for a pause (Retry-After) gets it; one that asks for more than 30 seconds, or more than is left, is not
 * asked again. Repeating is safe at the log, which gives an equal entry the same index, and at the timestamp authority. Where it is not, `init` is a
 * function, and is asked for a new request before each try.
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
  const elapsed = options.elapsed ?? (() => performance.now())
  const until = elapsed() + (options.deadlineMs ?? Infinity)
  let last: Failure | undefined
  let attempt = 0
  for (; attempt < options.tries; attempt++) {
    if (last !== undefined) {
      if (!last.passes || (last.askedSeconds ?? 0) > LONGEST_PAUSE_SECONDS) break
      const pause = pauseMs(attempt, last.askedSeconds, options.random)
      if (elapsed() + pause >= until) break
      await options.sleep(pause)
    }
    const request = typeof init === 'function' ? await init() : init
    const timeoutMs = Math.min(options.timeoutMs, Math.max(1, Math.ceil(until - elapsed())))
    const answer = await attemptOnce(service, url, request, { ...options, timeoutMs })
    if ('passes' in answer) {
      last = answer
      continue
    }
    if (answer.status >= 300 && answer.status < 400 && request.redirect !== 'manual')
      throw redirected(service, url, answer)
    if (!mayPass(answer.status)) return answer
    last = busy(service, url, answer)
  }
  if (last === undefined)
    throw new SignError('SIGN_SERVICE_UNREACHABLE', `the ${service} was not asked: tries is ${options.tries}`)
  throw last.error(attempt === 1 ? '' : `, asked ${attempt} times`)
}

/** A try that failed, for the next one to consider. */
interface Failure {
  /** False when another try would end the same way. */
  readonly passes: boolean
  readonly askedSeconds?: number | undefined
  /** `often` ends the sentence. */
  readonly error: (often: string) => SignError
}

function busy(service: string, url: string, { status, headers, body }: HttpAnswer): Failure {
  const askedSeconds = retryAfterSeconds(headers.get('retry-after'), headers.get('date'))
  const long = askedSeconds !== undefined && askedSeconds > LONGEST_PAUSE_SECONDS
  const hint = long
    ? `It asks to be left alone for ${Math.ceil(askedSeconds)} s: try again after that.`
    : 'Try again in a minute; if it goes on, look at /readyz of the instance.'
  const said = excerpt(body)
  const details = {
    ...(said === '' ? {} : { found: said }),
    hint,
    ...(askedSeconds === undefined ? {} : { retryAfterSeconds: askedSeconds }),
  }
  return {
    passes: true,
    askedSeconds,
    error: (often) =>
      new SignError('SIGN_SERVICE_FAILED', `the ${service} answered ${status} (${url})${often}`, details),
  }
}

function redirected(service: string, url: string, { status, headers }: HttpAnswer): SignError {
  return new SignError('SIGN_SERVICE_ANSWER', `the ${service} answered ${status}, a redirect (${url})`, {
    found: printableExcerpt(headers.get('location') ?? 'a redirect to nowhere'),
    hint: 'Use the URL of the service itself: redirects are not followed.',
  })
}

/** Base URL and path of a service; the base may end in a slash. */
export function serviceUrl(base: string, path: string): string {
  return `${base.replace(/\/+$/, '')}${path}`
}

async function attemptOnce(
  service: string,
  url: string,
  init: RequestInit,
  options: HttpOptions,
): Promise<HttpAnswer | Failure> {
  try {
    const response = await options.fetch(url, {
      ...init,
      redirect: 'manual',
      signal: AbortSignal.timeout(options.timeoutMs),
    })
    return {
      status: response.status,
      headers: response.headers,
      body: await limitedBody(service, url, response, options.answerLimitBytes ?? ANSWER_LIMIT_BYTES),
    }
  } catch (cause) {
    if (cause instanceof SignError) throw cause
    const { passes, ...details } = lostReason(cause, options.timeoutMs)
    return {
      passes,
      error: (often) =>
        new SignError('SIGN_SERVICE_UNREACHABLE', `the ${service} cannot be reached at ${url}${often}`, {
          cause,
          ...details,
        }),
    }
  }
}

async function limitedBody(
  service: string,
  url: string,
  response: FetchAnswer,
  limitBytes: number,
): Promise<Uint8Array> {
  if (response.body === null) return new Uint8Array(0)
  const body = await readAtMost(response.body as unknown as AsyncIterable<Uint8Array>, limitBytes)
  if (body === undefined) {
    throw new SignError('SIGN_SERVICE_ANSWER', `the ${service} answered with more than ${limitBytes} bytes (${url})`, {
      hint: NOT_THE_SERVICE,
    })
  }
  return body
}

/** What to do about a request that a service understood and refused. */
export function refusedHint(status: number): string {
  return status === 404 || status === 405 || status === 501
    ? NOT_THE_SERVICE
    : 'What the service said is the reason. If it does not help, tell who runs the instance; `touchmark doctor` may know more.'
}

/** What a service said, short and printable: of an error in JSON (gRPC status, RFC 9457 problem) its sentence. */
export function excerpt(body: Uint8Array): string {
  return printableExcerpt(sentenceOf(body) ?? new TextDecoder().decode(body.subarray(0, 500)))
}

function sentenceOf(body: Uint8Array): string | undefined {
  if (body[0] !== 0x7b || body.length > 16_384) return undefined
  try {
    const { message, detail } = JSON.parse(new TextDecoder().decode(body)) as { message?: unknown; detail?: unknown }
    return [message, detail].find((one): one is string => typeof one === 'string' && one.trim() !== '')
  } catch {
    return undefined
  }
}

/** Text of a remote, short and in ASCII: it goes to a terminal. */
export function printableExcerpt(text: string): string {
  return text
    .slice(0, 500)
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
}
