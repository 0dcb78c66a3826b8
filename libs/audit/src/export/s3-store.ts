import { readAtMost } from '@touchmark/encoding'
import { createHash } from 'node:crypto'
import { AwsV4Signer } from 'aws4fetch'
import type { Clock } from '@touchmark/clock'
import { AuditError } from '../errors.js'
import type { S3Place } from './s3-place.js'

export interface S3Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** The part of an answer that is used; a `Response` is one. */
export interface S3Response {
  readonly status: number
  readonly headers: Pick<Headers, 'get'>
  readonly body: AsyncIterable<Uint8Array> | Response['body']
}

/** The outside world, handed in. */
export interface S3Http {
  readonly fetch: (url: string, init: RequestInit) => Promise<S3Response>
  readonly clock: Clock
  /** Resolves after so many milliseconds. */
  readonly sleep: (ms: number) => Promise<void>
  /** 0 ≤ x < 1, for the jitter between tries. */
  readonly random: () => number
  /** For one try, its whole answer included. */
  readonly timeoutMs: number
  /** Requests for one object, the first one included. */
  readonly tries: number
}

export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE'
  /** Key of an object, below the prefix; else the bucket itself is asked. */
  readonly key?: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  /** Statuses that are an answer; any other is AUDIT_EXPORT_FAILED. */
  readonly expect: readonly number[]
}

export interface S3Answer {
  readonly status: number
  readonly etag: string | undefined
  readonly body: Uint8Array
}

/** A full bundle of the longest entries (256 × 65,537 bytes) is the largest file of a log. */
const MAX_OBJECT_BYTES = 17 << 20
/** Lists of at most 1,000 keys, and errors. */
const MAX_XML_BYTES = 2 << 20
const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 10_000

/**
 * The few requests of the S3 API that an export needs, in path style, each one signed (Signature Version 4) with the hash of what it carries, so that a store
 * refuses an object that was changed on its way. Answers with 5xx, 429 and 408, answers that are cut off or late and lost connections are tried
 * again; 501 is not, since it says that the store does not know what was asked. Redirects are never followed.
 * Nothing that a store says is shown but its status and the code of its error: what it writes about a signature repeats the request.
 */
export class S3Store {
  readonly place: S3Place
  readonly #credentials: S3Credentials
  readonly #http: S3Http

  constructor(place: S3Place, credentials: S3Credentials, http: S3Http) {
    this.place = place
    this.#credentials = credentials
    this.#http = http
  }

  /** Throws AUDIT_EXPORT_FAILED. */
  async send(request: S3Request): Promise<S3Answer> {
    const { tries, sleep } = this.#http
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#try(request)
      if (!('again' in outcome)) return outcome
      if (attempt >= tries) throw outcome.again
      await sleep(this.#pauseMs(attempt, outcome.afterSeconds))
    }
  }

  async #try(request: S3Request): Promise<S3Answer | { again: AuditError; afterSeconds: number }> {
    const { expect, method } = request
    let response: S3Response
    let body: Uint8Array
    try {
      response = await this.#request(request)
      const fine = response.status === 200 || response.status === 206
      body = await limitedBody(response, fine && request.key !== undefined ? MAX_OBJECT_BYTES : MAX_XML_BYTES)
    } catch (cause) {
      if (cause instanceof AuditError) throw cause
      const again = this.#failed(request, 'the store cannot be reached, or its answer was cut off or late', {
        cause,
        found: reason(cause),
      })
      return { again, afterSeconds: 0 }
    }
    const { status, headers } = response
    if (expect.includes(status)) return { status, etag: headers.get('etag') ?? undefined, body }
    const code = method === 'HEAD' ? '' : errorCode(body)
    const error = this.#failed(request, `the store answered ${status}`, {
      ...(code === '' ? {} : { found: code }),
      hint: hintFor(status, code),
    })
    if (!isPassing(status, code)) throw error
    return { again: error, afterSeconds: retryAfterSeconds(headers) }
  }

  async #request({ method, key, query, headers, body }: S3Request): Promise<S3Response> {
    const { endpoint, region, bucket, prefix } = this.place
    const url = new URL(`${endpoint}/${bucket}${key === undefined ? '' : `/${prefix}${key}`}`)
    for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value)
    // A signature is good for a quarter of an hour: each try gets its own.
    const signer = new AwsV4Signer({
      ...this.#credentials,
      service: 's3',
      region,
      method,
      url: url.href,
      headers: {
        ...headers,
        'x-amz-content-sha256': createHash('sha256')
          .update(body ?? '')
          .digest('hex'),
      },
      datetime: this.#http.clock
        .now()
        .toISOString()
        .replace(/[:-]|\.\d{3}/g, ''),
      allHeaders: true,
    })
    const signed = await signer.sign()
    return this.#http.fetch(signed.url.href, {
      method,
      headers: signed.headers,
      ...(body === undefined ? {} : { body: body as NonNullable<RequestInit['body']> }),
      redirect: 'manual',
      signal: AbortSignal.timeout(this.#http.timeoutMs),
    })
  }

  #pauseMs(attempt: number, afterSeconds: number): number {
    const backoff = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS)
    return Math.max(afterSeconds * 1000, backoff / 2 + this.#http.random() * backoff)
  }

  #failed(
    { method, key }: S3Request,
    what: string,
    details: { cause?: unknown; found?: string; hint?: string },
  ): AuditError {
    const { bucket, prefix, endpoint } = this.place
    const object = key === undefined ? `s3://${bucket}` : `s3://${bucket}/${prefix}${key}`
    return new AuditError('AUDIT_EXPORT_FAILED', `${method} ${object} at ${endpoint}: ${what}`, details)
  }
}

/** True for what another try may get past. RequestTimeout is a 400 of Amazon's, ConditionalRequestConflict the 409 of two writers at once. */
function isPassing(status: number, code: string): boolean {
  if (status === 429 || status === 408 || code === 'RequestTimeout') return true
  if (status === 409) return code === 'ConditionalRequestConflict' || code === 'OperationAborted'
  return status >= 500 && status !== 501
}

function hintFor(status: number, code: string): string {
  if (code === 'RequestTimeTooSkewed') return 'Set the clock of this machine.'
  if (code === 'NoSuchBucket') return 'Make the bucket first.'
  if (code === 'SignatureDoesNotMatch' || code === 'AuthorizationHeaderMalformed') {
    return 'Check the secret key, the region and the address; a proxy must pass the request on as it is.'
  }
  if (status >= 300 && status < 400)
    return 'Use the address and the region of the bucket itself: redirects are not followed.'
  if (status === 403) return 'The credentials need s3:GetObject and s3:PutObject below the prefix, and s3:ListBucket.'
  return 'The next export goes on where this one ended.'
}

/** The code of an S3 error, which is a word; nothing else of an error is believed or shown. */
function errorCode(body: Uint8Array): string {
  const text = new TextDecoder('latin1').decode(body.subarray(0, 4096))
  return /<Code>([A-Za-z0-9.]{1,64})<\/Code>/.exec(text)?.[1] ?? ''
}

/** Seconds of a Retry-After header (RFC 9110 §10.2.3), at most 30. */
function retryAfterSeconds(headers: S3Response['headers']): number {
  const text = headers.get('retry-after') ?? ''
  return /^\d{1,9}$/.test(text) ? Math.min(Number(text), 30) : 0
}

async function limitedBody(response: S3Response, limitBytes: number): Promise<Uint8Array> {
  if (response.body === null) return new Uint8Array(0)
  const body = await readAtMost(response.body as unknown as AsyncIterable<Uint8Array>, limitBytes)
  if (body === undefined) {
    throw new AuditError('AUDIT_EXPORT_FAILED', `an answer of more than ${limitBytes} bytes was refused`)
  }
  return body
}

/** What kept a request from its answer: the message of the connection, not of the request. */
function reason(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  return inner instanceof Error ? inner.message || inner.name : 'no reason is known'
}
