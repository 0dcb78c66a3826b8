import { execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { checkLog, type Log } from '@touchmark/ledger'
import {
  migrate,
  openDatabase,
  removeEmbeddedPostgres,
  startEmbeddedPostgres,
  type Database,
  type EmbeddedPostgres,
} from '@touchmark/postgres'
import { TestTree, appendAll, bodies, body } from '../integration/support/ledger.js'
import { SteadyWriters } from './support/steady-writers.js'

const MINUTES = Number(process.env['TOUCHMARK_FAULT_MINUTES'] ?? 0)
jest.setTimeout(120_000 + MINUTES * 120_000)
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

let folder: string
let dataDir: string
let server: EmbeddedPostgres
let db: Database
let tree: TestTree
const pools: Database[] = []
const logs: Log[] = []

async function startServer(): Promise<void> {
  server = await startEmbeddedPostgres({ dataDir, settings: { shared_buffers: '16MB', autovacuum: 'off' } })
}

async function begin(): Promise<void> {
  await startServer()
  db = await pool()
  await migrate(db)
  tree = new TestTree(db)
}

async function pool(options: { poolSize?: number; connectTimeoutMs?: number } = {}): Promise<Database> {
  const made = await openDatabase({ url: server.url, poolSize: 3, waitMs: 20_000, ...options })
  pools.push(made)
  return made
}

/** The tree as so many processes have it. */
async function open(count: number): Promise<Log[]> {
  const opened: Log[] = []
  for (let i = 0; i < count; i++) opened.push(await tree.open({ db: await pool() }))
  logs.push(...opened)
  return opened
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'touchmark-database-'))
  await chmod(folder, 0o711)
  dataDir = join(folder, 'postgres')
})

afterEach(async () => {
  await Promise.all(logs.splice(0).map((log) => log.close().catch(() => undefined)))
  await Promise.all(pools.splice(0).map((one) => one.close().catch(() => undefined)))
  await server.stop().catch(() => undefined)
  await removeEmbeddedPostgres(dataDir).catch(() => undefined)
  await rm(folder, { recursive: true, force: true })
})

describe('F7: the database', () => {
  it.each<[string, NodeJS.Signals]>([
    ['shut down, fast', 'SIGINT'],
    ['shut down at once, as after a power cut of the server alone', 'SIGQUIT'],
    ['killed', 'SIGKILL'],
  ])('F7: is %s, and comes back, under load: nothing is lost, and nobody has to help', async (_, signal) => {
    await begin()
    const [first, second] = await open(2)
    const writers = new SteadyWriters([first!, second!])
    await writers.more(50)
    process.kill(server.pid, signal)
    await pause(50)
    await writers.more(100)
    await writers.stop()
    expect((await writers.check(first!)).lost).toEqual([])
    expect(await checkLog(second!, { proofs: 20 })).toEqual(expect.anything())
    expect([first!.failure, second!.failure]).toEqual([undefined, undefined])
  })

  it('F7: ends sessions at random: of writers, readers, and the one that holds the lock', async () => {
    await begin()
    const opened = await open(3)
    const writers = new SteadyWriters(opened)
    let ended = 0
    const seconds = MINUTES > 0 ? MINUTES * 60 : 4
    for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
      // Every other time the one that has the row of the tree.
      const rows = await db
        .query<{ ended: boolean }>(
          `select pg_terminate_backend(a.pid) as ended from pg_stat_activity a
         where a.datname = current_database() and a.pid <> pg_backend_pid() and (
           ($1 and exists (select 1 from pg_locks l join pg_class c on c.oid = l.relation
                           where l.pid = a.pid and c.relname = 'logs' and l.mode = 'RowShareLock' and l.granted))
           or (not $1 and random() < 0.4))`,
          [Math.random() < 0.5],
        )
        .catch(() => [])
      ended += rows.length
      await pause(Math.random() * 30)
    }
    await writers.more(20)
    await writers.stop()
    const { size, lost } = await writers.check(opened[0]!)
    process.stderr.write(
      `F7: sessions ended ${ended}, entries ${size}, acknowledged ${writers.told.size}, lost = ${lost.length}\n`,
    )
    expect(ended).toBeGreaterThan(10)
    expect(lost).toEqual([])
    expect(opened.map((log) => log.failure)).toEqual([undefined, undefined, undefined])
  })

  it('F7: has no connection left for us: callers are told, and served when there is one', async () => {
    await begin()
    const small = await pool({ poolSize: 1, connectTimeoutMs: 300 })
    const log = await tree.open({ db: small })
    logs.push(log)
    await appendAll(log, bodies('before', 3))
    await small.withClient(async () => {
      await expect(log.append({ body: body('waits') })).rejects.toThrowCode('LEDGER_UNAVAILABLE')
    })
    expect(await appendAll(log, [body('waits')])).toMatchObject([{ index: 4n, duplicate: false }])
    await checkLog(log)
  })

  it('F7: has a stranger who took the row and went silent: callers are told in time, and served after', async () => {
    await begin()
    const [log] = await open(1)
    await appendAll(log!, bodies('before', 3))
    const stranger = await pool()
    await stranger.withClient(async (client) => {
      await client.query('set idle_in_transaction_session_timeout = 0')
      await client.query('begin')
      await client.query('select id from logs for update')
      const error: unknown = await log!.append({ body: body('waits') }).catch((reason: unknown) => reason)
      expect(error).toMatchObject({ code: 'LEDGER_UNAVAILABLE' })
      // Who reads does not wait for writers.
      expect((await log!.checkpoint()).size).toBe(4n)
      await client.query('rollback')
    })
    expect(await appendAll(log!, [body('waits')])).toMatchObject([{ index: 4n, duplicate: false }])
    await checkLog(log!)
  })
})

/** A small disk of its own for the server, or the reason why there is none. */
function mount(place: string, megabytes: number): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'a file system can be mounted by root on Linux only'
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0711`, 'tmpfs', place], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return `no file system can be mounted here: ${String((error as { stderr?: Buffer }).stderr ?? error).trim()}`
  }
}

describe('F6: a disk that is full', () => {
  let disk: string
  let mounted = false

  /** Runs a test on a small disk; without one it says why it did not run. */
  const onSmallDisk = (name: string, test: () => Promise<void>): void =>
    it(name, async () => {
      disk = join(folder, 'disk')
      await mkdir(disk)
      const why = mount(disk, 160)
      if (why !== undefined) return void process.stderr.write(`skipped: ${name}: ${why}\n`)
      mounted = true
      dataDir = join(disk, 'postgres')
      await begin()
      expect(server.place.startsWith(disk)).toBe(true)
      await test()
    })

  afterEach(async () => {
    if (!mounted) return
    mounted = false
    // Runs before the outer one, which stops the server; sessions and files must be gone first.
    await Promise.all(logs.splice(0).map((log) => log.close().catch(() => undefined)))
    await Promise.all(pools.splice(0).map((one) => one.close().catch(() => undefined)))
    await server.stop().catch(() => undefined)
    execFileSync('umount', [disk])
  })

  /** Takes every byte that is left. */
  async function fill(): Promise<void> {
    const chunk = Buffer.alloc(1 << 20)
    for (const size of [1 << 20, 4096]) {
      for (let i = 0; ; i++) {
        const full = await writeFile(join(disk, `ballast-${size}-${i}`), chunk.subarray(0, size)).then(
          () => false,
          (error: unknown) => (error as { code?: string }).code === 'ENOSPC',
        )
        if (full) break
      }
    }
  }
  const clear = (): void => void execFileSync('find', [disk, '-maxdepth', '1', '-name', 'ballast-*', '-delete'])
  const large = (name: string): Uint8Array => body(`${name} ${'x'.repeat(60_000)}`)

  onSmallDisk(
    'F6: for tables: writes are refused, reads go on, and what is freed is used, without repair',
    async () => {
      const [log] = await open(1)
      await appendAll(log!, bodies('before', 300))
      await fill()
      const refused: unknown[] = []
      for (let i = 0; i < 8; i++)
        await log!.append({ body: large(`too much ${i}`) }).catch((error: unknown) => refused.push(error))
      expect(refused.length).toBeGreaterThan(0)
      for (const error of refused)
        expect(error).toMatchObject({ code: 'LEDGER_UNAVAILABLE', cause: { code: 'POSTGRES_DISK_FULL' } })
      const { size } = await log!.checkpoint()
      expect(size).toBe(301n + 8n - BigInt(refused.length))
      expect(await log!.entries(0n, 301n)).toHaveLength(301)
      expect(await log!.tile(0, 0n, 256)).toHaveLength(8192)
      clear()
      for (let i = 0; i < 8; i++) await appendAll(log!, [large(`too much ${i}`)])
      expect(await checkLog(log!)).toMatchObject({ size: 309n })
      const [fresh] = await open(1)
      expect(await checkLog(fresh!)).toMatchObject({ size: 309n })
    },
  )

  onSmallDisk(
    'F6: for the write-ahead log: the server falls, nothing is lost, and a start on a freed disk goes on',
    async () => {
      const [log] = await open(1)
      const acknowledged = await appendAll(log!, bodies('before', 300))
      await fill()
      const admin = await openDatabase({ url: server.adminUrl, poolSize: 1 })
      pools.push(admin)
      // Fills the segment that is there; the next one finds no room.
      for (let i = 0; i < 40; i++) {
        const sent = admin.query(`select pg_logical_emit_message(false, 'fill', repeat('x', 1000000))`)
        if (!(await sent.then(() => true, () => false))) break // prettier-ignore
      }
      const refusal: unknown = await log!.append({ body: body('after') }).catch((error: unknown) => error)
      expect(refusal).toMatchObject({ code: expect.stringMatching(/^LEDGER_(UNAVAILABLE|STATE_UNKNOWN)$/) })
      // What is in memory is served.
      expect((await log!.checkpoint()).size).toBe(301n)
      expect(await server.exited).toMatchObject({ code: expect.stringMatching(/^POSTGRES_/) })
      await Promise.all(logs.splice(0).map((one) => one.close()))
      await Promise.all(pools.splice(0).map((one) => one.close()))
      await server.stop()
      clear()
      await startServer()
      const fresh = await tree.open({ db: await pool() })
      logs.push(fresh)
      for (const { index, body: stored } of acknowledged)
        expect((await fresh.entries(index, index + 1n))[0]!.body).toEqual(Buffer.from(stored))
      await appendAll(fresh, [body('after')])
      expect(await checkLog(fresh)).toMatchObject({ size: 302n })
    },
  )
})
