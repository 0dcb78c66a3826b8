import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { createHasher, encodeState, parseState, type CheckState } from '@touchmark/audit'
import { checkStored, storedTrees, type CheckStoredOptions, type OpenLogOptions } from '@touchmark/ledger'
import { testDatabase } from '@touchmark/testkit'
import { START, TestTree, appendAll, bodies, certificateLeaf, dropDefences } from './support/ledger.js'

jest.setTimeout(120_000)
type Db = Awaited<ReturnType<typeof testDatabase>>
/** A database whose own defences are gone: the check has to find what they would have refused. */
let db: Db
const hasher = createHasher(0)
beforeAll(async () => {
  db = await testDatabase()
  await dropDefences(db)
})
afterAll(() => db.drop())

async function stored(count = 600, options: Partial<OpenLogOptions> = {}): Promise<TestTree> {
  const tree = new TestTree(db, options)
  const log = await tree.open()
  await appendAll(log, bodies('entry', count - 1))
  await log.close()
  return tree
}

function check({ origin, signer }: TestTree, options: Partial<CheckStoredOptions> = {}) {
  return checkStored({ db, origin, keys: [signer.publicKey], hasher, ...options })
}

const LOG = '(select id from logs where origin = $1)'
const FLIP = (column: string, at: number) => `set_byte(${column}, ${at}, get_byte(${column}, ${at}) # 1)`
const ENTRY = (set: string, index: number) => `update log_entries set ${set} where log_id = ${LOG} and index = ${index}`
const TILE = (set: string, level: number, index: number) =>
  `update log_tiles set ${set} where log_id = ${LOG} and level = ${level} and index = ${index}`

type Found = Record<string, unknown>
const DAMAGE: [what: string, sql: string, found: Found[]][] = [
  ['nothing', 'select $1::text', []],
  [
    'a byte of a body',
    ENTRY(`body = ${FLIP('body', 2)}`, 300),
    [
      { kind: 'leaf-hash', entry: 300n, blame: 'entry' },
      { kind: 'entry', entry: 300n, path: 'tile/0/001', blame: 'entry' },
    ],
  ],
  [
    'a byte of a body in the last tile',
    ENTRY(`body = ${FLIP('body', 0)}`, 599),
    [
      { kind: 'leaf-hash', entry: 599n, blame: 'entry' },
      { kind: 'entry', entry: 599n, path: 'tile/0/002.p/88', blame: 'entry' },
    ],
  ],
  ['a byte of a leaf hash', ENTRY(`leaf_hash = ${FLIP('leaf_hash', 31)}`, 10), [{ kind: 'leaf-hash', entry: 10n }]],
  [
    'a byte of a level-0 tile',
    TILE(`hashes = ${FLIP('hashes', 77)}`, 0, 0),
    [{ kind: 'entry', entry: 2n, path: 'tile/0/000', blame: 'tile' }],
  ],
  [
    'a byte of the last level-0 tile',
    TILE(`hashes = ${FLIP('hashes', 77)}`, 0, 2),
    [{ kind: 'entry', entry: 514n, path: 'tile/0/002.p/88', blame: 'tile' }],
  ],
  [
    'a byte of an upper tile',
    TILE(`hashes = ${FLIP('hashes', 40)}`, 1, 0),
    [{ kind: 'tile', entry: 256n, path: 'tile/1/000.p/2', blame: 'tile' }],
  ],
  [
    'an upper tile that is gone',
    `delete from log_tiles where log_id = ${LOG} and level = 1`,
    [{ kind: 'tile', path: 'tile/1/000.p/2', message: 'tile/1/000.p/2 is missing' }],
  ],
  [
    'a tile that is short',
    TILE('hashes = substring(hashes from 1 for 64)', 0, 1),
    [{ kind: 'tile', path: 'tile/0/001', found: '64 bytes' }],
  ],
  [
    'an entry that is gone',
    `delete from log_entries where log_id = ${LOG} and index = 270`,
    [{ kind: 'entry', entry: 270n, message: expect.stringMatching(/entry 270 is missing/) }],
  ],
  ['a byte of the root', `update logs set root = ${FLIP('root', 5)} where origin = $1`, [{ kind: 'root' }]],
  [
    'a byte of the frontier',
    `update logs set frontier = ${FLIP('frontier', 5)} where origin = $1`,
    [{ kind: 'frontier' }],
  ],
  [
    'the signature of the checkpoint',
    `update logs set checkpoint = overlay(checkpoint placing 'AAAA' from length(checkpoint) - 20) where origin = $1`,
    [{ kind: 'checkpoint', message: expect.stringMatching(/signature/) }],
  ],
  [
    'the origin in the checkpoint',
    `update logs set checkpoint = 'x' || checkpoint where origin = $1`,
    [{ kind: 'checkpoint', message: expect.stringMatching(/another log/) }],
  ],
  [
    'the size in the row',
    'update logs set size = 599 where origin = $1',
    [
      { kind: 'checkpoint', expected: '600', found: '599' },
      { kind: 'checkpoint', message: expect.stringMatching(/599 entries; it had signed for 600/) },
    ],
  ],
  [
    'an entry beyond the tree',
    `insert into log_entries (log_id, index, leaf_hash, body) values (${LOG}, 600, sha256($1::bytea), 'x')`,
    [{ kind: 'extra', entry: 600n }],
  ],
  [
    'a tile beyond the tree',
    `insert into log_tiles (log_id, level, index, hashes) select log_id, 0, 3, hashes from log_tiles where log_id = ${LOG} and level = 0 and index = 0`,
    [{ kind: 'extra', path: 'tile/0/003' }],
  ],
  [
    'a tile that is too wide',
    TILE(`hashes = hashes || substring(hashes from 1 for 32)`, 0, 2),
    [{ kind: 'extra', path: 'tile/0/002' }],
  ],
  [
    'a level beyond the tree',
    `insert into log_tiles (log_id, level, index, hashes) select log_id, 2, 0, hashes from log_tiles where log_id = ${LOG} and level = 1`,
    [{ kind: 'extra', path: 'tile/2/000' }],
  ],
]

describe('a check of what is stored', () => {
  it.each(DAMAGE)('C4: names %s', async (_, sql, found) => {
    const tree = await stored()
    await db.query(sql, [tree.origin])
    const report = await check(tree)
    expect(report.differences).toHaveLength(found.length)
    for (const [i, expected] of found.entries()) expect(report.differences[i]).toMatchObject(expected)
    if (found.length === 0) expect(report).toMatchObject({ size: 600n, tiles: 4, unlisted: 0, kind: 'signature-v2' })
  })

  it('names an entry that the index of leaf hashes does not lead to', async () => {
    const tree = await stored()
    const [unique] = await db.query<{ conname: string }>(
      `select conname from pg_constraint where conrelid = 'log_entries'::regclass and contype = 'u'`,
    )
    await db.query(`alter table log_entries drop constraint ${unique!.conname}`)
    await db.query('create index not_unique on log_entries (log_id, leaf_hash)')
    await db.query(`create table moved as select * from log_entries where log_id = ${LOG} and index = 7`, [tree.origin])
    await db.query(`delete from log_entries where log_id = ${LOG} and index = 7`, [tree.origin])
    // The index leads to the row that came first: another one with the same leaf hash.
    await db.query('insert into log_entries select log_id, 9999, leaf_hash, body, extra from moved')
    await db.query('insert into log_entries select * from moved')
    const { differences } = await check(tree)
    await db.query('delete from log_entries where index = 9999')
    await db.query('drop index not_unique')
    await db.query(`alter table log_entries add constraint ${unique!.conname} unique (log_id, leaf_hash)`)
    expect(differences).toEqual([
      expect.objectContaining({ kind: 'index', entry: 7n }),
      expect.objectContaining({ kind: 'extra', entry: 9999n }),
      { kind: 'index', message: 'the unique index of leaf hashes is missing or not valid' },
    ])
    expect((await check(tree)).differences).toEqual([])
  })

  it('names a tree head that was changed, and entries longer than a bundle holds are no difference', async () => {
    const genesis = { body: certificateLeaf('issuing CA', START) }
    const tree = new TestTree(db, { kind: 'certificate', genesis })
    const log = await tree.open()
    await appendAll(log, [Buffer.concat([certificateLeaf('long', START), Buffer.alloc(100_000)])])
    await log.close()
    expect((await check(tree)).differences).toEqual([])
    await db.query('update logs set tree_head_timestamp = tree_head_timestamp + 1 where origin = $1', [tree.origin])
    expect((await check(tree)).differences).toEqual([expect.objectContaining({ kind: 'tree-head' })])
  })

  it('says when the key is not there, and checks the rest all the same', async () => {
    const tree = await stored(300)
    const other = new TestTree(db)
    await db.query(TILE(`hashes = ${FLIP('hashes', 0)}`, 0, 0), [tree.origin])
    const { differences } = await check(tree, { keys: [other.signer.publicKey] })
    expect(differences.map(({ kind }) => kind)).toEqual(['entry', 'key'])
  })

  it('is right about a tree that grows meanwhile', async () => {
    const tree = await stored(300)
    const log = await tree.open()
    let round = 0
    const growing = check(tree, {
      onProgress: async () => void (await appendAll(log, bodies(`round ${round++}`, 700))),
    })
    const report = await growing
    await log.close()
    expect([report.size, report.differences, round > 0]).toEqual([300n, [], true])
  })

  it('comes to the same verdict when it was interrupted, and the tree has grown since', async () => {
    const tree = await stored(4_000)
    await db.query(ENTRY(`body = ${FLIP('body', 2)}`, 300), [tree.origin])
    const whole = await check(tree)
    const subject = (logId: Uint8Array) => ({ origin: tree.origin, logId, how: 'database' })
    let saved = ''
    const stopped = check(tree, {
      onProgress(_, { logId, head, state }) {
        saved = encodeState(subject(logId), head, state())
        throw new Error('interrupted')
      },
    })
    await expect(stopped).rejects.toThrow('interrupted')
    const resume = (logId: Uint8Array) => Promise.resolve(parseState(saved, subject(logId)))
    let first: CheckState | undefined
    const resumed = await check(tree, {
      resume: async (logId) => {
        const found = await resume(logId)
        first = found.state
        return found
      },
    })
    expect(first!.tiles).toBeGreaterThan(0n)
    expect(resumed).toEqual(whole)
    const log = await tree.open()
    await appendAll(log, bodies('later', 300))
    await log.close()
    expect(await check(tree, { resume })).toMatchObject({ size: 4_300n, differences: whole.differences })
  })

  it('refuses a tree that is not there, and lists those that are', async () => {
    const tree = await stored(2)
    await expect(check(tree, { origin: 'other.example.com' })).rejects.toThrowCode('LEDGER_RANGE_INVALID')
    expect(await storedTrees(db)).toContainEqual({ origin: tree.origin, kind: 'signature-v2', size: 2n })
  })
})
