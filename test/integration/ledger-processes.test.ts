import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { checkLog, type AppendedEntry, type Log } from '@touchmark/ledger'
import { verifyConsistency } from '@touchmark/merkle'
import { openDatabase, type Database } from '@touchmark/postgres'
import { testDatabase } from '@touchmark/testkit'
import { FaultPlan } from './support/faulty-database.js'
import { TestTree, bodies, body, checkAnswer } from './support/ledger.js'

jest.setTimeout(120_000)
let db: Awaited<ReturnType<typeof testDatabase>>
const pools: Database[] = []
const opened: Log[] = []
beforeAll(async () => {
  db = await testDatabase()
})
afterAll(async () => {
  await Promise.all(opened.map((log) => log.close()))
  await Promise.all(pools.map((pool) => pool.close()))
  await db.drop()
})

/** The same tree through pools of their own, as so many processes have it. */
async function processes(tree: TestTree, count: number, maxEntries = 20): Promise<Log[]> {
  const logs: Log[] = []
  for (let i = 0; i < count; i++) {
    const pool = await openDatabase({ url: db.url, poolSize: 3 })
    pools.push(pool)
    logs.push(await tree.open({ db: pool, batch: { maxEntries } }))
  }
  opened.push(...logs)
  return logs
}

/** Appends one after the other, checking each answer. */
async function writer(log: Log, entries: readonly Uint8Array[]): Promise<AppendedEntry[]> {
  const answers: AppendedEntry[] = []
  for (const entry of entries) {
    const answer = await log.append({ body: entry })
    checkAnswer(log, entry, answer)
    answers.push(answer)
  }
  return answers
}

/** One root for each size, and each checkpoint extends the one before. */
async function assertOneHistory(log: Log, answers: readonly AppendedEntry[]): Promise<void> {
  const roots = new Map<bigint, Uint8Array>()
  for (const { proof } of answers) {
    const known = roots.get(proof.size)
    if (known) expect(Buffer.compare(known, proof.root)).toBe(0)
    roots.set(proof.size, proof.root)
  }
  const sizes = [...roots.keys()].sort((a, b) => Number(a - b))
  for (let i = 1; i < sizes.length; i++) {
    const [firstSize, secondSize] = [sizes[i - 1]!, sizes[i]!]
    const proof = await log.consistencyProof(firstSize, secondSize)
    verifyConsistency({
      firstSize,
      firstRoot: roots.get(firstSize)!,
      secondSize,
      secondRoot: roots.get(secondSize)!,
      proof,
    })
  }
}

describe('several processes on one tree', () => {
  it('C2: give every entry an index of its own, without a gap, in one history', async () => {
    const tree = new TestTree(db)
    const logs = await processes(tree, 3)
    const work = logs.flatMap((log, p) => Array.from({ length: 8 }, (_, w) => writer(log, bodies(`${p}.${w}`, 12))))
    const answers = (await Promise.all(work)).flat()
    const indexes = answers.map((answer) => answer.index).sort((a, b) => Number(a - b))
    expect(indexes).toEqual(indexes.map((_, i) => BigInt(i + 1)))
    await assertOneHistory(logs[0]!, answers)
    for (const log of logs) expect(await checkLog(log)).toMatchObject({ size: 289n })
  })

  it('C7: give one entry that comes a thousand times one index', async () => {
    const tree = new TestTree(db)
    const logs = await processes(tree, 3)
    const same = body('the same')
    const answers = await Promise.all(Array.from({ length: 1000 }, (_, i) => logs[i % 3]!.append({ body: same })))
    for (const answer of answers) checkAnswer(logs[0]!, same, answer)
    expect(new Set(answers.map((answer) => answer.index))).toEqual(new Set([1n]))
    expect(answers.filter((answer) => !answer.duplicate)).toHaveLength(1)
    expect((await logs[1]!.checkpoint()).size).toBe(2n)
  })

  it('follow each other over many leaves, one by one or by a proof', async () => {
    const tree = new TestTree(db, { maxWaiting: 20_000 })
    const [first, second] = await processes(tree, 2, 2000)
    await writer(first!, bodies('early', 3))
    for (const [i, count] of [700, 9000].entries()) {
      await Promise.all(bodies(`far ${i}`, count).map((entry) => second!.append({ body: entry })))
      await writer(first!, bodies(`again ${i}`, 2))
    }
    expect(await checkLog(first!, { proofs: 50 })).toMatchObject({ size: 9708n })
  })

  it('read the newest checkpoint of the others, and never an older one than they have shown', async () => {
    const tree = new TestTree(db)
    const [first, second] = await processes(tree, 2)
    const seen: bigint[] = []
    const reading = (async () => {
      for (let i = 0; i < 60; i++) seen.push((await second!.checkpoint()).size)
    })()
    await writer(first!, bodies('entry', 30))
    await reading
    expect(seen).toEqual([...seen].sort((a, b) => Number(a - b)))
    expect((await second!.checkpoint()).size).toBe(31n)
  })

  it('F7: lose nothing while connections are cut at random', async () => {
    const tree = new TestTree(db)
    const logs = await processes(tree, 2)
    let cutting = true
    const cutter = (async () => {
      while (cutting) {
        await db.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where datname = current_database() and application_name = 'touchmark' and random() < 0.5`,
        )
        await new Promise((resolve) => setTimeout(resolve, 15))
      }
    })()
    const answers: AppendedEntry[] = []
    const persistent = async (log: Log, entries: readonly Uint8Array[]) => {
      for (const entry of entries) {
        for (;;) {
          try {
            const answer = await log.append({ body: entry })
            checkAnswer(log, entry, answer)
            answers.push(answer)
            break
          } catch (error) {
            const { code } = error as { code?: string }
            if (code !== 'LEDGER_UNAVAILABLE' && code !== 'LEDGER_STATE_UNKNOWN') throw error
          }
        }
      }
    }
    await Promise.all(logs.flatMap((log, p) => [0, 1, 2].map((w) => persistent(log, bodies(`${p}.${w}`, 25)))))
    cutting = false
    await cutter
    const indexes = answers.map((answer) => answer.index).sort((a, b) => Number(a - b))
    expect(indexes).toEqual(indexes.map((_, i) => BigInt(i + 1)))
    const fresh = await tree.open()
    opened.push(fresh)
    expect(await checkLog(fresh)).toMatchObject({ size: 151n })
    await assertOneHistory(fresh, answers)
  })

  it('keep their own mistakes to themselves: one that loses its answers does not hold up the others', async () => {
    const tree = new TestTree(db)
    const [good] = await processes(tree, 1)
    const plan = new FaultPlan(db)
    const bad = await tree.open({ db: plan.database })
    opened.push(bad)
    for (let i = 0; i < 10; i++) plan.fail('commit', 'lost-after')
    const [mine, theirs] = await Promise.all([writer(good!, bodies('good', 15)), writer(bad, bodies('bad', 10))])
    await assertOneHistory(good!, [...mine, ...theirs])
    expect(await checkLog(good!)).toMatchObject({ size: 26n })
  })
})
