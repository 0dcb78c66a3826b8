import { sign } from 'node:crypto'
import { connect } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { RefusalPace } from '@touchmark/app-log'
import { systemClock } from '@touchmark/clock'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { openLog } from '@touchmark/ledger'
import { serveLog, serveLogV1, type Answer, type LogServer } from '../../apps/log/src/testing/serve.js'
import { entryRequest } from '../support/log-writer.js'
import { openBothLogs, type BothLogs } from './support/both-logs.js'
import { forged, privateKey, publicKey, publicKeyContent, v1Request } from './support/flood-requests.js'
import { send } from './support/http.js'
import { startInProcess } from './support/standalone.js'

// Reliability test A3: writes that bring no new entry are answered at a pace of their own, and new entries are not. The pace here is one answer in a day.

jest.setTimeout(60_000)
let both: BothLogs
beforeAll(async () => {
  both = await openBothLogs()
  await serve(new RefusalPace())
  await Promise.all([toV2(known), toV1(knownV1), toV2(largeDsse), toV1(largeIntoto)])
  await close()
})
afterAll(() => both.close())

/** The validation thread as it is, but that it gives back at once what it has been handed: memory is measured here. */
const THREAD = new URL('../../apps/log/dist/validation/validation-thread.js', import.meta.url)
const COLLECTING = new URL(
  `data:text/javascript,${encodeURIComponent(`import { setFlagsFromString } from 'node:v8'
  import { runInNewContext } from 'node:vm'
  import { parentPort } from 'node:worker_threads'
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc')
  await import('${THREAD.href}')
  parentPort.on('message', () => setImmediate(collectGarbage))`)}`,
)

const BURST = 2
let pace: RefusalPace
let v2: LogServer
let v1: LogServer
async function serve(refusals: RefusalPace): Promise<void> {
  pace = refusals
  const validation = { program: COLLECTING }
  v2 = await serveLog({ log: both.log, refusals, validation })
  v1 = await serveLogV1({
    trees: { trees: () => [both.tree] },
    clock: systemClock,
    crypto: nodeCrypto,
    refusals,
    validation,
  })
}
async function close(): Promise<void> {
  pace.open()
  await Promise.all([v2.close(), v1.close()])
}
beforeEach(() => serve(new RefusalPace({ perSecond: 1 / 86_400, burst: BURST })))
afterEach(close)

const headers = { 'content-type': 'application/json' }
const toV2 = (body: string | Uint8Array, signal?: AbortSignal): Promise<Answer> =>
  v2.call('/api/v2/log/entries', { method: 'POST', body, headers, ...(signal === undefined ? {} : { signal }) })
const toV1 = (body: string | Uint8Array): Promise<Answer> =>
  v1.call('/api/v1/log/entries', { method: 'POST', body, headers })

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** A large statement, signed, for each API. */
const statement = Buffer.from(JSON.stringify({ _type: 'https://in-toto.io/Statement/v1', subject: [{ name: 'a', digest: { sha256: 'ab'.repeat(32) } }], predicateType: 'https://example.com/p', predicate: { text: 'a'.repeat(2 << 20) } })) // prettier-ignore
const TYPE = 'application/vnd.in-toto+json'
const sig = sign('sha256', Buffer.concat([Buffer.from(`DSSEv1 ${TYPE.length} ${TYPE} ${statement.length} `), statement]), privateKey).toString('base64') // prettier-ignore
const rawBytes = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
const largeDsse = Buffer.from(
  JSON.stringify({
    dsseRequestV002: {
      envelope: { payload: statement.toString('base64'), payloadType: TYPE, signatures: [{ sig }] },
      verifiers: [{ publicKey: { rawBytes }, keyDetails: 'PKIX_ECDSA_P256_SHA_256' }],
    },
  }),
)
const envelope = JSON.stringify({ payload: statement.toString('base64'), payloadType: TYPE, signatures: [{ sig }] })
const largeIntoto = Buffer.from(
  JSON.stringify({
    apiVersion: '0.0.1',
    kind: 'dsse',
    spec: { proposedContent: { envelope, verifiers: [publicKeyContent] } },
  }),
)

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** In the log from the beginning. */
const known = entryRequest()
const knownV1 = v1Request()

describe('A3: the pace of refusals', () => {
  it('holds no new entry', async () => {
    const answers = await Promise.all([1, 2, 3, 4, 5].flatMap(() => [toV2(entryRequest()), toV1(v1Request())]))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
    expect(pace.held).toBe(0)
  })

  it.each([
    ['invalid signatures', forged, 400, toV2],
    ['what is no request', () => '{', 400, toV2],
    ['one duplicate', () => known, 201, toV2],
    ['invalid signatures, API v1', () => v1Request(false), 400, toV1],
    ['what is no request, API v1', () => '{', 400, toV1],
    ['one duplicate, API v1', () => knownV1, 409, toV1],
  ] as [string, () => string, number, (body: string) => Promise<Answer>][])(
    'holds %s, and nobody who brings a new one',
    async (_, body, status, send) => {
      const ended: number[] = []
      const flood = Array.from({ length: 10 }, async () => ended.push((await send(body())).status))
      await until(() => ended.length === BURST && pace.held === 10 - BURST)
      const honest = [toV2(entryRequest()), toV1(v1Request()), toV2(entryRequest()), toV1(v1Request())]
      expect((await Promise.all(honest)).map((answer) => answer.status)).toEqual([201, 201, 201, 201])
      expect([ended.length, pace.held]).toEqual([BURST, 10 - BURST])
      // A process that ends answers all of them.
      pace.open()
      await Promise.all(flood)
      expect(ended).toEqual(Array(10).fill(status))
    },
  )

  it('counts both APIs together', async () => {
    const refused = [await toV2(forged()), await toV1(v1Request(false))]
    expect(refused.map(({ status }) => status)).toEqual([400, 400])
    const held = [toV2(forged()), toV1(v1Request(false))]
    await until(() => pace.held === 2)
    pace.open()
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual([400, 400])
  })

  it.each([
    ['what is no entry', (): Buffer => Buffer.from(`{"hashedRekordRequestV002":"${'a'.repeat(3 << 20)}"}`), toV2, 400],
    ['what is no entry, API v1', (): Buffer => Buffer.from(`{"kind":"${'a'.repeat(3 << 20)}"}`), toV1, 422],
    ['a duplicate', (): Buffer => largeDsse, toV2, 201],
    ['a duplicate, API v1', (): Buffer => largeIntoto, toV1, 409],
  ] as const)('keeps no body while its answer waits: %s', async (_, bodyOf, send, status) => {
    const body = bodyOf()
    await Promise.all(Array.from({ length: BURST }, () => toV2(forged())))
    const used = (): number => {
      collectGarbage()
      // Buffers are given back by a thread of V8's, which the next collection waits for.
      collectGarbage()
      const { heapUsed, arrayBuffers } = process.memoryUsage()
      return (heapUsed + arrayBuffers) / (1 << 20)
    }
    const before = used()
    const held = Array.from({ length: 50 }, () => send(body))
    await until(() => pace.held === 50)
    await new Promise((resolve) => setTimeout(resolve, 50))
    // Fifty bodies of three MiB, in buffers of four.
    expect(used() - before).toBeLessThan(100)
    pace.open()
    expect(new Set((await Promise.all(held)).map((answer) => answer.status))).toEqual(new Set([status]))
  })

  it('keeps nothing of a client that went away', async () => {
    await Promise.all(Array.from({ length: BURST }, () => toV2(forged())))
    const leaving = new AbortController()
    const asked = toV2(forged(), leaving.signal)
    await until(() => pace.held === 1)
    leaving.abort()
    await expect(asked).rejects.toThrow('aborted')
    await until(() => pace.held === 0)
  })

  it('tells those at once who came at a bad moment and are to come again: too many wait, the time is over, the log is closed', async () => {
    await Promise.all(Array.from({ length: BURST }, () => toV2(forged())))
    const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
    const full = await openLog({ db: both.db, kind: 'signature-v2', origin: 'full.example.com', signer, clock: systemClock, maxWaiting: 1 }) // prettier-ignore
    const server = await serveLog({ log: full, refusals: pace })
    const write = (more: Record<string, string> = {}): Promise<Answer> =>
      server.call('/api/v2/log/entries', { method: 'POST', body: entryRequest(), headers: { ...headers, ...more } })
    await both.db.withClient(async (held) => {
      await held.query('begin')
      await held.query(`select id from logs where origin = 'full.example.com' for update`)
      // It is handed over, and what waits behind it is too much.
      const late = await write({ 'grpc-timeout': '100m' })
      expect([late.status, pace.held]).toEqual([504, 0])
      const pushedBack = await write()
      expect([pushedBack.status, pushedBack.headers['retry-after'], pace.held]).toEqual([503, '1', 0])
      await held.query('rollback')
    })
    await full.close()
    expect([(await write()).status, pace.held]).toEqual([503, 0])
    await server.close()
  })
})

it('A3: who waits is counted, and a server that ends answers all of them at once', async () => {
  const stack = await startInProcess()
  const request = 'POST /api/v2/log/entries HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\n\r\n{'
  let answered = 0
  const ended = Array.from({ length: 1_200 }, () => {
    const socket = connect(stack.port, '127.0.0.1', () => socket.write(request))
    socket.on('data', (bytes) => (answered += String(bytes).startsWith('HTTP/1.1 400 ') ? 1 : 0))
    return new Promise((resolve) => socket.once('close', resolve))
  })
  const held = async (): Promise<number> => {
    const { text } = await send(stack.standalone.greeting.metricsUrl.replace(/\/metrics$/, ''), '/metrics')
    return Number(/^touchmark_log_answers_held (\d+)$/m.exec(text)![1])
  }
  // Until all have arrived, but for those that are on their way between the two counts.
  for (let there = 0; there < 1_180;) {
    await new Promise((resolve) => setTimeout(resolve, 200))
    there = answered
    there += await held()
  }
  await new Promise((resolve) => setTimeout(resolve, 300))
  // Several hundred wait on a quiet machine; within its second of draining the pace would let a hundred of them go.
  await stack.close()
  await Promise.all(ended)
  expect(answered).toBe(1_200)
})
