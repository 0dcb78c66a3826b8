import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { openRecovery, startStandalone, type Recovery, type Standalone } from '@touchmark/app-standalone'
import { systemClock } from '@touchmark/clock'
import { FileGuard } from '@touchmark/ledger'
import { createLogger } from '@touchmark/service'
import { testDatabase, type TestDatabase } from '@touchmark/testkit'
import { writeEntry } from '../support/log-writer.js'
import { freePort } from '../support/stack.js'
import { send } from './support/http.js'
import { configOf, PASSPHRASE, temporaryFolder } from './support/standalone.js'

jest.setTimeout(120_000)
const logger = createLogger({ level: 'silent' })
const ORIGIN = 'localhost'
const environment = { TOUCHMARK_PASSPHRASE: PASSPHRASE }

describe('a database that was restored from an older dump', () => {
  let db: TestDatabase
  let dump: TestDatabase
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let data: string
  let port: number

  let running: Standalone | undefined

  async function start(database: TestDatabase): Promise<Standalone> {
    running = await startStandalone(configOf(database, data, { port }), { clock: systemClock, logger })
    return running
  }
  const recovery = (database: TestDatabase): Promise<Recovery> =>
    openRecovery({ data, databaseUrl: database.url }, environment)
  async function verdicts(database: TestDatabase): Promise<Record<string, unknown>> {
    const opened = await recovery(database)
    try {
      return Object.fromEntries((await opened.survey()).map(({ origin, verdict }) => [origin, verdict]))
    } finally {
      await opened.close()
    }
  }
  /** Carries out a step of recovery, and closes what it opened. */
  async function recover<T>(work: (opened: Recovery) => Promise<T>, database = dump): Promise<T> {
    const opened = await recovery(database)
    try {
      return await work(opened)
    } finally {
      await opened.close()
    }
  }

  beforeAll(async () => {
    ;[db, folder, port] = await Promise.all([testDatabase(), temporaryFolder(), freePort()])
    data = join(folder.path, 'data')
    const first = await start(db)
    await writeEntry(first.greeting.localUrl)
    await first.stop(1_000)
    dump = await testDatabase({ copyOf: db })
    const second = await start(db)
    for (let i = 0; i < 3; i++) await writeEntry(second.greeting.localUrl)
    await second.stop(1_000)
  }, 120_000)
  afterAll(async () => {
    await running?.stop(1_000)
    await Promise.all([db.drop(), dump.drop()])
    await folder.remove()
  })

  it('is not started, and recovery shows what is missing without changing anything', async () => {
    await expect(start(dump)).rejects.toThrowCode('LEDGER_ROLLED_BACK')
    const trees = await recover((opened) => opened.survey())
    expect(trees.find(({ origin }) => origin === ORIGIN)).toMatchObject({
      verdict: 'behind',
      state: 'active',
      size: 2n,
      guardSize: 5n,
      missing: { first: 2n, last: 4n },
      lost: [expect.stringContaining(`${ORIGIN}\n5\n`)],
    })
    expect(trees.filter(({ origin }) => origin !== ORIGIN).map(({ verdict }) => verdict)).not.toContain('behind')
    await expect(start(dump)).rejects.toThrowCode('LEDGER_ROLLED_BACK')
  })

  it('may not be given up by mistake: not under another size, not the newest one, not a tree that is not there', async () => {
    for (const [database, origin, size] of [
      [dump, ORIGIN, 5n],
      [db, ORIGIN, 5n],
      [dump, 'nobody', 2n],
    ] as const) {
      const giving = recover((opened) => opened.giveUp(origin, size, systemClock), database)
      await expect(giving).rejects.toThrowCode('LEDGER_RECOVERY_REFUSED')
    }
    const replacing = recover((opened) => opened.replaceGuard(ORIGIN, 2n, systemClock))
    await expect(replacing).rejects.toThrowCode('LEDGER_RECOVERY_REFUSED')
    expect((await dump.query('select state from logs where origin = $1', [ORIGIN]))[0]).toEqual({ state: 'active' })
  })

  it('is not given up while a process runs that keeps its record', async () => {
    const names = readdirSync(join(data, 'guard')).filter((name) => name.endsWith('.head'))
    const name = names.find((one) => readFileSync(join(data, 'guard', one), 'utf8').includes(`${ORIGIN}\n5\n`))!
    const parts = name.split('.')
    // The process that started this one runs for certain.
    parts[parts.length - 3] = String(process.ppid)
    const living = join(data, 'guard', parts.join('.'))
    writeFileSync(living, readFileSync(join(data, 'guard', name)))
    const giving = recover((opened) => opened.giveUp(ORIGIN, 2n, systemClock))
    await expect(giving).rejects.toThrow(`process ${process.ppid} seems to be writing`)
    rmSync(living)
  })

  it('starts again, frozen, once its operator has given the tree up; what was lost is kept', async () => {
    const { lost } = await recover((opened) => opened.giveUp(ORIGIN, 2n, systemClock))
    expect(lost).toHaveLength(1)
    expect(await verdicts(dump)).toMatchObject({ [ORIGIN]: 'unknown' })
    const stack = await start(dump)
    const url = stack.greeting.localUrl
    // Nothing was signed for it: the checkpoint is the one that was there.
    expect((await send(url, '/api/v2/checkpoint')).text).toMatch(/^localhost\n2\n/)
    expect(await writeEntry(url)).toBeUndefined()
    expect((await send(url, '/api/v2/checkpoint')).text).toMatch(/^localhost\n2\n/)
    await stack.stop(1_000)
    const kept = await new FileGuard(join(data, 'guard')).givenUp(ORIGIN)
    expect(kept).toMatchObject({ kept: expect.stringContaining('localhost\n2\n'), lost })
  })

  it('stays given up: neither another old dump nor the database that was thought lost goes on under this key', async () => {
    expect(await verdicts(db)).toMatchObject({ [ORIGIN]: 'active-again' })
    await expect(start(db)).rejects.toThrowCode('LEDGER_GIVEN_UP')
    await recover((opened) => opened.giveUp(ORIGIN, 5n, systemClock), db)
    const stack = await start(db)
    expect((await send(stack.greeting.localUrl, '/api/v2/checkpoint')).text).toMatch(/^localhost\n5\n/)
    await stack.stop(1_000)
  })
})

describe('a guard that cannot be believed', () => {
  it('is put aside by its operator, and nothing of it is deleted', async () => {
    const [db, folder, port] = await Promise.all([testDatabase(), temporaryFolder(), freePort()])
    const data = join(folder.path, 'data')
    const start = (): Promise<Standalone> =>
      startStandalone(configOf(db, data, { port }), { clock: systemClock, logger })
    await start().then((stack) => stack.stop(1_000))
    const guard = join(data, 'guard')
    mkdirSync(guard, { recursive: true })
    for (const name of readdirSync(guard)) {
      if (!name.includes('-ct-') && name.endsWith('.head')) writeFileSync(join(guard, name), 'x'.repeat(8192))
    }
    await expect(start()).rejects.toThrowCode('LEDGER_GUARD_DAMAGED')
    const opened = await openRecovery({ data, databaseUrl: db.url }, environment)
    const damaged = (await opened.survey()).filter(({ verdict }) => verdict === 'damaged')
    expect(damaged.length).toBeGreaterThan(0)
    for (const { origin, size } of damaged) await opened.replaceGuard(origin, size, systemClock)
    expect((await opened.survey()).map(({ verdict }) => verdict)).not.toContain('damaged')
    await opened.close()
    expect(readdirSync(join(guard, 'put-aside')).length).toBe(damaged.length)
    await start().then((stack) => stack.stop(1_000))
    await db.drop()
    await folder.remove()
  }, 60_000)
})
