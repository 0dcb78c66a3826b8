import { readFileSync, rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { Agent, request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { openDatabase, type Database } from '@touchmark/postgres'
import { testDatabase, type TestDatabase } from '@touchmark/testkit'
import { entryRequest, leafHashOf } from '../support/log-writer.js'
import { readWholeLog } from '../support/read-log.js'
import { freePort, startStack, type StackProcess } from '../support/stack.js'

const MINUTES = Number(process.env['TOUCHMARK_FAULT_MINUTES'] ?? 0)
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

interface Outcome {
  /** 0: no answer. */
  readonly status: number
  readonly retryAfter: string | undefined
  readonly index?: bigint
  readonly leafHash?: string
}

let db: TestDatabase
let folder: string
let port: number
let stack: StackProcess
let agent: Agent
/** Connections that hold the tree's row: what the service cannot end. */
let stranger: Database

beforeAll(async () => {
  ;[db, folder, port] = await Promise.all([testDatabase(), mkdtemp(join(tmpdir(), 'touchmark-service-')), freePort()])
  stranger = await openDatabase({ url: db.url, poolSize: 1, idleInTransactionTimeoutMs: 0 })
  stack = await start()
}, 60_000)
afterAll(async () => {
  await stack.stop()
  await stranger.close()
  await db.drop()
  rmSync(folder, { recursive: true, force: true })
}, 60_000)

const start = (): Promise<StackProcess> => {
  agent = new Agent({ keepAlive: true, maxSockets: Infinity })
  const environment = { TOUCHMARK_PASSPHRASE: 'correct horse battery staple' }
  return startStack({ port, data: join(folder, 'data'), args: ['--database-url', db.url], environment })
}

/** Sends one entry. Never rejects: no answer is an outcome too. `taken` is told when the service has begun with the request. */
function write(taken?: () => void): Promise<Outcome> {
  const body = entryRequest()
  return new Promise((resolve) => {
    const nothing = { status: 0, retryAfter: undefined }
    const options = { host: '127.0.0.1', port, method: 'POST', path: '/api/v2/log/entries', agent, timeout: 60_000 }
    const headers = {
      'content-length': Buffer.byteLength(body),
      ...(taken === undefined ? {} : { expect: '100-continue' }),
    }
    const request = httpRequest({ ...options, headers }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('error', () => resolve(nothing))
      response.on('end', () => {
        const status = response.statusCode ?? 0
        const retryAfter = response.headers['retry-after']
        if (status !== 201) return resolve({ status, retryAfter })
        const answer = JSON.parse(text) as { logIndex: string; canonicalizedBody: string }
        resolve({ status, retryAfter, index: BigInt(answer.logIndex), leafHash: leafHashOf(answer.canonicalizedBody) })
      })
    })
    request.on('timeout', () => request.destroy())
    request.on('error', () => resolve(nothing))
    if (taken === undefined) return void request.end(body)
    request.flushHeaders()
    request.on('continue', () => {
      request.end(body)
      taken()
    })
  })
}

/** Holds the tree's row, so that nothing is appended until `let go`. */
async function holdTree<T>(work: (letGo: () => Promise<void>) => Promise<T>): Promise<T> {
  return stranger.withClient(async (client) => {
    await client.query('begin')
    await client.query(`select id from logs where kind = 'signature-v2' for update`)
    let held = true
    const letGo = async (): Promise<void> => {
      if (held) await client.query('rollback')
      held = false
    }
    try {
      return await work(letGo)
    } finally {
      await letGo()
    }
  })
}

async function expectAllLogged(outcomes: readonly Outcome[]): Promise<void> {
  const log = await readWholeLog(stack.url)
  const acknowledged = outcomes.filter(({ status }) => status === 201)
  expect(acknowledged.filter(({ index, leafHash }) => log.leafHashes[Number(index)] !== leafHash)).toEqual([])
  expect(new Set(acknowledged.map(({ index }) => index)).size).toBe(acknowledged.length)
}

/** Most memory that the process ever had, in MiB. */
function peakMemory(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

describe('F4: SIGTERM', () => {
  afterEach(async () => {
    if (stack.child.exitCode !== null) stack = await start()
  }, 60_000)

  it.each([0, 1, 300])(
    'F4: with %i entries pending: each is logged and answered, whoever comes later gets an error, and the process ends with 0',
    async (pending) => {
      const { outcomes, code, late } = await holdTree(async (letGo) => {
        let taken = 0
        const sent = Array.from({ length: pending }, () => write(() => taken++))
        while (taken < pending) await pause(10)
        await pause(300)
        const stopped = stack.stop()
        await pause(150)
        const later = write()
        await pause(50)
        await letGo()
        return { outcomes: await Promise.all(sent), code: await stopped, late: await later }
      })
      agent.destroy()
      expect(code).toBe(0)
      expect(outcomes.map(({ status }) => status)).toEqual(outcomes.map(() => 201))
      expect([0, 503]).toContain(late.status)
      stack = await start()
      await expectAllLogged(outcomes)
    },
    60_000,
  )

  it('F4: under load: what was acknowledged is logged, everything else got an error', async () => {
    const outcomes: Outcome[] = []
    let running = true
    const writers = Array.from({ length: 32 }, async () => {
      while (running) outcomes.push(await write())
    })
    await pause(500)
    const code = await stack.stop()
    running = false
    agent.destroy()
    await Promise.all(writers)
    expect(code).toBe(0)
    expect(outcomes.filter(({ status }) => status === 201).length).toBeGreaterThan(10)
    expect(outcomes.filter(({ status }) => ![0, 201, 503].includes(status))).toEqual([])
    stack = await start()
    await expectAllLogged(outcomes)
  }, 60_000)
})

describe('F8: more than the service can take', () => {
  /** Ten times what may wait in one process would be 40,960; this many are held open at once. A process takes 12,000 connections, and probes have some too. */
  const AT_ONCE = MINUTES > 0 ? 11_000 : 6_000

  /** More requests than may wait, while nothing can be appended; then the tree is let go. */
  async function wave(): Promise<Outcome[]> {
    return holdTree(async (letGo) => {
      const outcomes: Outcome[] = []
      const sent = Array.from({ length: AT_ONCE }, () => write().then((outcome) => outcomes.push(outcome)))
      const refusedEnough = async (): Promise<void> => {
        while (outcomes.length < 500) await pause(20)
      }
      await Promise.race([refusedEnough(), Promise.all(sent)])
      await letGo()
      await Promise.all(sent)
      return outcomes
    })
  }

  it(
    'F8: it says 503 and when to come again, keeps within its memory, loses nothing that it acknowledged, and is well again',
    async () => {
      const all: Outcome[] = []
      const peaks: number[] = []
      for (const end = performance.now() + MINUTES * 60_000; ;) {
        const outcomes = await wave()
        all.push(...outcomes)
        peaks.push(peakMemory(stack.child.pid!) ?? 0)
        expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set([201, 503]))
        for (const { status, retryAfter } of outcomes)
          if (status === 503) expect(Number(retryAfter)).toBeGreaterThanOrEqual(1)
        // Who comes again is served.
        const began = performance.now()
        const again = await write()
        expect(again.status).toBe(201)
        all.push(again)
        const count = (status: number): number => outcomes.filter((one) => one.status === status).length
        process.stderr.write(
          `F8: ${AT_ONCE} at once: ${count(201)} logged, ${count(503)} told to come again; then one in ${Math.round(performance.now() - began)} ms; memory at most ${Math.round(peaks.at(-1)!)} MiB\n`,
        )
        if (performance.now() > end) break
      }
      // 4,096 entries wait at most, and 64 MiB of them; the rest is what Node needs for so many connections.
      expect(Math.max(...peaks)).toBeLessThan(1024)
      await expectAllLogged(all)
      expect(stack.child.exitCode).toBeNull()
    },
    120_000 + MINUTES * 120_000,
  )
})
