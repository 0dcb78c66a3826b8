import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { FileGuard, checkLog, type Log } from '@touchmark/ledger'
import { testDatabase, type TestDatabase } from '@touchmark/testkit'
import { signCheckpoint } from '@touchmark/tlog'
import { FaultPlan } from './support/faulty-database.js'
import { TestTree, appendAll, bodies, body, slowSigner } from './support/ledger.js'

jest.setTimeout(120_000)
let db: TestDatabase
let dir: string
let tree: TestTree
const copies: TestDatabase[] = []
const opened: { close(): Promise<void> }[] = []

beforeAll(async () => {
  db = await testDatabase()
})
beforeEach(async () => {
  dir = join(await mkdtemp(join(tmpdir(), 'touchmark-guard-')), 'guard')
  tree = new TestTree(db)
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()))
  await Promise.all(copies.splice(0).map((copy) => copy.drop()))
  await rm(join(dir, '..'), { recursive: true, force: true })
})
afterAll(() => db.drop())

/** Opens the tree as a process of its own would: with its own view of the guard's folder. */
async function process(database: TestDatabase = db, options: Parameters<TestTree['open']>[0] = {}): Promise<Log> {
  const guard = new FileGuard(dir)
  const log = await tree.open({ db: database, guard, ...options })
  opened.push({ close: () => log.close().then(() => guard.close()) })
  return log
}
async function stop(): Promise<void> {
  for (const one of opened.splice(0).reverse()) await one.close()
}
/** The database as it is now: a dump that is restored later, or a replica that got no further. */
async function copy(): Promise<TestDatabase> {
  const made = await testDatabase({ copyOf: db })
  copies.push(made)
  return made
}
const newest = async (): Promise<bigint[]> => (await new FileGuard(dir).newest(tree.origin)).map(({ size }) => size)

describe('C8: a database that went back in time', () => {
  it('is refused at start: an older dump was restored', async () => {
    await appendAll(await process(), bodies('before', 300))
    await stop()
    const dump = await copy()
    await appendAll(await process(), bodies('after', 5))
    await stop()
    const starting = process(dump)
    await expect(starting).rejects.toThrowCode('LEDGER_ROLLED_BACK')
    // It says which entries are missing, and what to do.
    await expect(starting).rejects.toMatchObject({
      message: expect.stringContaining('entries 301 to 305 are missing'),
      details: { hint: expect.stringContaining('touchmark log recover') },
    })
    // The refusal is no reason to forget: it is refused again, and the newest database still starts.
    await expect(process(dump)).rejects.toThrowCode('LEDGER_ROLLED_BACK')
    expect((await (await process()).checkpoint()).size).toBe(306n)
  })

  it('is refused at start: the tree is not there at all', async () => {
    const empty = await testDatabase()
    copies.push(empty)
    await appendAll(await process(), bodies('before', 2))
    await stop()
    await expect(process(empty)).rejects.toThrowCode('LEDGER_ROLLED_BACK')
    // No second history was begun.
    expect(await empty.query('select origin from logs')).toEqual([])
  })

  it('is refused at start: it was restored, and another history was begun there', async () => {
    await appendAll(await process(), bodies('before', 10))
    await stop()
    const dump = await copy()
    await appendAll(await process(), bodies('one', 3))
    await stop()
    // Without a guard nobody notices; the same number of entries, and more.
    for (const count of [3, 4]) {
      const other = await tree.open({ db: dump })
      await appendAll(other, bodies('other', count))
      await other.close()
      const starting = process(dump)
      await expect(starting).rejects.toThrowCode('LEDGER_ROLLED_BACK')
      await expect(starting).rejects.toThrow('forked')
    }
  })

  it('is accepted when it is the newer one', async () => {
    await appendAll(await process(), bodies('before', 300))
    await stop()
    const noted = await newest()
    // Entries that the guard has not seen: committed by a machine whose note was lost with it.
    const unguarded = await tree.open()
    await appendAll(unguarded, bodies('more', 400))
    await unguarded.close()
    expect(await newest()).toEqual(noted)
    const log = await process(await copy())
    await appendAll(log, bodies('after', 1))
    expect(await newest()).toEqual([702n])
    await checkLog(log)
  })

  it('stops every process under which it happens, those too that had not followed the newest entries', async () => {
    const [ahead, idle] = [await process(), await process()]
    await appendAll(ahead, bodies('before', 5))
    await idle.checkpoint()
    const replica = await copy()
    const [leading, behind] = [await process(), await process(replica)]
    await appendAll(leading, bodies('after', 5))
    // The replica has everything that this process has seen; the guard knows better.
    await expect(behind.append({ body: body('fork') })).rejects.toThrowCode('LEDGER_ROLLED_BACK')
    expect(behind.failure).toBeDefined()
    expect((await replica.query('select size from logs where origin = $1', [tree.origin]))[0]).toEqual({ size: '6' })
    await appendAll(idle, bodies('on', 1))
  })
})

describe('C1: the newest head', () => {
  it('is in the guard before its callers are answered, and not before it was committed', async () => {
    const slow = slowSigner()
    tree = new TestTree(db, { signer: slow.signer })
    const log = await process()
    slow.pause()
    const asked = slow.asked()
    const answer = log.append({ body: body('one') })
    await asked
    expect(await newest()).toEqual([1n])
    slow.resume()
    await answer
    expect(await newest()).toEqual([2n])
  })

  it('is in the guard before it is served to anybody who reads', async () => {
    const [writer, reader] = [await tree.open(), await process()]
    await appendAll(writer, bodies('entry', 3))
    expect(await newest()).toEqual([1n])
    const { size } = await reader.checkpoint()
    expect([size, await newest()]).toEqual([4n, [4n]])
    await writer.close()
  })

  it('is in the guard although its commit was only found by reading back', async () => {
    const faults = new FaultPlan(db)
    const log = await process(faults.database as TestDatabase)
    faults.fail('commit', 'lost-after')
    await log.append({ body: body('one') })
    expect(await newest()).toEqual([2n])
  })

  it('is kept when nothing was stored', async () => {
    const faults = new FaultPlan(db)
    const log = await process(faults.database as TestDatabase)
    await appendAll(log, bodies('before', 2))
    faults.fail('write', '40001', '40001', '40001')
    await expect(log.append({ body: body('one') })).rejects.toThrowCode('LEDGER_UNAVAILABLE')
    expect(await newest()).toEqual([3n])
  })

  it('is believed on first use, aloud, where the guard knows nothing', async () => {
    const unguarded = await tree.open()
    await appendAll(unguarded, bodies('before', 4))
    await unguarded.close()
    const began: bigint[] = []
    const observe = { guardBegan: (size: bigint) => began.push(size) }
    await process(db, { observe })
    expect([began, await newest()]).toEqual([[5n], [5n]])
    await stop()
    await process(db, { observe })
    expect(began).toEqual([5n])
  })
})

describe('the guard', () => {
  it('does not believe a head that another key has signed, and says so', async () => {
    await process()
    await stop()
    const { signer } = new TestTree(db)
    const { logId } = await process()
    await stop()
    const note = await signCheckpoint(
      { origin: tree.origin, size: 1000n, root: new Uint8Array(32), extensions: [] },
      logId,
      signer,
    )
    const planted = new FileGuard(dir)
    planted.note(tree.origin, { size: 1000n, note })
    await planted.close()
    const starting = process()
    await expect(starting).rejects.toThrowCode('LEDGER_GUARD_FOREIGN')
    await expect(starting).rejects.toThrow('the key of this tree has not signed')
  })

  it('does not believe a size that is not the one of its checkpoint', async () => {
    const log = await process()
    const { note } = await log.checkpoint()
    await stop()
    const planted = new FileGuard(dir)
    planted.note(tree.origin, { size: 1000n, note })
    await planted.close()
    await expect(process()).rejects.toThrowCode('LEDGER_GUARD_FOREIGN')
  })

  it('that cannot be read stops the start; one that cannot be written stops no entry', async () => {
    const guard = new FileGuard(dir)
    const log = await tree.open({ guard })
    rmSync(dir, { recursive: true })
    writeFileSync(dir, 'no folder')
    await appendAll(log, bodies('entry', 2))
    expect(guard.problem()).toMatch(/cannot be written/)
    await log.close()
    await guard.close()
    await expect(process()).rejects.toThrowCode('LEDGER_GUARD_UNAVAILABLE')
  })

  it('that holds a damaged record stops the start', async () => {
    await process()
    await stop()
    const name = readdirSync(dir)[0]!
    writeFileSync(join(dir, name), 'x'.repeat(8192))
    await expect(process()).rejects.toThrowCode('LEDGER_GUARD_DAMAGED')
  })

  it('remembers that a tree was given up: a database that has it active again is refused', async () => {
    const log = await process()
    const { note } = await log.checkpoint()
    await stop()
    const guard = new FileGuard(dir)
    await guard.giveUp({ origin: tree.origin, kept: note, lost: [note], at: '2026-12-01T00:00:00Z' })
    await expect(process()).rejects.toThrowCode('LEDGER_GIVEN_UP')
    await db.query(`update logs set state = 'frozen', frozen_at = now() where origin = $1`, [tree.origin])
    const frozen = await process()
    await expect(frozen.append({ body: body('more') })).rejects.toThrowCode('LEDGER_FROZEN')
    expect((await frozen.checkpoint()).size).toBe(1n)
  })

  it('keeps trees apart', async () => {
    mkdirSync(dir, { recursive: true })
    const other = new TestTree(db)
    const guard = new FileGuard(dir)
    const [a, b] = [await tree.open({ guard }), await other.open({ guard })]
    await appendAll(a, bodies('a', 3))
    expect([await guard.newest(tree.origin), await guard.newest(other.origin)]).toMatchObject([
      [{ size: 4n }],
      [{ size: 1n }],
    ])
    await a.close()
    await b.close()
    await guard.close()
  })
})
