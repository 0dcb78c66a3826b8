import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { Signer } from '@touchmark/crypto'
import { checkLog, type Log, type OpenLogOptions } from '@touchmark/ledger'
import { testDatabase } from '@touchmark/testkit'
import { FaultPlan, type Fault, type StatementName } from './support/faulty-database.js'
import { TestTree, appendAll, bodies, body, checkAnswer } from './support/ledger.js'

jest.setTimeout(120_000)
let db: Awaited<ReturnType<typeof testDatabase>>
const opened: Log[] = []
beforeAll(async () => {
  db = await testDatabase()
})
afterAll(async () => {
  await Promise.all(opened.map((log) => log.close()))
  await db.drop()
})

async function newLog(options: Partial<OpenLogOptions> = {}) {
  const plan = new FaultPlan(db)
  const tree = new TestTree(db, options)
  const log = await tree.open({ db: plan.database })
  opened.push(log)
  await appendAll(log, bodies('before', 3))
  return { plan, tree, log }
}

/** After whatever happened: the log goes on, a fresh process agrees with it, and the tree is whole. */
async function goesOn(tree: TestTree, log: Log, size: bigint): Promise<void> {
  expect((await log.checkpoint()).size).toBe(size)
  await appendAll(log, bodies('after', 2))
  await checkLog(log)
  const fresh = await tree.open()
  expect(await checkLog(fresh)).toMatchObject({ size: size + 2n })
  await fresh.close()
}

const STATEMENTS: StatementName[] = ['begin', 'lock', 'find', 'write']
const PASSING: Fault[] = ['lost-before', 'lost-after', '40001', '40P01']
const LASTING: Fault[] = ['57014', '55P03', '53100', '25006', '53200']

describe('F2: a statement before COMMIT', () => {
  const passing = STATEMENTS.flatMap((statement) =>
    // A server does not answer BEGIN with a serialization failure.
    PASSING.filter((fault) => statement !== 'begin' || fault.startsWith('lost')).map(
      (fault) => [statement, fault] as const,
    ),
  )
  it.each(passing)('%s that fails once (%s) costs nothing', async (statement, fault) => {
    const { plan, tree, log } = await newLog()
    plan.fail(statement, fault)
    plan.seen.length = 0
    const answers = await appendAll(log, [body('a'), body('b'), body('a')])
    expect(answers.map((answer) => answer.index)).toEqual([4n, 5n, 4n])
    expect(plan.seen.filter((seen) => seen === 'begin')).toHaveLength(2)
    await goesOn(tree, log, 6n)
  })

  it.each(LASTING)('that the server refuses (%s) is told to the callers, and a retry succeeds', async (state) => {
    const { plan, tree, log } = await newLog()
    plan.fail('write', state)
    const error: unknown = await log.append({ body: body('a') }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'LEDGER_UNAVAILABLE' })
    expect((error as { details: { retryAfterSeconds: number } }).details.retryAfterSeconds).toBeGreaterThan(0)
    const again = await log.append({ body: body('a') })
    // What failed is not remembered as logged.
    expect(again).toMatchObject({ index: 4n, duplicate: false })
    await goesOn(tree, log, 5n)
  })

  it('that fails again and again is given up, with nothing stored', async () => {
    const { plan, tree, log } = await newLog()
    plan.fail('write', '40001', '40001', '40001', '40001', '40001')
    await expect(log.append({ body: body('a') })).rejects.toThrowCode('LEDGER_UNAVAILABLE')
    await expect(log.append({ body: body('b') })).resolves.toMatchObject({ index: 4n })
    await goesOn(tree, log, 5n)
  })
})

describe('F2, F3: COMMIT', () => {
  it('C3: whose answer is lost is read back: the entry is there, and is not appended again', async () => {
    const { plan, tree, log } = await newLog()
    plan.fail('commit', 'lost-after')
    plan.seen.length = 0
    const answers = await appendAll(log, [body('a'), body('b')])
    expect(answers.map((answer) => answer.index)).toEqual([4n, 5n])
    expect(plan.seen.filter((statement) => statement === 'write')).toHaveLength(1)
    await goesOn(tree, log, 6n)
  })

  it('that never arrived is read back: the callers are told that nothing was stored, and a retry succeeds', async () => {
    const { plan, tree, log } = await newLog()
    plan.fail('commit', 'lost-before')
    const results = await Promise.allSettled([log.append({ body: body('a') }), log.append({ body: body('b') })])
    for (const result of results)
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'LEDGER_UNAVAILABLE' } })
    expect(plan.seen.filter((statement) => statement === 'write')).toHaveLength(2)
    expect((await appendAll(log, [body('b')]))[0]).toMatchObject({ index: 4n, duplicate: false })
    await goesOn(tree, log, 5n)
  })

  it('whose answer is lost, while another process appends, is proven under what is there then', async () => {
    const { plan, tree, log } = await newLog()
    const other = await tree.open()
    opened.push(other)
    plan.fail('commit', 'lost-after')
    const [mine, theirs] = await Promise.all([
      log.append({ body: body('mine') }),
      appendAll(other, bodies('theirs', 5)),
    ])
    checkAnswer(log, body('mine'), mine)
    expect(new Set([mine.index, ...theirs.map((answer) => answer.index)]).size).toBe(6)
    await goesOn(tree, log, 10n)
  })

  it('whose outcome cannot be read at first is read until it can', async () => {
    const { plan, tree, log } = await newLog()
    plan.fail('commit', 'lost-after')
    // The first lock is the append's own; these are of the reading back.
    const appending = log.append({ body: body('a') })
    plan.fail('lock', 'lost-before', 'lost-before')
    checkAnswer(log, body('a'), await appending)
    await goesOn(tree, log, 5n)
  })

  it('that a standby has not confirmed is no success; a retry finds the entry', async () => {
    const { plan, tree, log } = await newLog()
    plan.fail('commit', 'warned')
    await expect(log.append({ body: body('a') })).rejects.toThrowCode('LEDGER_STATE_UNKNOWN')
    expect((await appendAll(log, [body('a')]))[0]).toMatchObject({ index: 4n, duplicate: true })
    await goesOn(tree, log, 5n)
  })

  it('that a standby has not confirmed is none for who sends the entry again either, until it has', async () => {
    const { plan, tree, log } = await newLog()
    plan.fail('commit', 'warned', 'warned')
    await expect(log.append({ body: body('a') })).rejects.toThrowCode('LEDGER_STATE_UNKNOWN')
    await expect(log.append({ body: body('a') })).rejects.toThrowCode('LEDGER_STATE_UNKNOWN')
    expect((await appendAll(log, [body('a')]))[0]).toMatchObject({ index: 4n, duplicate: true })
    await goesOn(tree, log, 5n)
  })

  it('whose answer is lost is not read back as a success while a standby has not confirmed it', async () => {
    const { plan, tree, log } = await newLog()
    plan.fail('commit', 'lost-after', 'warned')
    await expect(log.append({ body: body('a') })).rejects.toThrowCode('LEDGER_STATE_UNKNOWN')
    expect((await appendAll(log, [body('a')]))[0]).toMatchObject({ index: 4n, duplicate: true })
    await goesOn(tree, log, 5n)
  })

  it('of the reading back, when that is lost as well, is read back again', async () => {
    const { plan, tree, log } = await newLog()
    plan.fail('commit', 'lost-after', 'lost-after')
    checkAnswer(log, body('a'), (await appendAll(log, [body('a')]))[0]!)
    await goesOn(tree, log, 5n)
  })

  it('C3: of a write that did not find the row as it was locked stops the log, and whoever waits behind it', async () => {
    const { plan, tree, log } = await newLog({ batch: { maxEntries: 1 } })
    plan.fail('write', 'nothing')
    const results = await Promise.allSettled(['a', 'b'].map((text) => log.append({ body: body(text) })))
    for (const result of results)
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'LEDGER_CORRUPT' } })
    await expect(log.append({ body: body('c') })).rejects.toThrowCode('LEDGER_CORRUPT')
    await expect(log.resign()).rejects.toThrowCode('LEDGER_CORRUPT')
    const fresh = await tree.open()
    opened.push(fresh)
    expect(await checkLog(fresh)).toMatchObject({ size: 4n })
  })

  it('that the server refuses is a rollback', async () => {
    const { plan, tree, log } = await newLog()
    plan.fail('commit', '40001')
    const error: unknown = await log.append({ body: body('a') }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'LEDGER_UNAVAILABLE' })
    await goesOn(tree, log, 4n)
  })
})

describe('a bad entry', () => {
  it('that the database refuses harms nobody else in its batch', async () => {
    const { tree, log } = await newLog()
    await db.query(`create function refuse_poison() returns trigger language plpgsql as $$
      begin
        if position('poison'::bytea in new.body) > 0 then raise exception 'poison' using errcode = '22000'; end if;
        return new;
      end $$`)
    await db.query(
      'create trigger refuse_poison before insert on log_entries for each row execute function refuse_poison()',
    )
    const entries = [...bodies('good', 5), body('poison 1'), ...bodies('fine', 5), body('poison 2')]
    const results = await Promise.allSettled(entries.map((entry) => log.append({ body: entry })))
    await db.query('drop trigger refuse_poison on log_entries')
    const refused = results.flatMap((result, i) => (result.status === 'rejected' ? [[i, result.reason.code]] : []))
    expect(refused).toEqual([
      [5, 'LEDGER_ENTRY_REFUSED'],
      [11, 'LEDGER_ENTRY_REFUSED'],
    ])
    await goesOn(tree, log, 14n)
  })
})

describe('the signer', () => {
  function flaky(real: Signer) {
    const faults: (() => Promise<Uint8Array>)[] = []
    const signer: Signer = {
      publicKey: real.publicKey,
      scheme: real.scheme,
      sign: (message) => (faults.shift() ?? (() => real.sign(message)))(),
    }
    return { faults, signer }
  }

  it.each([
    ['fails', () => Promise.reject(new Error('key version disabled'))],
    ['does not answer', () => new Promise<Uint8Array>(() => undefined)],
  ])('that %s costs its batch only', async (_, fault) => {
    const tree = new TestTree(db)
    const { faults, signer } = flaky(tree.signer)
    const log = await tree.open({ signer, signDeadlineMs: 100 })
    opened.push(log)
    faults.push(fault)
    await expect(log.append({ body: body('a') })).rejects.toThrowCode('LEDGER_SIGNER_FAILED')
    await expect(log.append({ body: body('a') })).resolves.toMatchObject({ index: 1n, duplicate: false })
    await goesOn(tree, log, 2n)
  })
})

describe('F7: a holder of the row that went silent', () => {
  it('is ended by the server, and the others go on', async () => {
    const { tree, log } = await newLog()
    await db.withClient(async (client) => {
      client.on('error', () => undefined)
      await client.query(`set idle_in_transaction_session_timeout = '1s'`)
      await client.query('begin')
      await client.query('select id from logs where origin = $1 for update', [tree.origin])
      const [answer] = await appendAll(log, [body('waits')])
      expect(answer!.index).toBe(4n)
    })
    await goesOn(tree, log, 5n)
  })
})
