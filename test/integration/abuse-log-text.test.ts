import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { createHttpMetrics, metricSnapshot, Registry, WorkerMetrics } from '@touchmark/service'
import { runTouchmark, type Outcome } from '../support/touchmark.js'
import { certifiedRequests, HOSTILE } from './support/hostile-entries.js'
import { send, type Answer } from './support/http.js'
import { LOG_ROUTES, SEARCH, V1_ENTRIES, V1_INDEX, V2_ENTRIES, WRITES } from './support/log-routes.js'
import { startInProcess, temporaryFolder, type InProcess } from './support/standalone.js'

// Reliability tests A2 (nothing that a client chose becomes a name of ours) and A6 (nor a command to a terminal, a page, a database, a log) for the logs.

jest.setTimeout(60_000)

// eslint-disable-next-line no-control-regex
const HARMFUL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/
let stack: InProcess
let home: Awaited<ReturnType<typeof temporaryFolder>>

beforeAll(async () => {
  ;[stack, home] = await Promise.all([startInProcess(), temporaryFolder()])
})
afterAll(async () => {
  await stack.close()
  await home.remove()
})

const seriesOf = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.slice(0, line.lastIndexOf(' ')))
    .sort()

describe('A2: the number of names is fixed', () => {
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND', 'SEARCH', 'MKCOL']
  /** Every route with every method, and random texts wherever a client may choose one. */
  const round = async (mark: string): Promise<void> => {
    const nowhere = Array.from({ length: 20 }, (_, i) => `/${mark}${i}/x`)
    const asked = [...LOG_ROUTES, ...nowhere.map((path) => ({ path }))].flatMap(({ path }) =>
      methods.map((method) => ({ path, method })),
    )
    for (let i = 0; i < asked.length; i += 40) {
      const part = asked.slice(i, i + 40).map(({ path, method }, j) => {
        const text = `${mark}${i + j}${Math.random().toString(36).slice(2)}`
        const headers = {
          host: `${text}.example`,
          'user-agent': text,
          referer: text,
          'x-request-id': text,
          traceparent: `00-${text}`,
          'x-forwarded-for': text,
          'content-type': `application/${text}`,
          authorization: `Bearer ${text}`,
        }
        const target = j % 2 === 0 ? `${path}${path.includes('?') ? '&' : '?'}${text}=${text}` : `${path}/${text}`
        return send(stack.url, target, { method, headers, ...(method === 'POST' ? { body: `{"${text}":1}` } : {}) })
      })
      for (const { status } of await Promise.all(part)) expect(status === 501 || status < 500).toBe(true)
    }
  }

  it('of metrics and of what a log line has, on every route of the logs', async () => {
    const { origin, pathname } = new URL(stack.standalone.greeting.metricsUrl)
    const series = async (): Promise<string[]> => seriesOf((await send(origin, pathname)).text)
    // The runtime has names of its own that come and go; those that a request can make are the product's.
    const ours = async (): Promise<string[]> => (await series()).filter((name) => name.startsWith('touchmark_'))
    await round('first')
    const before = await ours()
    await round('marker')
    expect(await ours()).toEqual(before)
    expect((await series()).filter((name) => /marker|first/.test(name))).toEqual([])
    const known = new Set(
      before.map((name) => /method="([^"]*)"/.exec(name)?.[1]).filter((method) => method !== undefined),
    )
    for (const method of known) expect([...methods.slice(0, 7), 'other']).toContain(method)
    const apis = new Set(before.map((name) => /api="([^"]*)"/.exec(name)?.[1]).filter((api) => api !== undefined))
    for (const api of apis) expect(['none', '/', '/ct', '/api/v1/log', '/api/v1/index', '/api/v2/log', '/api/v2/checkpoint', '/api/v2/tile', SEARCH]).toContain(api) // prettier-ignore
    const lines = stack.logged().split('\n').filter((line) => line.includes('"msg":"request"')) // prettier-ignore
    expect(lines.length).toBeGreaterThanOrEqual(2 * LOG_ROUTES.length * methods.length)
    expect(lines.filter((line) => /marker|first/.test(line))).toEqual([])
    const members = new Set(lines.flatMap((line) => Object.keys(JSON.parse(line) as object)))
    expect([...members].sort()).toEqual(['api', 'id', 'level', 'method', 'ms', 'msg', 'status', 'time'])
  })

  it('of metrics when workers come and go', async () => {
    const own = new Registry()
    const workers = new Map<number, Registry>()
    const ask = async () =>
      new Map(await Promise.all([...workers].map(async ([id, one]) => [id, await metricSnapshot(one)] as const)))
    const metrics = new WorkerMetrics(own, ask)
    const sizes = []
    for (let id = 0; id < 20; id++) {
      const registry = new Registry()
      workers.set(id, registry)
      const http = createHttpMetrics(registry)
      for (const method of methods) for (const status of [200, 404, 503]) http.observe('/api', method + (method === 'MKCOL' ? id : ''), status, 0.1) // prettier-ignore
      sizes.push(seriesOf(await metrics.metrics()).length)
      workers.delete(id)
      await metrics.ended(id)
      sizes.push(seriesOf(await metrics.metrics()).length)
    }
    expect(new Set(sizes).size).toBe(1)
  })
})

describe('A6: names that are more than a name', () => {
  const SERIAL = 0x7f0102030405060708n
  const names = Object.entries(HOSTILE)
  const indexes = new Map<string, string>()
  const post = (path: string, body: string): Promise<Answer> =>
    send(stack.url, path, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
  const search = async (question: string): Promise<Answer & { hits: unknown[] }> => {
    const answer = await send(stack.url, `${SEARCH}?${question}`)
    return { ...answer, hits: (JSON.parse(answer.text) as { hits?: unknown[] }).hits ?? [] }
  }

  beforeAll(async () => {
    for (const [what, identity] of names) {
      const requests = await certifiedRequests(identity, SERIAL)
      const [v2, v1] = [await post(V2_ENTRIES, requests.v2), await post(V1_ENTRIES, requests.v1)]
      expect([v2.status, v1.status]).toEqual([201, 201])
      for (const { text } of [v2, v1]) expect(text.trimEnd()).not.toMatch(HARMFUL)
      indexes.set(what, (JSON.parse(v2.text) as { logIndex: string }).logIndex)
    }
    while ((await search(`serial=${SERIAL.toString(16)}&limit=100`)).hits.length < 2 * names.length)
      await new Promise((resolve) => setTimeout(resolve, 20))
  })

  it.each(names)('with %s: found by it, whatever it is to a database or a page', async (_, identity) => {
    const answer = await search(`identity=${encodeURIComponent(identity)}`)
    expect([answer.status, answer.hits.length]).toEqual([200, 2])
    expect(answer.text).not.toMatch(HARMFUL)
    expect(answer.text).not.toMatch(/[<>]/)
    expect(answer.headers['content-type']).toBe('application/json')
    const ids = await post(V1_INDEX, JSON.stringify({ email: identity }))
    expect(ids.text.trimEnd()).not.toMatch(HARMFUL)
    expect(ids.status < 500).toBe(true)
    expect((await stack.db.query<{ n: number }>('select count(*)::int as n from log_entries'))[0]!.n).toBeGreaterThan(3)
  })

  it.each(names)('with %s: does nothing in an error or a log, wherever it stands in a request', async (_, identity) => {
    const text = encodeURIComponent(identity)
    const member = JSON.stringify(identity)
    const answers = await Promise.all([
      ...WRITES.map((path) => post(path, `{${member}:1}`)),
      ...WRITES.map((path) => post(path, identity)),
      post(V1_ENTRIES, `{"kind":${member},"apiVersion":${member},"spec":{}}`),
      post(V2_ENTRIES, `{"hashedRekordRequestV002":{"signature":{"verifier":{"keyDetails":${member}}}}}`),
      post(V1_INDEX, `{"email":${member},"operator":${member}}`),
      send(stack.url, `/api/v2/tile/${text}/000`),
      send(stack.url, `${V1_ENTRIES}/${text}`),
      send(stack.url, `/api/v1/log/proof?lastSize=${text}&treeID=${text}`),
      send(stack.url, `${SEARCH}?${text}=1`),
      send(stack.url, `${SEARCH}?identity=a&after=${text}`),
      send(stack.url, `/ct/v1/get-entries?start=${text}&end=1`),
    ])
    for (const { status, text: body, headers } of answers) {
      expect(status).toBeLessThan(500)
      expect(body.trimEnd()).not.toMatch(HARMFUL)
      expect(JSON.stringify(headers)).not.toMatch(HARMFUL)
      expect(headers['content-type'] ?? '').not.toContain('html')
    }
    const logged = stack.logged()
    expect(logged).not.toMatch(HARMFUL)
    for (const line of logged.split('\n').filter((one) => one !== '')) expect(JSON.parse(line)).toHaveProperty('level')
    expect(stack.errors()).toEqual([])
  })

  it('do nothing to the terminal of log show and log search', async () => {
    const touchmark = (...args: string[]): Promise<Outcome> =>
      runTouchmark(args, { environment: { TOUCHMARK_HOME: home.path, TOUCHMARK_INSTANCE: stack.url } })
    const shown = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await touchmark(...args)
      expect([args, code, stderr]).toEqual([args, 0, ''])
      expect(stdout).not.toMatch(HARMFUL)
      expect(stdout.split('\n').filter((line) => line.startsWith('proven: nothing'))).toEqual([])
      return stdout
    }
    await shown('trust', 'use', stack.url)
    const bySerial = ['log', 'search', '--serial', SERIAL.toString(16), '--limit', '100']
    const said = await shown(...bySerial)
    for (const escaped of ['drop table', '\\u001b[2j', '\\u000d\\u000aproven', '\\u202emoc', '<script>']) expect(said).toContain(escaped) // prettier-ignore
    const { hits } = JSON.parse(await shown(...bySerial, '--json')) as { hits: unknown[] }
    expect(hits).toHaveLength(2 * names.length)
    expect((JSON.parse(await shown('log', 'search', '--identity', HOSTILE['ansi']!, '--json')) as { hits: unknown[] }).hits).toHaveLength(2) // prettier-ignore
    for (const index of indexes.values()) expect(await shown('log', 'show', index)).toContain(`index      ${index} of `)
    await shown('log', 'show', indexes.get('ansi')!, '--json')
  })
})
