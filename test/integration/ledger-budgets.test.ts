import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { checkLog, type AppendedEntry, type Log } from '@touchmark/ledger'
import type { Database } from '@touchmark/postgres'
import { testDatabase, type TestDatabase } from '@touchmark/testkit'
import type pg from 'pg'
import { FaultPlan } from './support/faulty-database.js'
import { TestTree, appendAll, bodies, body, checkAnswer, slowSigner } from './support/ledger.js'

jest.setTimeout(120_000)
let db: TestDatabase
const opened: Log[] = []
beforeAll(async () => {
  db = await testDatabase()
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((log) => log.close()))
})
afterAll(() => db.drop())

/** A database in which reads of tiles, which proofs of old entries need, wait while the gate is shut. */
function gated(real: Database): { database: Database; shut(): void; open(): void; reads: () => number } {
  let gate: { passed: Promise<void>; open: () => void } | undefined
  let reads = 0
  const shut = (): void => {
    let open!: () => void
    gate = { passed: new Promise<void>((resolve) => (open = resolve)), open }
  }
  const gatedClient = (client: pg.PoolClient): pg.PoolClient =>
    new Proxy(client, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property, target)
        if (typeof value !== 'function') return value
        if (property !== 'query') return (value as (...args: unknown[]) => unknown).bind(target)
        return async (...args: unknown[]) => {
          const text = typeof args[0] === 'string' ? args[0] : (args[0] as { text: string }).text
          if (text.includes('join log_tiles')) {
            reads++
            await gate?.passed
          }
          return (value as (...args: unknown[]) => unknown).apply(target, args)
        }
      },
    })
  const database = new Proxy(real, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target)
      if (typeof value !== 'function') return value
      if (property !== 'withClient') return (value as (...args: unknown[]) => unknown).bind(target)
      return (fn: (client: pg.PoolClient) => Promise<unknown>) => target.withClient((client) => fn(gatedClient(client)))
    },
  })
  return {
    database,
    shut,
    open: () => {
      gate?.open()
      gate = undefined
    },
    reads: () => reads,
  }
}

/** How each ended: an answer, or the code of a refusal. */
async function outcomes(answers: readonly Promise<AppendedEntry>[]): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for (const one of await Promise.allSettled(answers)) {
    const name = one.status === 'fulfilled' ? 'answered' : String((one.reason as { code?: unknown }).code)
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return counts
}

describe('A3: a flood of entries that are in the log already', () => {
  it('of known ones and of old ones holds up nobody who brings a new one, and is bounded by itself', async () => {
    const tree = new TestTree(db)
    const old = bodies('old', 600)
    const before = await tree.open()
    await appendAll(before, old)
    await before.close()

    // A process that has just started knows none of them, and has none of their tiles.
    const { database, shut, open } = gated(db)
    const log = await tree.open({ db: database, maxWaiting: 1000, maxDuplicates: 2000 })
    opened.push(log)
    shut()
    // Old ones: nobody knows them before the batch has looked them up. They fill every place of a batch and of the queue.
    const first = old.slice(0, 300).map((one) => log.append({ body: one }))
    // What is new goes through behind them although not one of their proofs can be made.
    await appendAll(log, bodies('new', 100))
    // Known ones, each many times: 10,000 of them, of which 2,000 may wait.
    const flood = Array.from({ length: 10_000 }, (_, i) => log.append({ body: old[i % 300]! }))
    for (const one of flood) one.catch(() => undefined)
    for (let i = 0; i < 5; i++) await appendAll(log, bodies(`still new ${i}`, 200))
    open()
    expect(await outcomes(first)).toEqual(new Map([['answered', 300]]))
    expect(await outcomes(flood)).toEqual(
      new Map([
        ['answered', 1700],
        ['LEDGER_PUSHBACK', 8300],
      ]),
    )
    for (const [i, answer] of (await Promise.all(flood.slice(0, 1700))).entries()) {
      checkAnswer(log, old[i % 300]!, answer)
      expect([answer.index, answer.duplicate]).toEqual([BigInt(i % 300) + 1n, true])
      // Under a head that is no older than what the others were told.
      expect(answer.proof.size).toBeGreaterThan(601n)
    }
    // Its budget is free again, and the log is what it was told to be.
    expect(await log.append({ body: old[0]! })).toMatchObject({ index: 1n, duplicate: true })
    expect(await checkLog(log)).toMatchObject({ size: 1701n })
  })

  it('of copies of an entry that is still on its way takes no places from others', async () => {
    const { signer, pause, resume, asked } = slowSigner()
    const log = await new TestTree(db, { signer }).open({ maxWaiting: 100, maxDuplicates: 500 })
    opened.push(log)
    pause()
    const reached = asked()
    const leader = log.append({ body: body('popular') })
    await reached
    const copies = Array.from({ length: 5_000 }, () => log.append({ body: body('popular') }))
    for (const one of copies) one.catch(() => undefined)
    const others = bodies('other', 99).map((one) => log.append({ body: one }))
    resume()
    expect((await leader).duplicate).toBe(false)
    expect(await outcomes(others)).toEqual(new Map([['answered', 99]]))
    expect(await outcomes(copies)).toEqual(
      new Map([
        ['answered', 500],
        ['LEDGER_PUSHBACK', 4_500],
      ]),
    )
    for (const copy of await Promise.all(copies.slice(0, 500))) {
      expect([copy.index, copy.duplicate]).toEqual([(await leader).index, true])
      checkAnswer(log, body('popular'), copy)
    }
    expect(await checkLog(log)).toMatchObject({ size: 101n })
  })

  it('locks nothing and asks the database nothing for entries that were seen a moment ago', async () => {
    const faults = new FaultPlan(db)
    const log = await new TestTree(db).open({ db: faults.database })
    opened.push(log)
    const [first] = await appendAll(log, bodies('entry', 20))
    faults.seen.length = 0
    const again = await Promise.all(Array.from({ length: 100 }, () => log.append({ body: body('entry 0') })))
    expect(new Set(again.map(({ index }) => index))).toEqual(new Set([first!.index]))
    for (const answer of again) checkAnswer(log, body('entry 0'), answer)
    expect(faults.seen).toEqual([])
  })
})

describe('a duplicate', () => {
  it('is answered by a log that closes, before it has closed', async () => {
    const tree = new TestTree(db)
    const log = await tree.open()
    await appendAll(log, bodies('entry', 300))
    const answers = bodies('entry', 300).map((one) => log.append({ body: one }))
    await log.close()
    expect(await outcomes(answers)).toEqual(new Map([['answered', 300]]))
    await expect(log.append({ body: body('entry 0') })).rejects.toThrowCode('LEDGER_CLOSED')
  })

  it('is refused by a log that was frozen, as everything is', async () => {
    const tree = new TestTree(db)
    const log = await tree.open()
    await appendAll(log, bodies('entry', 3))
    await db.query(`update logs set state = 'frozen', frozen_at = now() where origin = $1`, [tree.origin])
    await log.checkpoint()
    await expect(log.append({ body: body('entry 0') })).rejects.toThrowCode('LEDGER_FROZEN')
    await log.close()
  })
})

describe('F10: a caller who leaves', () => {
  it('while equal entries wait for its own leaves them to be appended', async () => {
    const { signer, pause, resume, asked } = slowSigner()
    const log = await new TestTree(db, { signer }).open()
    opened.push(log)
    pause()
    const reached = asked()
    const running = log.append({ body: body('in work') })
    await reached
    const leaving = new AbortController()
    const leader = log.append({ body: body('same') }, { signal: leaving.signal })
    const followers = [1, 2, 3].map(() => log.append({ body: body('same') }))
    const alsoLeaving = new AbortController()
    const another = log.append({ body: body('same') }, { signal: alsoLeaving.signal })
    leaving.abort()
    alsoLeaving.abort()
    await expect(leader).rejects.toThrowCode('LEDGER_CANCELLED')
    await expect(another).rejects.toThrowCode('LEDGER_CANCELLED')
    resume()
    const answers = await Promise.all([running, ...followers])
    expect(answers.map(({ index, duplicate }) => [index, duplicate])).toEqual([
      [1n, false],
      [2n, false],
      [2n, true],
      [2n, true],
    ])
    await checkLog(log)
  })
})

describe('F11: an entry that could not be stored', () => {
  it.each([
    ['before COMMIT', 'write', ['53100']],
    ['at COMMIT, which never arrived', 'commit', ['lost-before']],
  ] as const)(
    '(%s) is not known as a duplicate: those that came with it hear why, and a retry appends it',
    async (_, statement, faultsOf) => {
      const faults = new FaultPlan(db)
      const { signer, pause, resume, asked } = slowSigner()
      const log = await new TestTree(db, { signer }).open({ db: faults.database })
      opened.push(log)
      pause()
      const reached = asked()
      const answers = [log.append({ body: body('entry') })]
      await reached
      answers.push(...[1, 2].map(() => log.append({ body: body('entry') })))
      faults.fail(statement, ...faultsOf)
      for (const one of answers) one.catch(() => undefined)
      resume()
      const ended = await outcomes(answers)
      expect([...ended.values()]).toEqual([3])
      expect([...ended.keys()][0]).toMatch(/^LEDGER_(UNAVAILABLE|ENTRY_REFUSED)$/)
      const [retried, again] = [await log.append({ body: body('entry') }), await log.append({ body: body('entry') })]
      expect([retried.index, retried.duplicate, again.index, again.duplicate]).toEqual([1n, false, 1n, true])
      await checkLog(log)
    },
  )
})
