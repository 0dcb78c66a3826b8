import { connect } from 'node:net'
import { PassThrough } from 'node:stream'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ManualClock } from '@touchmark/clock'
import express, { type Request, type Response } from 'express'
import type { ApiShape } from './api-shape.js'
import { edge, requestId, sendProblem } from './edge.js'
import { Health } from './health.js'
import { listen, type HttpServer } from './http-server.js'
import { createLogger } from './logger.js'
import { createHttpMetrics, Registry } from './metrics.js'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

const api: ApiShape = {
  prefix: '/api',
  routes: [
    { method: 'GET', path: /^\/api\/(echo|slow|fail)$/ },
    { method: 'GET', path: /^\/api\/files\/[a-z]+$/ },
    { method: 'HEAD', path: /^\/api\/files\/[a-z]+$/ },
    { method: 'POST', path: /^\/api\/echo$/ },
  ],
  notFound: (_request, response) => void response.status(404).end('api: nothing here'),
  methodNotAllowed: (_request, response, allowed) => void response.status(405).end(`api: ${allowed.join(' ')}`),
}

let server: HttpServer
let trouble: string | undefined
let reached: string[]
const clock = new ManualClock('2026-01-01T00:00:00Z')
const registry = new Registry()
const lines = new PassThrough()

beforeAll(async () => {
  const health = new Health(clock)
  health.add('database', () => trouble)
  reached = []
  const handler = express()
  const logger = createLogger({ level: 'debug', destination: lines })
  const hot = { method: 'GET', path: '/api/files/', handle: answerHot }
  const hotRoutes = () => [hot, { method: 'POST', path: '/api/echo', handle: answerHot }]
  handler.use(edge({ shapes: [api], health, metrics: createHttpMetrics(registry), logger, hotRoutes }))
  handler.use((message, response) => {
    reached.push(message.url)
    if (message.path === '/api/slow') return
    response.status(message.path === '/api/fail' ? 500 : 200).end(requestId(response))
  })
  server = await listen(handler, '127.0.0.1', 0)
})
afterAll(() => server.drain(0))

function answerHot(request: Request, response: Response): void {
  response.status(200).end(`hot ${request.path} ${requestId(response)}`)
}

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}
function ask(path: string, method = 'GET', headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    httpRequest({ host: '127.0.0.1', port: server.port, path, method, headers, agent: false }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
    })
      .on('error', reject)
      .end()
  })
}

describe('edge', () => {
  it('makes a new id for each request, whatever the client sends', async () => {
    const ids = await Promise.all(
      ['x-request-id', 'x-correlation-id', 'traceparent'].map((name) => ask('/api/echo', 'GET', { [name]: 'mine' })),
    )
    for (const { text } of ids) expect(text).toMatch(UUID)
    expect(new Set(ids.map(({ text }) => text)).size).toBe(3)
  })

  it('answers what is in no table, and no handler sees it', async () => {
    reached.length = 0
    const { status, headers, text } = await ask('/nothing')
    expect([status, headers['content-type']]).toEqual([404, 'application/problem+json'])
    expect(JSON.parse(text)).toEqual({
      type: 'about:blank',
      status: 404,
      code: 'NOT_FOUND',
      detail: 'There is nothing at this path.',
      requestId: expect.stringMatching(UUID) as unknown,
    })
    expect(await ask('/api/other')).toMatchObject({ status: 404, text: 'api: nothing here' })
    expect(await ask('/api/echo', 'DELETE')).toMatchObject({ status: 405, text: 'api: GET POST' })
    expect(reached).toEqual([])
  })

  it.each(['//api/echo?x=1', 'http://evil.example/api/echo?x=1', '/%61pi/echo?x=1'])(
    'reads %s as /api/echo',
    async (path) => {
      reached.length = 0
      expect((await ask(path)).status).toBe(200)
      expect(reached).toEqual(['/api/echo?x=1'])
    },
  )

  it.each(['/%zz', '/api/%ff', '/api/echo%'])('refuses the broken escapes of %s', async (path) => {
    const { status, text } = await ask(path)
    expect([status, (JSON.parse(text) as { code: string }).code]).toEqual([400, 'PATH_INVALID'])
  })

  it('hands hot routes on by itself, after the route table, and all others to the router', async () => {
    reached.length = 0
    expect((await ask('//api/files/abc?x=1')).text).toMatch(new RegExp(`^hot /api/files/abc ${UUID.source.slice(1)}`))
    expect((await ask('/api/echo', 'POST')).text).toMatch(/^hot \/api\/echo /)
    expect((await ask('/api/files/ABC')).text).toBe('api: nothing here')
    expect(reached).toEqual([])
    await ask('/api/files/abc', 'HEAD')
    await ask('/api/echo')
    expect(reached).toEqual(['/api/files/abc', '/api/echo'])
  })

  it('tells health in the words that probes read', async () => {
    trouble = undefined
    clock.advance(1000)
    const good = await ask('/healthz?any=query')
    expect([good.status, good.text, good.headers['content-type'], good.headers['cache-control']]).toEqual([
      200,
      '{"status":"SERVING"}\n',
      'application/json',
      'no-store',
    ])
    expect(await ask('/readyz')).toMatchObject({ status: 200, text: '{"ready":true,"checks":{"database":"ok"}}\n' })
    trouble = 'it is gone'
    clock.advance(1000)
    expect(await ask('/healthz')).toMatchObject({ status: 503, text: '{"status":"NOT_SERVING"}\n' })
    expect(await ask('/readyz')).toMatchObject({
      status: 503,
      text: '{"ready":false,"checks":{"database":"it is gone"}}\n',
    })
    expect(await ask('/healthz', 'POST')).toMatchObject({
      status: 501,
      text: '{"code":12,"message":"Method Not Allowed","details":[]}',
    })
    expect((await ask('/readyz', 'POST')).status).toBe(405)
    expect((await ask('/readyz', 'HEAD')).status).toBe(503)
  })

  it('keeps a fixed number of series and no path or agent of a client in a log (A2)', async () => {
    const count = async (): Promise<number> => (await registry.metrics()).split('\n').length
    await manyRandom(500)
    const before = await count()
    await manyRandom(10_000)
    expect(await count()).toBe(before)
    expect(String(lines.read())).not.toContain('marker')
  }, 60_000)

  it('counts a client that went away as that, not as a success', async () => {
    const socket = connect(server.port, '127.0.0.1')
    socket.write('GET /api/slow HTTP/1.1\r\nhost: a\r\n\r\n')
    const before = reached.length
    while (reached.length === before) await new Promise((resolve) => setTimeout(resolve, 5))
    socket.destroy()
    expect(await lineWith('"status":499')).toMatchObject({ level: 20, api: '/api', method: 'GET' })
  })

  it('warns of its own failures', async () => {
    await ask('/api/fail')
    expect(await lineWith('"status":500')).toMatchObject({ level: 40, api: '/api', method: 'GET' })
  })
})

/** The log line that holds a text; it is written a moment after the answer. */
async function lineWith(text: string): Promise<unknown> {
  for (let all = ''; ; all += String(lines.read() ?? '')) {
    const found = all.split('\n').find((line) => line.includes(text))
    if (found !== undefined) return JSON.parse(found)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Random paths and methods over a few connections, many requests in each. */
async function manyRandom(total: number): Promise<void> {
  const methods = ['GET', 'POST', 'PUT', 'PROPFIND', 'MKCOL', 'SEARCH', 'LINK']
  const perConnection = 250
  for (let done = 0; done < total; done += perConnection) {
    await new Promise<void>((resolve) => {
      const socket = connect(server.port, '127.0.0.1')
      socket.on('error', () => undefined).resume()
      socket.once('close', () => resolve())
      for (let i = 0; i < perConnection; i++) {
        const n = done + i
        const path = n % 2 === 0 ? `/marker-${n}` : `/api/marker-${n}`
        const last = i === perConnection - 1 ? 'connection: close\r\n' : ''
        socket.write(
          `${methods[n % methods.length]} ${path} HTTP/1.1\r\nhost: a\r\nuser-agent: marker-${n}\r\n${last}\r\n`,
        )
      }
    })
  }
}

describe('sendProblem', () => {
  it('needs no edge before it', () => {
    const sent: unknown[] = []
    const response = {
      locals: {},
      status: () => response,
      setHeader: () => response,
      end: (body: string) => sent.push(JSON.parse(body)),
    }
    sendProblem(response as never, 418, 'X', 'y')
    expect(sent).toEqual([{ type: 'about:blank', status: 418, code: 'X', detail: 'y', requestId: 'none' }])
  })
})
