import { Agent as HttpAgent, get as httpGet, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, get as httpsGet } from 'node:https'
import { SignError } from './errors.js'

export interface HttpFilesOptions {
  /** Connections that are kept open, and requests that run at once. */
  readonly connections: number
  readonly timeoutMs: number
  readonly tries: number
  readonly limitBytes: number
  readonly sleep: (ms: number) => Promise<void>
  /** 0 ≤ x < 1, for the jitter between tries. */
  readonly random: () => number
}

export interface HttpFile {
  readonly status: number
  readonly body: Uint8Array
}

const LONGEST_PAUSE_SECONDS = 30

/**
 * Reads many small files of one service over a few kept connections. This is what a whole log is read with: `fetch` costs several times as much a request.
 * Asks again after a pause when the service is busy or broken, `tries` times in all; redirects are not followed, and are given as they are.
 */
export class HttpFiles {
  readonly #options: HttpFilesOptions
  readonly #http: HttpAgent
  readonly #https: HttpsAgent

  constructor(options: HttpFilesOptions) {
    this.#options = options
    const kept = { keepAlive: true, maxSockets: options.connections, maxFreeSockets: options.connections }
    this.#http = new HttpAgent(kept)
    this.#https = new HttpsAgent(kept)
  }

  /** Throws SIGN_SERVICE_UNREACHABLE (after lost, cut off or late answers too), SIGN_SERVICE_FAILED (5xx, 429, 408), SIGN_SERVICE_ANSWER when it is too large. */
  async read(service: string, url: string): Promise<HttpFile> {
    const { tries, sleep, random } = this.#options
    let last: SignError | undefined
    for (let attempt = 0; attempt < tries; attempt++) {
      if (attempt > 0) {
        const backoff = 250 * 2 ** (attempt - 1)
        await sleep(Math.max((last?.details.retryAfterSeconds ?? 0) * 1000, backoff / 2 + random() * backoff))
      }
      try {
        const { status, body, retryAfter } = await this.#once(url)
        if (status < 500 && status !== 429 && status !== 408) return { status, body }
        last = new SignError(
          'SIGN_SERVICE_FAILED',
          `the ${service} answered ${status} (${url})`,
          retryAfterOf(retryAfter),
        )
      } catch (cause) {
        if (cause instanceof SignError) throw cause
        const found = cause instanceof Error ? cause.message : String(cause)
        last = new SignError('SIGN_SERVICE_UNREACHABLE', `the ${service} cannot be reached at ${url}`, { cause, found })
      }
    }
    throw last ?? new SignError('SIGN_SERVICE_UNREACHABLE', `the ${service} was not asked: tries is ${tries}`)
  }

  close(): void {
    this.#http.destroy()
    this.#https.destroy()
  }

  #once(url: string): Promise<HttpFile & { retryAfter: string | undefined }> {
    const { timeoutMs, limitBytes } = this.#options
    const secure = url.startsWith('https:')
    return new Promise((resolve, reject) => {
      const answered = (response: IncomingMessage): void => {
        const parts: Buffer[] = []
        let size = 0
        response.on('data', (part: Buffer) => {
          size += part.length
          if (size <= limitBytes) return void parts.push(part)
          reject(new SignError('SIGN_SERVICE_ANSWER', `an answer of more than ${limitBytes} bytes was refused`))
          response.destroy()
        })
        response.on('error', reject)
        // An answer that was cut off ends with 'aborted' and without this.
        response.on('end', () => {
          if (!response.complete) return reject(new Error('the answer was cut off'))
          const body = new Uint8Array(size)
          let at = 0
          for (const part of parts) {
            body.set(part, at)
            at += part.length
          }
          resolve({ status: response.statusCode ?? 0, body, retryAfter: response.headers['retry-after'] })
        })
      }
      const request = secure
        ? httpsGet(url, { agent: this.#https }, answered)
        : httpGet(url, { agent: this.#http }, answered)
      // Of silence: an answer that keeps coming is bounded by its size.
      request.setTimeout(timeoutMs, () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)))
      request.on('error', reject)
    })
  }
}

/** Seconds of a Retry-After header (RFC 9110 §10.2.3). */
function retryAfterOf(text: string | undefined): { retryAfterSeconds?: number } {
  return text !== undefined && /^\d{1,9}$/.test(text)
    ? { retryAfterSeconds: Math.min(Number(text), LONGEST_PAUSE_SECONDS) }
    : {}
}
