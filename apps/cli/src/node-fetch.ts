import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import type { Fetch } from '@touchmark/sign'

/**
 * `fetch` as far as this client uses it, on Node's own HTTP client: Node's `fetch` takes 50 ms of a short run to be loaded. No redirect is followed:
 * one is an answer like any other. Rejects with the reason of the signal when that came first, else with what the connection said.
 */
export const nodeFetch: Fetch = async (url, init) => {
  const { protocol, username, password } = new URL(url)
  if (username !== '' || password !== '') throw notSent('a URL with a name and password is not asked')
  const { request } = protocol === 'https:' ? await import('node:https') : await import('node:http')
  const content = bytesOf(init.body)
  const options: RequestOptions = {
    method: init.method ?? 'GET',
    headers: {
      accept: '*/*',
      'user-agent': 'touchmark',
      ...(content?.type === undefined ? {} : { 'content-type': content.type }),
      ...headersOf(init.headers),
      ...(content === undefined ? {} : { 'content-length': content.bytes.length }),
    },
  }
  const signal = init.signal ?? undefined
  signal?.throwIfAborted()
  const response = await answerTo(
    request(url, signal === undefined ? options : { ...options, signal }),
    content,
    signal,
  )
  return { status: response.statusCode ?? 0, headers: new AnswerHeaders(response), body: bodyOf(response, signal) }
}

function answerTo(
  request: ClientRequest,
  content: { bytes: Uint8Array } | undefined,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('response', resolve)
    request.on('error', (error) => reject(lost(error, signal)))
    request.end(content?.bytes)
  })
}

async function* bodyOf(response: IncomingMessage, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  try {
    for await (const part of response) yield part as Buffer
  } catch (error) {
    throw lost(error, signal)
  }
}

/** What the signal says, and not what it did to the connection. */
function lost(error: unknown, signal: AbortSignal | undefined): Error {
  return (signal?.aborted === true ? signal.reason : error) as Error
}

/** With the code by which `send` knows that another try would end the same way. */
function notSent(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_VALUE' })
}

function bytesOf(body: RequestInit['body']): { bytes: Uint8Array; type?: string } | undefined {
  if (body === undefined || body === null) return undefined
  if (body instanceof Uint8Array) return { bytes: body }
  if (typeof body === 'string') return { bytes: Buffer.from(body), type: 'text/plain;charset=UTF-8' }
  throw notSent('a body of this kind is not sent')
}

function headersOf(headers: RequestInit['headers']): Record<string, string> {
  const pairs = Object.entries(
    headers === undefined ? {} : Symbol.iterator in headers ? Object.fromEntries(headers) : headers,
  )
  return Object.fromEntries(pairs.map(([name, value]) => [name.toLowerCase(), String(value)]))
}

class AnswerHeaders implements Pick<Headers, 'get' | 'getSetCookie'> {
  readonly #response: IncomingMessage

  constructor(response: IncomingMessage) {
    this.#response = response
  }

  get(name: string): string | null {
    const values = this.#response.headersDistinct[name.toLowerCase()]
    return values === undefined ? null : values.join(', ')
  }

  getSetCookie(): string[] {
    return this.#response.headersDistinct['set-cookie'] ?? []
  }
}
