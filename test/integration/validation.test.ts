import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { Validation, type ValidationOptions } from '@touchmark/app-log'
import { systemClock } from '@touchmark/clock'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { openLog, type Log } from '@touchmark/ledger'
import { testDatabase, type TestDatabase } from '@touchmark/testkit'
import { serveLog, serveLogV1, type Answer, type LogServer } from '../../apps/log/src/testing/serve.js'
import { entryRequest } from '../support/log-writer.js'
import { v1Request } from './support/flood-requests.js'
import { send } from './support/http.js'
import { startInProcess } from './support/standalone.js'
import { openV1Tree, type TestV1Tree } from './support/v1-log.js'

// What the routes answer when the thread that validates is busy, full or gone.

jest.setTimeout(60_000)
let db: TestDatabase
let log: Log
let tree: TestV1Tree
beforeAll(async () => {
  db = await testDatabase()
  const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
  log = await openLog({ db, kind: 'signature-v2', origin: 'log.example.com', signer, clock: systemClock })
  tree = await openV1Tree(db, systemClock)
})
afterAll(async () => {
  await Promise.all([log.close(), tree.log.close()])
  await db.drop()
})

const servers: LogServer[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
  jest.restoreAllMocks()
})

const thread = (onMessage: string): URL =>
  new URL(
    `data:text/javascript,${encodeURIComponent(`import { parentPort } from 'node:worker_threads'
    parentPort.on('message', () => { ${onMessage} })
    parentPort.postMessage('ready')`)}`,
  )
const SILENT = thread('')

interface Route {
  readonly server: LogServer
  post(body?: string, more?: { headers?: Record<string, string>; signal?: AbortSignal }): Promise<Answer>
}

async function serve(name: string, validation: ValidationOptions): Promise<Route> {
  const v1 = { trees: { trees: () => [tree] }, clock: systemClock, crypto: nodeCrypto }
  const server = await (name === V2 ? serveLog({ log, validation }) : serveLogV1({ ...v1, validation }))
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
    const first = post(undefined, { signal: leaving.signal })
    let answer: Answer
    // Whichever of the two came first.
    do answer = await post(undefined, { signal: AbortSignal.timeout(200) }).catch(() => ({ status: 0 }) as Answer)
    while (answer.status === 0)
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1'])
    leaving.abort()
    await expect(first).rejects.toThrow()
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
    const { server, post } = await serve(name, { program: thread('process.exit(1)') })
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
