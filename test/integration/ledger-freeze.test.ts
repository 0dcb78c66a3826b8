import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { checkLog, freezeLog, type AppendedEntry, type FrozenLog, type Log } from '@touchmark/ledger'
import { openDatabase, type Database } from '@touchmark/postgres'
import { testDatabase } from '@touchmark/testkit'
import { verifyCheckpoint } from '@touchmark/tlog'
import { TestTree, appendAll, bodies, body, certificateLeaf, checkAnswer } from './support/ledger.js'

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

async function open(tree: TestTree, on?: Database): Promise<Log> {
  const log = await tree.open(on === undefined ? {} : { db: on })
  opened.push(log)
  return log
}

function freeze(tree: TestTree, signer = tree.signer): Promise<FrozenLog> {
  return db.transaction(({ client }) => freezeLog(client, { origin: tree.origin, signer, clock: tree.clock }))
}

describe('freezeLog', () => {
  it('while three processes append: what was answered is in the tree, everything later is refused, in each of them', async () => {
    const tree = new TestTree(db)
    const logs: Log[] = []
    for (let i = 0; i < 3; i++) {
      const pool = await openDatabase({ url: db.url, poolSize: 3 })
      pools.push(pool)
      logs.push(await open(tree, pool))
    }
    const answers: { entry: Uint8Array; answer: AppendedEntry }[] = []
    const refused: string[] = []
    const work = logs.flatMap((log, p) =>
      Array.from({ length: 6 }, async (_, w) => {
        for (let i = 0; ; i++) {
          const entry = body(`${p}.${w}.${i}`)
          try {
            answers.push({ entry, answer: await log.append({ body: entry }) })
          } catch (error) {
            return void refused.push((error as { code: string }).code)
          }
        }
      }),
    )
    while (answers.length < 200) await new Promise((resolve) => setTimeout(resolve, 5))
    const { head, before } = await freeze(tree)
    await Promise.all(work)
    expect(before).toBe(false)
    expect(refused).toEqual(Array.from({ length: 18 }, () => 'LEDGER_FROZEN'))
    for (const { entry, answer } of answers) checkAnswer(logs[0]!, entry, answer)
    const indexes = answers.map(({ answer }) => answer.index).sort((a, b) => Number(a - b))
    expect(indexes).toEqual(indexes.map((_, i) => BigInt(i + 1)))
    expect(head.size).toBe(BigInt(answers.length + 1))
    for (const log of logs) {
      expect(log.state).toBe('frozen')
      expect(log.failure).toBeUndefined()
      await expect(log.append({ body: body('late') })).rejects.toThrowCode('LEDGER_FROZEN')
      await expect(log.append({ body: answers[0]!.entry })).rejects.toThrowCode('LEDGER_FROZEN')
      expect((await log.checkpoint()).note).toBe(head.note)
      expect(await checkLog(log)).toMatchObject({ size: head.size })
    }
  })

  it('signs the last head of a v2 log once more, with a line that says when', async () => {
    const tree = new TestTree(db)
    const log = await open(tree)
    await appendAll(log, bodies('entry', 300))
    const last = await log.checkpoint()
    tree.clock.advance(3_600_000)
    const { head, frozenAt } = await freeze(tree)
    const { origin, publicKey: key, logId } = log
    const signed = verifyCheckpoint(head.note, { origin, key, logId }, nodeCrypto)
    expect(signed).toEqual({
      origin,
      size: last.size,
      root: last.root,
      extensions: ['Log frozen — Tue Dec  1 01:00:00 UTC 2026'],
    })
    expect(frozenAt).toEqual(new Date('2026-12-01T01:00:00Z'))
    const again = await open(tree)
    expect(again.state).toBe('frozen')
    expect((await again.checkpoint()).note).toBe(head.note)
    await checkLog(again, { proofs: 20 })
  })

  it.each([
    ['signature-v1', { body: body('genesis') }],
    ['certificate', { body: certificateLeaf('genesis', '2026-12-01T00:00:00Z') }],
  ] as const)('leaves the words of a %s log as they are', async (kind, genesis) => {
    const tree = new TestTree(db, { kind, genesis })
    const log = await open(tree)
    const { head } = await freeze(tree)
    expect(head.note.split('\n\n')[0]!.split('\n')).toHaveLength(3)
    expect((await log.checkpoint()).note).toBe(head.note)
    await expect(log.resign()).rejects.toThrowCode('LEDGER_FROZEN')
  })

  it('does nothing twice', async () => {
    const tree = new TestTree(db)
    await open(tree)
    const first = await freeze(tree)
    tree.clock.advance(60_000)
    const second = await freeze(tree)
    expect(second).toEqual({ ...first, before: true })
  })

  it('is undone with the transaction that it is in', async () => {
    const tree = new TestTree(db)
    const log = await open(tree)
    const undone = db.transaction(async ({ client }) => {
      await freezeLog(client, { origin: tree.origin, signer: tree.signer, clock: tree.clock })
      throw new Error('no')
    })
    await expect(undone).rejects.toThrow('no')
    await appendAll(log, bodies('after', 2))
  })

  it('signs with the key of the tree alone, and nothing that the tiles do not hash to', async () => {
    const tree = new TestTree(db)
    const log = await open(tree)
    const other = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
    await expect(freeze(tree, other)).rejects.toThrowCode('LEDGER_KEY_MISMATCH')
    await appendAll(log, bodies('entry', 3))
    const damage = async (sql: string): Promise<void> => {
      await db.query('alter table log_tiles disable trigger user')
      await db.query(sql, [tree.origin])
      await db.query('alter table log_tiles enable trigger user')
    }
    const flip = 'set hashes = set_byte(hashes, 40, get_byte(hashes, 40) # 1) from logs l'
    await damage(`update log_tiles t ${flip} where t.log_id = l.id and l.origin = $1`)
    await expect(freeze(tree)).rejects.toThrowCode('LEDGER_CORRUPT')
    await damage(`update log_tiles t ${flip} where t.log_id = l.id and l.origin = $1`)
    expect((await freeze(tree)).head.size).toBe(4n)
    await expect(
      db.transaction(({ client }) => freezeLog(client, { origin: 'nobody.example', signer: other, clock: tree.clock })),
    ).rejects.toThrowCode('LEDGER_CORRUPT')
  })

  it('is for ever: the server lets nobody thaw a tree, grow it or move its end', async () => {
    const tree = new TestTree(db)
    await open(tree)
    await freeze(tree)
    for (const change of ["state = 'active', frozen_at = null", 'size = size + 1', "frozen_at = frozen_at + '1 s'"]) {
      await expect(db.query(`update logs set ${change} where origin = $1`, [tree.origin])).rejects.toThrowCode(
        'POSTGRES_CORRUPT',
      )
    }
  })
})
