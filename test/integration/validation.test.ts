import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { Validation, type ValidationOptions } from '@touchmark/app-log'
import { systemClock } from '@touchmark/clock'
import { nodeCrypto } from '@touchmark/crypto/node'
import { serveLog, serveLogV1, type Answer, type LogServer } from '../../apps/log/src/testing/serve.js'
import { threadProgram } from '../../apps/log/src/testing/thread-program.js'
import { entryRequest } from '../support/log-writer.js'
import { openBothLogs, type BothLogs } from './support/both-logs.js'
import { v1Request } from './support/flood-requests.js'
import { send } from './support/http.js'
import { startInProcess } from './support/standalone.js'

// What the routes answer when the thread that validates is busy, full or gone.

jest.setTimeout(60_000)
let both: BothLogs
beforeAll(async () => {
  both = await openBothLogs()
})
afterAll(() => both.close())

const servers: LogServer[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
  jest.restoreAllMocks()
})

const SILENT = threadProgram('')

interface Route {
  readonly server: LogServer
  post(body?: string, more?: { headers?: Record<string, string>; signal?: AbortSignal }): Promise<Answer>
}

async function serve(name: string, validation: ValidationOptions): Promise<Route> {
  const v1 = { trees: { trees: () => [both.tree] }, clock: systemClock, crypto: nodeCrypto }
  const server = await (name === V2 ? serveLog({ log: both.log, validation }) : serveLogV1({ ...v1, validation }))
  servers.push(server)
  const ask = name === V2 ? entryRequest() : name === V1 ? v1Request() : JSON.stringify({ logIndexes: [0] })
  return {
    server,
    post: (body = ask, { headers = {}, signal } = {}) =>
      server.call(name, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', ...headers },
        ...(signal === undefined ? {} : { signal }),
      }),
  }
}
const V2 = '/api/v2/log/entries'
const V1 = '/api/v1/log/entries'
const ROUTES = [V2, V1, '/api/v1/log/entries/retrieve']

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

describe.each(ROUTES)('%s', (name) => {
  it('is to be asked again when too many wait', async () => {
    const { post } = await serve(name, { program: SILENT, maxWaiting: 1 })
    const leaving = new AbortController()
    const asked = [1, 2].map(() => post(undefined, { signal: leaving.signal }))
    // Whichever comes second.
    const { status, headers } = await Promise.race(asked)
    expect([status, headers['retry-after']]).toEqual([503, '1'])
    leaving.abort()
    const ends = (await Promise.allSettled(asked)).map((end) => end.status)
    expect(ends.sort()).toEqual(['fulfilled', 'rejected'])
  })

  it('validates nothing for a client who has left', async () => {
    const { server, post } = await serve(name, { program: SILENT })
    // Larger than what the thread is given ahead: the second one waits.
    const large = JSON.stringify({ a: 'a'.repeat(2 << 20) })
    const leaving = [new AbortController(), new AbortController()]
    const asked = leaving.map(({ signal }) => post(large, { signal }))
    await new Promise((resolve) => setTimeout(resolve, 300))
    for (const one of leaving) one.abort()
    await Promise.allSettled(asked)
    await until(() => server.reports.length > 0)
    expect(server.reports).toEqual([{ code: 'LEDGER_CANCELLED', ours: false }])
  })

  it('is to be asked again when the thread is gone, which is our fault', async () => {
    const { server, post } = await serve(name, { program: threadProgram('process.exit(1)') })
    for (let i = 0; i < 2; i++) {
      const { status, headers, text } = await post()
      expect([status, text]).toEqual([503, expect.stringContaining('cannot take entries at this moment')])
      if (name === V2) expect(headers['retry-after']).toBe('1')
    }
    expect(server.reports).toEqual(Array(2).fill({ code: 'LOG_VALIDATION_FAILED', ours: true }))
  })
})

it('counts the time of validation for the deadline of the client', async () => {
  const { post } = await serve(V2, { program: SILENT })
  expect((await post(undefined, { headers: { 'grpc-timeout': '50m' } })).status).toBe(504)
})

it('ends the process with the thread, and shows who waits', async () => {
  const start = Validation.start.bind(Validation)
  jest.spyOn(Validation, 'start').mockImplementation(() => start({ program: SILENT, watchMs: 200 }))
  const stack = await startInProcess()
  try {
    const asked = send(stack.url, V2, { method: 'POST', body: entryRequest() })
    const metrics = stack.standalone.greeting.metricsUrl.replace(/\/metrics$/, '')
    let text = ''
    while (!/^touchmark_log_validations_waiting 1$/m.test(text)) ({ text } = await send(metrics, '/metrics'))
    await expect(stack.standalone.failed).resolves.toMatchObject({ code: 'LOG_VALIDATION_FAILED' })
    expect((await asked).status).toBe(503)
  } finally {
    await stack.close()
  }
})
