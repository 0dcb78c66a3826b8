import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { checkLog, type Log, type OpenLogOptions } from '@touchmark/ledger'
import { testDatabase } from '@touchmark/testkit'
import { START, TestTree, appendAll, bodies, body, certificateLeaf } from './support/ledger.js'

jest.setTimeout(120_000)
type Db = Awaited<ReturnType<typeof testDatabase>>
/** A database as the migrations make it, and one whose own defences are gone, so that what is behind them is tested. */
let guarded: Db
let db: Db
const opened: Log[] = []
beforeAll(async () => {
  guarded = await testDatabase()
  db = await testDatabase()
  for (const table of ['logs', 'log_entries', 'log_tiles']) {
    const constraints = await db.query<{ drop: string }>(
      `select format('alter table %I drop constraint %I', $1::text, conname) as drop
       from pg_constraint where conrelid = $1::regclass and contype = 'c'`,
      [table],
    )
    const triggers = await db.query<{ drop: string }>(
      `select format('drop trigger %I on %I', tgname, $1::text) as drop from pg_trigger where tgrelid = $1::regclass and not tgisinternal`,
      [table],
    )
    for (const { drop } of [...constraints, ...triggers]) await db.query(drop)
  }
})
afterAll(async () => {
  await Promise.all(opened.map((log) => log.close()))
  await guarded.drop()
  await db.drop()
})

/** A closed tree of 300 entries: one full tile and 44 hashes. */
async function stored(options: Partial<OpenLogOptions> = {}): Promise<TestTree> {
  const tree = new TestTree(db, options)
  const log = await tree.open()
  await appendAll(log, bodies('entry', 299))
  await log.close()
  return tree
}

const LOG = '(select id from logs where origin = $1)'
const FLIP = (column: string, at: number) => `set_byte(${column}, ${at}, get_byte(${column}, ${at}) # 1)`

const FLIPS: [what: string, found: RegExp, sql: string][] = [
  [
    'a byte of the last body',
    /entry 299.*tile\/0\/001\.p\/44/,
    `update log_entries set body = ${FLIP('body', 3)} where log_id = ${LOG} and index = 299`,
  ],
  [
    'a byte of a body in the last tile',
    /entry 256/,
    `update log_entries set body = ${FLIP('body', 0)} where log_id = ${LOG} and index = 256`,
  ],
  [
    'a byte of a leaf hash',
    /entry 280/,
    `update log_entries set leaf_hash = ${FLIP('leaf_hash', 31)} where log_id = ${LOG} and index = 280`,
  ],
  ['an entry that is gone', /entry 270 is missing/, `delete from log_entries where log_id = ${LOG} and index = 270`],
  ['the last entry gone', /entry 299 is missing/, `delete from log_entries where log_id = ${LOG} and index = 299`],
  [
    'the first hash of the last tile',
    /tile\/0\/001\.p\/44/,
    `update log_tiles set hashes = ${FLIP('hashes', 0)} where log_id = ${LOG} and level = 0 and index = 1`,
  ],
  [
    'the last hash of the last tile',
    /tile\/0\/001\.p\/44/,
    `update log_tiles set hashes = ${FLIP('hashes', 44 * 32 - 1)} where log_id = ${LOG} and level = 0 and index = 1`,
  ],
  [
    'a hash of level 1',
    /tile\/1\/000\.p\/1/,
    `update log_tiles set hashes = ${FLIP('hashes', 9)} where log_id = ${LOG} and level = 1`,
  ],
  ['a tile that is gone', /tile\/1\/000\.p\/1 is missing/, `delete from log_tiles where log_id = ${LOG} and level = 1`],
  [
    'a tile that is short',
    /tile\/0\/001\.p\/44/,
    `update log_tiles set hashes = substring(hashes from 1 for 43 * 32) where log_id = ${LOG} and level = 0 and index = 1`,
  ],
  ['a byte of the root', /root in the row/, `update logs set root = ${FLIP('root', 5)} where origin = $1`],
  ['a byte of the frontier', /frontier/, `update logs set frontier = ${FLIP('frontier', 5)} where origin = $1`],
  [
    'a frontier of another length',
    /frontier/,
    `update logs set frontier = substring(frontier from 1 for 32) where origin = $1`,
  ],
  ['a size that is smaller', /frontier|tile/, `update logs set size = 299 where origin = $1`],
  ['a size that is larger', /frontier|tile/, `update logs set size = 301 where origin = $1`],
  [
    'the size in the checkpoint',
    /checkpoint/,
    `update logs set checkpoint = replace(checkpoint, E'\\n300\\n', E'\\n301\\n') where origin = $1`,
  ],
  [
    'the signature of the checkpoint',
    /checkpoint/,
    `update logs set checkpoint = overlay(checkpoint placing 'AAAA' from length(checkpoint) - 20) where origin = $1`,
  ],
  ['a checkpoint of another text', /checkpoint/, `update logs set checkpoint = 'none' where origin = $1`],
]

describe('what was changed behind our back', () => {
  it.each(FLIPS)('C4: is refused at start: %s', async (_, found, sql) => {
    const tree = await stored()
    await db.query(sql, [tree.origin])
    const error: unknown = await tree.open().catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'LEDGER_CORRUPT', message: expect.stringMatching(found) })
  })

  it('is refused at start: a full last tile that does not hash to the tile above', async () => {
    const tree = new TestTree(db)
    const log = await tree.open()
    await appendAll(log, bodies('entry', 255))
    await log.close()
    const sql = `update log_tiles set hashes = ${FLIP('hashes', 100)} where log_id = ${LOG} and level = 0 and index = 0`
    await db.query(sql, [tree.origin])
    const error: unknown = await tree.open().catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'LEDGER_CORRUPT',
      message: expect.stringMatching(/tile\/0\/000.*in the tile above/),
    })
  })

  it('is refused at start: a checkpoint that the log did sign, of a size it had before', async () => {
    const tree = new TestTree(db)
    const log = await tree.open()
    const old = (await log.checkpoint()).note
    await appendAll(log, bodies('entry', 9))
    await log.close()
    await db.query('update logs set checkpoint = $2 where origin = $1', [tree.origin, old])
    const error: unknown = await tree.open().catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'LEDGER_CORRUPT', message: expect.stringMatching(/another size/) })
  })

  it.each([
    ['signature', `update logs set tree_head_signature = ${FLIP('tree_head_signature', 20)} where origin = $1`],
    ['time', 'update logs set tree_head_timestamp = tree_head_timestamp + 1 where origin = $1'],
  ])('is refused at start: the %s of a tree head', async (_, sql) => {
    const tree = new TestTree(db, { kind: 'certificate', genesis: { body: certificateLeaf('issuing CA', START) } })
    await (await tree.open()).close()
    await db.query(sql, [tree.origin])
    await expect(tree.open()).rejects.toThrowCode('LEDGER_CORRUPT')
  })

  it('C4: is named by a check of the whole log: a tile in the middle', async () => {
    const tree = await stored()
    const sql = `update log_tiles set hashes = ${FLIP('hashes', 77)} where log_id = ${LOG} and level = 0 and index = 0`
    await db.query(sql, [tree.origin])
    const log = await tree.open()
    opened.push(log)
    await expect(checkLog(log)).rejects.toMatchObject({ message: expect.stringMatching(/tile\/0\/000/) })
    // An old entry below that tile is not answered with a proof that does not hold.
    await expect(log.append({ body: body('entry 5') })).rejects.toThrowCode('LEDGER_CORRUPT')
  })

  it('C4: is named by a check of the whole log: a body in the middle', async () => {
    const tree = await stored()
    await db.query(`update log_entries set body = ${FLIP('body', 0)} where log_id = ${LOG} and index = 100`, [
      tree.origin,
    ])
    const log = await tree.open()
    opened.push(log)
    await expect(checkLog(log)).rejects.toMatchObject({ message: expect.stringMatching(/entry 100/) })
    // The caller whose entry has that hash is not given another one's body.
    await expect(log.append({ body: body('entry 99') })).rejects.toThrowCode('LEDGER_ENTRY_REFUSED')
  })
})

describe('a row that changes while the log is open', () => {
  const changes: [what: string, code: string, sql: string][] = [
    [
      'goes back',
      'LEDGER_ROLLED_BACK',
      `update logs set size = o.size, root = o.root, frontier = o.frontier, checkpoint = o.checkpoint from old_logs o where logs.id = o.id and logs.origin = $1`,
    ],
    [
      'gets another root of its size',
      'LEDGER_ROLLED_BACK',
      `update logs set root = ${FLIP('root', 5)} where origin = $1`,
    ],
    ['gets another frontier', 'LEDGER_CORRUPT', `update logs set frontier = ${FLIP('frontier', 5)} where origin = $1`],
    ['gets another checkpoint', 'LEDGER_CORRUPT', `update logs set checkpoint = 'none' where origin = $1`],
    ['grows by what nobody signed', 'LEDGER_CORRUPT', `update logs set size = size + 1 where origin = $1`],
    [
      'gets another key',
      'LEDGER_KEY_MISMATCH',
      `update logs set key_sha256 = ${FLIP('key_sha256', 0)} where origin = $1`,
    ],
    ['is gone', 'LEDGER_CORRUPT', 'delete from logs where origin = $1'],
  ]
  it.each(changes)('C4: and %s stops the log', async (_, code, sql) => {
    const failures: string[] = []
    const observe = { failed: (error: Error) => void failures.push((error as { code?: string }).code ?? '') }
    const tree = new TestTree(db, { observe })
    const log = await tree.open()
    opened.push(log)
    await appendAll(log, bodies('early', 5))
    await db.query('drop table if exists old_logs')
    await db.query('create table old_logs as select id, size, root, frontier, checkpoint from logs where origin = $1', [
      tree.origin,
    ])
    await appendAll(log, bodies('late', 5))
    await db.query(sql, [tree.origin])
    await expect(log.append({ body: body('next') })).rejects.toThrowCode(code)
    expect(log.failure).toMatchObject({ code })
    // It stays stopped, and says so once.
    await expect(log.append({ body: body('after that') })).rejects.toThrowCode(code)
    await expect(log.resign()).rejects.toThrowCode(code)
    expect(failures).toEqual([code])
  })

  it('and goes back is noticed by reading too', async () => {
    const tree = new TestTree(db)
    const log = await tree.open()
    opened.push(log)
    await appendAll(log, bodies('early', 5))
    await db.query('drop table if exists old_logs')
    await db.query('create table old_logs as select id, size, root, frontier, checkpoint from logs where origin = $1', [
      tree.origin,
    ])
    await appendAll(log, bodies('late', 5))
    await db.query(changes[0]![2], [tree.origin])
    await expect(log.checkpoint()).rejects.toThrowCode('LEDGER_ROLLED_BACK')
    expect(log.failure).toMatchObject({ code: 'LEDGER_ROLLED_BACK' })
  })

  it('with leaves of another process that were changed is not followed', async () => {
    const tree = new TestTree(db)
    const [first, second] = [await tree.open(), await tree.open()]
    opened.push(first, second)
    await appendAll(second, bodies('entry', 10))
    const sql = `update log_tiles set hashes = ${FLIP('hashes', 5 * 32)} where log_id = ${LOG} and level = 0 and index = 0`
    await db.query(sql, [tree.origin])
    await expect(first.append({ body: body('next') })).rejects.toThrowCode('LEDGER_CORRUPT')
  })
})

describe('a tile that is short while another process follows', () => {
  it('stops that process, and says which leaves are missing', async () => {
    const tree = new TestTree(db)
    const [first, second] = [await tree.open(), await tree.open()]
    opened.push(first, second)
    await appendAll(second, bodies('entry', 10))
    const sql = `update log_tiles set hashes = substring(hashes from 1 for 9 * 32) where log_id = ${LOG} and level = 0`
    await db.query(sql, [tree.origin])
    const error: unknown = await first.append({ body: body('next') }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'LEDGER_CORRUPT', message: expect.stringMatching(/lack some of the leaves/) })
  })
})

describe('the tables themselves', () => {
  const refused: [what: string, sql: string][] = [
    ['shrink a tree', 'update logs set size = size - 1 where origin = $1'],
    ['give a size a second root', `update logs set root = ${FLIP('root', 0)} where origin = $1`],
    ['give a tree another key', `update logs set key_sha256 = ${FLIP('key_sha256', 0)} where origin = $1`],
    ['give a tree another name', `update logs set origin = 'other' where origin = $1`],
    ['change an entry', `update log_entries set body = 'x' where log_id = ${LOG} and index = 1`],
    ['delete an entry', `delete from log_entries where log_id = ${LOG} and index = 1`],
    ['change a tile', `update log_tiles set hashes = ${FLIP('hashes', 0)} where log_id = ${LOG}`],
    ['shorten a tile', `update log_tiles set hashes = substring(hashes from 1 for 32) where log_id = ${LOG}`],
    [
      'store a body under another hash',
      `insert into log_entries (log_id, index, leaf_hash, body) values (${LOG}, 99, sha256('a'), 'b')`,
    ],
    [
      'store one leaf twice',
      `insert into log_entries (log_id, index, leaf_hash, body) select log_id, 99, leaf_hash, body from log_entries where log_id = ${LOG} and index = 1`,
    ],
    [
      'store two entries at one index',
      `insert into log_entries (log_id, index, leaf_hash, body) values (${LOG}, 1, sha256('\\x00'::bytea || 'b'), 'b')`,
    ],
    [
      'begin a second tree of one name',
      `insert into logs (kind, origin, key_sha256, size, root, frontier, checkpoint, appended_at) select kind, origin, key_sha256, size, root, frontier, checkpoint, appended_at from logs where origin = $1`,
    ],
    [
      'begin a tree without an entry',
      `insert into logs (kind, origin, key_sha256, size, root, frontier, checkpoint, appended_at) select kind, origin || 'x', key_sha256, 0, root, frontier, checkpoint, appended_at from logs where origin = $1`,
    ],
  ]
  let tree: TestTree
  beforeAll(async () => {
    tree = new TestTree(guarded)
    const log = await tree.open()
    await appendAll(log, bodies('entry', 3))
    await log.close()
  })

  it.each(refused)('refuse to %s', async (_, sql) => {
    await expect(guarded.query(sql, [tree.origin])).rejects.toMatchObject({ name: 'PostgresError' })
    const log = await tree.open()
    expect(await checkLog(log)).toMatchObject({ size: 4n })
    await log.close()
  })
})
