import { Agent as HttpAgent, get as httpGet, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, get as httpsGet } from 'node:https'
import { SignError } from './errors.js'
import { lostReason } from './http-reasons.js'
import { LONGEST_PAUSE_SECONDS, mayPass, pauseMs, retryAfterSeconds } from './http-retry.js'

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
      if (attempt > 0) await sleep(pauseMs(attempt, last?.details.retryAfterSeconds, random))
      try {
        const { status, body, retryAfter, date } = await this.#once(url)
        if (!mayPass(status)) return { status, body }
        const asked = retryAfterSeconds(retryAfter, date)
        last = new SignError('SIGN_SERVICE_FAILED', `the ${service} answered ${status} (${url})`, {
          hint: 'Try again in a minute; if it goes on, look at /readyz of the instance.',
          ...(asked === undefined ? {} : { retryAfterSeconds: asked }),
        })
        if (asked !== undefined && asked > LONGEST_PAUSE_SECONDS) throw last
      } catch (cause) {
        if (cause instanceof SignError) throw cause
        const { passes, ...details } = lostReason(cause, this.#options.timeoutMs)
        const message = `the ${service} cannot be reached at ${url}`
        last = new SignError('SIGN_SERVICE_UNREACHABLE', message, { cause, ...details })
        if (!passes) throw last
      }
    }
    throw last ?? new SignError('SIGN_SERVICE_UNREACHABLE', `the ${service} was not asked: tries is ${tries}`)
  }

  close(): void {
    this.#http.destroy()
    this.#https.destroy()
  }

  #once(url: string): Promise<HttpFile & { retryAfter: string | undefined; date: string | undefined }> {
    const { timeoutMs, limitBytes } = this.#options
    const secure = url.startsWith('https:')
    return new Promise((resolve, reject) => {
      const answered = (response: IncomingMessage): void => {
        const parts: Buffer[] = []
        let size = 0
        response.on('data', (part: Buffer) => {
          size += part.length
          if (size <= limitBytes) return void parts.push(part)
          reject(
            new SignError('SIGN_SERVICE_ANSWER', `an answer of more than ${limitBytes} bytes was refused (${url})`),
          )
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
          const { 'retry-after': retryAfter, date } = response.headers
          resolve({ status: response.statusCode ?? 0, body, retryAfter, date })
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
