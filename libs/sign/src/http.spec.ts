import { gzipSync } from 'node:zlib'
import type { Socket } from 'node:net'
import { afterEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { isCodedError } from '@touchmark/errors'
import { excerpt, send, serviceUrl, type HttpAnswer, type HttpOptions } from './http.js'
import { answer, httpServer, netServer, testHttp, type LocalServer } from './testing/servers.js'

const servers: LocalServer[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

async function serving(server: Promise<LocalServer>): Promise<string> {
  servers.push(await server)
  return servers.at(-1)!.url
}

/** Answers the listed statuses one after another, the last one for ever. */
function statuses(...list: number[]): Promise<string> {
  let at = 0
  return serving(
    httpServer((_request, response) => answer(response, list[Math.min(at++, list.length - 1)]!, `answer ${at}`)),
  )
}

const ask = (url: string, http: HttpOptions, init: RequestInit = {}): Promise<HttpAnswer> =>
  send('service under test', url, init, http)

const text = ({ body }: HttpAnswer): string => Buffer.from(body).toString()

describe('send', () => {
  it('hands back the answer of a service that works', async () => {
    const http = testHttp()
    const result = await ask(await statuses(200), http)
    expect([result.status, text(result), http.pauses]).toEqual([200, 'answer 1', []])
  })

  it.each([500, 502, 503, 504, 429, 408])('asks again after %d', async (status) => {
    const http = testHttp()
    const result = await ask(await statuses(status, status, 201), http)
    expect([result.status, text(result), http.pauses.length]).toEqual([201, 'answer 3', 2])
  })

  it.each([400, 401, 403, 404, 409, 422])('does not ask again after %d', async (status) => {
    const http = testHttp()
    const result = await ask(await statuses(status, 200), http)
    expect([result.status, http.pauses]).toEqual([status, []])
  })

  it('gives up after so many tries, and says what the service said', async () => {
    let asked = 0
    const url = await serving(httpServer((_request, response) => answer(response, 503, `busy ${++asked}\u001b[2J`)))
    const error: unknown = await ask(url, testHttp()).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'SIGN_SERVICE_FAILED', details: { found: 'busy 3 [2J' } })
    expect(asked).toBe(3)
  })

  it('sends the same request again', async () => {
    const bodies: string[] = []
    const url = await serving(
      httpServer((request, response) => {
        const parts: Buffer[] = []
        request.on('data', (part: Buffer) => parts.push(part))
        request.on('end', () => {
          bodies.push(`${request.method} ${Buffer.concat(parts).toString()}`)
          answer(response, bodies.length < 2 ? 500 : 200)
        })
      }),
    )
    await ask(url, testHttp(), { method: 'POST', body: 'once more' })
    expect(bodies).toEqual(['POST once more', 'POST once more'])
  })

  it('waits longer each time, with jitter of the same size', async () => {
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), async (random) => {
        const http = testHttp({
          random: () => random,
          tries: 5,
          fetch: async () => new Response('', { status: 500 }),
        })
        await expect(ask('http://service.invalid', http)).rejects.toThrowCode('SIGN_SERVICE_FAILED')
        expect(http.pauses).toHaveLength(4)
        http.pauses.forEach((pause, at) => {
          const backoff = 250 * 2 ** at
          expect(pause).toBeGreaterThanOrEqual(backoff / 2)
          expect(pause).toBeLessThanOrEqual(1.5 * backoff)
        })
      }),
      { numRuns: 50 },
    )
  })

  it.each([
    ['7', 7250],
    ['30', 30_250],
    ['0', 250],
    ['-5', 250],
    ['1e3', 250],
    ['Wed, 21 Oct 2026 07:28:00 GMT', 250],
  ])('with Retry-After %j pauses for %d ms', async (header, pause) => {
    const http = testHttp({ tries: 2 })
    const url = await serving(httpServer((_request, response) => answer(response, 429, '', { 'retry-after': header })))
    await expect(ask(url, http)).rejects.toThrowCode('SIGN_SERVICE_FAILED')
    expect(http.pauses).toEqual([pause])
  })

  it('counts a date of Retry-After from the date of the answer', async () => {
    const http = testHttp({ tries: 2 })
    const headers = { date: 'Wed, 21 Oct 2026 07:28:00 GMT', 'retry-after': 'Wed, 21 Oct 2026 07:28:05 GMT' }
    const url = await serving(httpServer((_request, response) => answer(response, 503, '', headers)))
    await expect(ask(url, http)).rejects.toThrowCode('SIGN_SERVICE_FAILED')
    expect(http.pauses).toEqual([5250])
  })

  it('neither waits for a service that asks for more than thirty seconds, nor asks it again', async () => {
    let asked = 0
    const url = await serving(
      httpServer((_request, response) => (asked++, answer(response, 429, '', { 'retry-after': '3600' }))),
    )
    const http = testHttp()
    const error: unknown = await ask(url, http).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'SIGN_SERVICE_FAILED', details: { retryAfterSeconds: 3600 } })
    expect([asked, http.pauses]).toEqual([1, []])
  })

  it('begins no pause that ends beyond the deadline, and shortens the last try to it', async () => {
    let now = 0
    const signals: (AbortSignal | null | undefined)[] = []
    const http = testHttp({
      tries: 10,
      deadlineMs: 1_000,
      elapsed: () => now,
      sleep: async (ms) => void (now += ms),
      fetch: async (_url, init) => {
        signals.push(init.signal)
        now += 100
        return new Response('', { status: 500 })
      },
    })
    const error: unknown = await ask('http://service.invalid', http).catch((thrown: unknown) => thrown)
    // 100, pause 250, 100, pause 500, 100: the next pause would be one second.
    expect([now, signals.length]).toEqual([950 + 100, 3])
    expect((error as Error).message).toContain('asked 3 times')
  })

  it('gives a try no more time than the deadline leaves', async () => {
    const url = await serving(netServer(() => undefined))
    const error: unknown = await ask(url, testHttp({ deadlineMs: 60 })).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ details: { found: 'no whole answer within 0.06 s' } })
  })

  it('does not ask again where a certificate is not believed', async () => {
    let asked = 0
    const untrusted = Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
    const http = testHttp({
      fetch: async () => {
        asked++
        throw new TypeError('fetch failed', { cause: untrusted })
      },
    })
    const error: unknown = await ask('https://service.invalid', http).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'SIGN_SERVICE_UNREACHABLE',
      details: { found: 'self-signed certificate', hint: expect.stringContaining('NODE_EXTRA_CA_CERTS') },
    })
    expect(asked).toBe(1)
  })

  it.each([301, 302, 303, 307, 308])('refuses to follow a %d', async (status) => {
    let visited = 0
    const elsewhere = await serving(httpServer((_request, response) => (visited++, answer(response, 200, 'secret'))))
    const url = await serving(httpServer((_request, response) => answer(response, status, '', { location: elsewhere })))
    const http = testHttp()
    await expect(ask(url, http)).rejects.toThrowCode('SIGN_SERVICE_ANSWER')
    expect([visited, http.pauses]).toEqual([0, []])
  })

  it('hands a redirect to a caller who asks to see it, and does not follow it', async () => {
    const url = await serving(
      httpServer((request, response) =>
        request.url === '/' ? answer(response, 302, '', { location: '/next' }) : answer(response, 200),
      ),
    )
    const result = await ask(url, testHttp(), { redirect: 'manual' })
    expect([result.status, result.headers.get('location')]).toEqual([302, '/next'])
  })

  it('refuses an endless answer as soon as it is too large', async () => {
    let sent = 0
    const url = await serving(
      httpServer((_request, response) => {
        const piece = Buffer.alloc(256 * 1024)
        const more = (): void => {
          while (!response.destroyed && response.write(piece)) sent += piece.length
        }
        response.writeHead(200)
        response.on('drain', more)
        more()
      }),
    )
    const http = testHttp()
    await expect(ask(url, http)).rejects.toThrowCode('SIGN_SERVICE_ANSWER')
    expect(http.pauses).toEqual([])
    expect(sent).toBeLessThan(64 << 20)
  })

  it('refuses a small answer that unpacks to a large one', async () => {
    const packed = gzipSync(Buffer.alloc(16 << 20))
    const url = await serving(
      httpServer((_request, response) => answer(response, 200, packed, { 'content-encoding': 'gzip' })),
    )
    await expect(ask(url, testHttp())).rejects.toThrowCode('SIGN_SERVICE_ANSWER')
  })

  describe.each<[string, (socket: Socket) => void]>([
    ['nothing at all', (socket) => socket.destroy()],
    ['a reset', (socket) => socket.resetAndDestroy()],
    ['an answer cut off in its headers', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Le')],
    ['an answer cut off in its body', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a":')],
    [
      'an answer cut off between chunks',
      (socket) => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n'),
    ],
    ['something that is not HTTP', (socket) => socket.end('220 mail.example.com ESMTP\r\n')],
  ])('on %s', (_name, broken) => {
    it('asks again, and takes the whole answer that follows', async () => {
      let connections = 0
      const url = await serving(
        netServer((socket) =>
          socket.once('data', () =>
            ++connections < 3
              ? broken(socket)
              : socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nwhole'),
          ),
        ),
      )
      expect(text(await ask(url, testHttp()))).toBe('whole')
      expect(connections).toBe(3)
    })

    it('gives up with an error when it goes on', async () => {
      const url = await serving(netServer((socket) => socket.once('data', () => broken(socket))))
      await expect(ask(url, testHttp())).rejects.toThrowCode('SIGN_SERVICE_UNREACHABLE')
    })
  })

  it.each<[string, (socket: Socket) => void]>([
    ['never answers', () => undefined],
    ['stops in the middle of its answer', (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf')],
  ])('does not wait for ever for a service that %s', async (_name, handler) => {
    const url = await serving(netServer((socket) => socket.once('data', () => handler(socket))))
    await expect(ask(url, testHttp({ timeoutMs: 50, tries: 2 }))).rejects.toThrowCode('SIGN_SERVICE_UNREACHABLE')
  })

  it('says that nobody listens', async () => {
    const closed = await httpServer(() => undefined)
    await closed.close()
    await expect(ask(closed.url, testHttp())).rejects.toThrowCode('SIGN_SERVICE_UNREACHABLE')
  })

  it.each(['file:///etc/passwd', 'http://user:password@127.0.0.1/', 'not a URL'])(
    'cannot be sent to %s',
    async (url) => {
      await expect(ask(url, testHttp())).rejects.toThrowCode('SIGN_SERVICE_UNREACHABLE')
    },
  )

  it('throws coded errors alone', async () => {
    const error: unknown = await ask('http://x.invalid', testHttp({ tries: 0 })).catch((thrown: unknown) => thrown)
    expect(isCodedError(error)).toBe(true)
  })
})

describe('serviceUrl', () => {
  it.each(['https://ca.example.com', 'https://ca.example.com/', 'https://ca.example.com//'])('joins %s', (base) => {
    expect(serviceUrl(base, '/api/v2/signingCert')).toBe('https://ca.example.com/api/v2/signingCert')
  })
})

describe('excerpt', () => {
  it.each([
    ['{"code":14,"message":"not ready","details":[]}', 'not ready'],
    ['{"title":"Busy","status":503,"detail":"later"}', 'later'],
    ['{"error":"invalid_grant"}', '{"error":"invalid_grant"}'],
    ['{"message":7}', '{"message":7}'],
    ['{"message":"cut off', '{"message":"cut off'],
    ['<html>', '<html>'],
  ])('of %s is %s', (body, wanted) => {
    expect(excerpt(new TextEncoder().encode(body))).toBe(wanted)
  })

  it('is short and printable for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        expect(excerpt(bytes)).toMatch(/^[\x20-\x7e]{0,500}$/)
      }),
    )
  })
})
