import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { hexEncode } from '@touchmark/encoding'
import {
  reindex,
  SearchFollower,
  SearchIndex,
  searchStatus,
  type Log,
  type SearchHit,
  type SearchQuery,
} from '@touchmark/ledger'
import { openDatabase, type Database } from '@touchmark/postgres'
import { testDatabase } from '@touchmark/testkit'
import { indexStep } from '../../libs/ledger/src/search/index-step.js'
import { TestTree, body } from './support/ledger.js'
import { digestOf, keyOf, signedBody } from './support/search-bodies.js'

jest.setTimeout(240_000)
let db: Awaited<ReturnType<typeof testDatabase>>
const opened: Log[] = []
beforeAll(async () => {
  db = await testDatabase()
})
afterAll(async () => {
  await Promise.all(opened.map((log) => log.close()))
  await db.drop()
})

async function newLog(): Promise<Log> {
  const log = await new TestTree(db, { maxWaiting: 50_000 }).open()
  opened.push(log)
  return log
}

const append = async (log: Log, entries: readonly Uint8Array[]): Promise<bigint[]> =>
  (await Promise.all(entries.map((entry) => log.append({ body: entry })))).map(({ index }) => index)

async function indexAll(log: Log, on: Database = db): Promise<void> {
  for (;;) {
    const outcome = await indexStep(on, log.origin)
    if (outcome === 'current') return
    if (outcome === 'busy') await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const query = (parts: Partial<SearchQuery>): SearchQuery => ({
  logId: undefined,
  all: [],
  operator: 'and',
  limit: 100,
  ...parts,
})

/** Every page, with what is done between them. */
async function findAll(index: SearchIndex, asked: SearchQuery, between?: () => Promise<unknown>): Promise<SearchHit[]> {
  const hits: SearchHit[] = []
  let page = await index.find(asked)
  for (;;) {
    hits.push(...page.hits)
    if (page.next === undefined) return hits
    await between?.()
    page = await index.find({ ...asked, after: page.next })
  }
}

/** Where the connection of a step is cut, in this order; the steps after them are left alone. */
const CUTS = ['before insert', 'before commit', 'after commit', 'before commit', 'after commit']

function cutting(step: number): Database {
  const place = CUTS[step]
  const cut = (pid: number) => db.query('select pg_terminate_backend($1)', [pid])
  const transaction: Database['transaction'] = async (fn, options) => {
    const result = await db.transaction(async (tx) => {
      const [row] = await tx.query<{ pid: number }>('select pg_backend_pid() as pid')
      const send = tx.client.query.bind(tx.client) as (...args: unknown[]) => Promise<unknown>
      const client = new Proxy(tx.client, {
        get: (target, name) => {
          if (name !== 'query') return Reflect.get(target, name, target) as unknown
          return async (...args: unknown[]) => {
            if (place === 'before insert' && String(args[0]).startsWith('insert into log_search (')) await cut(row!.pid)
            return send(...args)
          }
        },
      })
      const answer = await fn({ ...tx, client })
      if (place === 'before commit') await cut(row!.pid)
      return answer
    }, options)
    if (place === 'after commit') throw new Error('the answer to the commit was lost')
    return result
  }
  return new Proxy(db, { get: (target, name) => (name === 'transaction' ? transaction : Reflect.get(target, name, target)) as unknown }) // prettier-ignore
}

const rowsOf = (log: Log) =>
  db.query(
    `select s.index, s.kind, encode(s.key, 'hex') as key from log_search s join logs l on l.id = s.log_id
     where l.origin = $1 order by s.kind, s.key, s.index`,
    [log.origin],
  )

const range = (from: number, to: number): bigint[] => Array.from({ length: to - from }, (_, i) => BigInt(from + i))

describe('the search index', () => {
  it('finds an entry by each of its keys, and says how far it is complete', async () => {
    const log = await newLog()
    const entry = signedBody('one', { identity: 'Ada@Example.com', issuer: 'https://issuer.example.com', serial: 77 })
    const [at] = await append(log, [entry])
    await append(log, [signedBody('two', { identity: 'eve@example.com' }), body('not JSON')])
    const index = new SearchIndex({ db, trees: () => [log] })
    const identity = keyOf('identity', 'ada@example.COM')
    const before = await index.find(query({ all: [identity] }))
    expect(before).toEqual({ hits: [], treeSizes: new Map([[log.origin, 0n]]) })
    await indexAll(log)
    for (const key of [
      identity,
      keyOf('issuer', 'https://issuer.example.com'),
      keyOf('serial', '4D'),
      keyOf('digest', `sha256:${hexEncode(digestOf('one'))}`),
    ]) {
      const { hits, treeSizes, next } = await index.find(query({ all: [key] }))
      expect(hits.map(({ logIndex, origin }) => ({ logIndex, origin }))).toEqual([{ logIndex: at, origin: log.origin }])
      expect(Buffer.compare(hits[0]!.body, entry)).toBe(0)
      expect(treeSizes).toEqual(new Map([[log.origin, 4n]]))
      expect(next).toBeUndefined()
    }
    // The genesis entry is read; the one that is no JSON is counted.
    expect(await searchStatus(db, [log.origin])).toEqual({ lag: 0n, unread: 1n })
  })

  it('joins keys with and and or, over several trees', async () => {
    const [one, two] = [await newLog(), await newLog()]
    for (const log of [one, two]) {
      await append(log, [signedBody('a', { identity: 'a@joined.test', issuer: 'https://i.test' })])
      await append(log, [signedBody('b', { identity: 'b@joined.test', issuer: 'https://i.test' })])
      await indexAll(log)
    }
    const index = new SearchIndex({ db, trees: () => [one, two] })
    const [a, b, i] = [keyOf('identity', 'a@joined.test'), keyOf('identity', 'b@joined.test'), keyOf('issuer', 'https://i.test')] // prettier-ignore
    const places = async (parts: Partial<SearchQuery>) =>
      (await findAll(index, query(parts))).map(({ origin, logIndex }) => `${origin === one.origin ? 1 : 2}/${logIndex}`)
    for (const limit of [1, 2, 3, 100]) {
      expect(await places({ all: [a, i], limit })).toEqual(['1/1', '2/1'])
      expect(await places({ all: [a, b], limit })).toEqual([])
      expect(await places({ all: [a, b], operator: 'or', limit })).toEqual(['1/1', '1/2', '2/1', '2/2'])
      expect(await places({ all: [i, a, i], operator: 'or', limit })).toEqual(['1/1', '1/2', '2/1', '2/2'])
      expect(await places({ all: [], limit })).toEqual([])
    }
    expect(await places({ all: [a], logId: two.logId })).toEqual(['2/1'])
    expect(await places({ all: [a], kinds: ['signature-v1'] })).toEqual([])
  })

  it('pages a hot key without repeats or gaps while the log grows and the index follows', async () => {
    const log = await newLog()
    const hot = { identity: 'bot@hot.test', issuer: 'https://ci.test' }
    const make = (from: number, to: number) => range(from, to).map((i) => signedBody(`hot ${i}`, hot))
    await append(log, make(0, 10_000))
    await indexAll(log)
    const index = new SearchIndex({ db, trees: () => [log] })
    let more = 0
    const grow = async () => {
      if (more < 1000) await append(log, make(20_000 + more, 20_000 + (more += 50)))
      await indexStep(db, log.origin)
    }
    for (const operator of ['or', 'and'] as const) {
      const { size } = await log.checkpoint()
      await indexAll(log)
      const all = [keyOf('identity', hot.identity), keyOf('issuer', hot.issuer)]
      const hits = await findAll(index, query({ all, operator }), grow)
      expect(hits.map(({ logIndex }) => logIndex)).toEqual(range(1, Number(size)))
    }
    await indexAll(log)
    expect((await index.find(query({ all: [keyOf('identity', hot.identity)], limit: 1 }))).treeSizes.get(log.origin)).toBe(11_001n) // prettier-ignore
  })

  it('bounds the walk of two hot keys that meet in nothing', async () => {
    const log = await newLog()
    const entries = range(0, 2400).map((i) => signedBody(`apart ${i}`, i % 2n === 0n ? { identity: 'x@apart.test' } : { identity: 'y@apart.test' })) // prettier-ignore
    await append(log, entries)
    await indexAll(log)
    const index = new SearchIndex({ db, trees: () => [log] })
    const asked = query({ all: [keyOf('identity', 'x@apart.test'), keyOf('identity', 'y@apart.test')] })
    const first = await index.find(asked)
    expect(first.hits).toEqual([])
    expect(first.next).toBeDefined()
    expect(await findAll(index, asked)).toEqual([])
  })

  it('believes no row of the index: only what the entry says is a hit', async () => {
    const log = await newLog()
    const [mine, theirs] = await append(log, [
      signedBody('mine', { identity: 'me@tamper.test' }),
      signedBody('theirs', { identity: 'they@tamper.test' }),
    ])
    await indexAll(log)
    const index = new SearchIndex({ db, trees: () => [log] })
    const asked = query({ all: [keyOf('identity', 'me@tamper.test')] })
    await db.query(
      `insert into log_search (log_id, index, kind, key)
       select s.log_id, w.index, s.kind, s.key from log_search s join logs l on l.id = s.log_id,
         unnest(array[0, $2::bigint, 99]) as w (index)
       where l.origin = $1 and s.index = $3 and s.kind = 2`,
      [log.origin, theirs!.toString(), mine!.toString()],
    )
    for (const limit of [1, 100])
      expect((await findAll(index, { ...asked, limit })).map(({ logIndex }) => logIndex)).toEqual([mine])
  })

  it('believes no entry whose body is not that of its leaf', async () => {
    const log = await newLog()
    const entry = signedBody('swapped', { identity: 'me@swap.test' })
    const [at] = await append(log, [entry])
    await indexAll(log)
    const other = await testDatabase()
    try {
      // A copy in which the guards of the schema were taken away.
      const columns = 'id, kind, origin, key_sha256, size, root, frontier, checkpoint, appended_at'
      const rows = await db.query(`select ${columns} from logs where origin = $1`, [log.origin])
      await other.query(
        `insert into logs (${columns}) overriding system value values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
        Object.values(rows[0]!),
      )
      await other.query('alter table log_entries drop constraint log_entries_check')
      const id = String(rows[0]!['id'])
      const leaf = (await log.entries(at!, at! + 1n))[0]!.leafHash
      const insert = 'insert into log_entries (log_id, index, leaf_hash, body) values ($1, $2, $3, $4)'
      await other.query(insert, [id, 0, Buffer.alloc(32), body('first')])
      await other.query(insert, [id, 1, leaf, signedBody('another', { identity: 'me@swap.test' })])
      await indexAll(log, other)
      const asked = query({ all: [keyOf('identity', 'me@swap.test')] })
      expect((await new SearchIndex({ db, trees: () => [log] }).find(asked)).hits).toHaveLength(1)
      expect((await new SearchIndex({ db: other, trees: () => [log] }).find(asked)).hits).toEqual([])
    } finally {
      await other.drop()
    }
  })

  it('bounds a page in bytes, and loses nothing by it', async () => {
    const log = await newLog()
    const userId = Buffer.concat([Buffer.of(0xcd, 12), Buffer.from('me@large.net')]).toString('base64')
    const large = (i: number) => ({
      apiVersion: '0.0.1',
      kind: 'rekord',
      spec: { signature: { format: 'pgp', publicKey: { content: userId } }, padding: `${i}`.padEnd(60_000) },
    })
    const indexes = await append(
      log,
      Array.from({ length: 90 }, (_, i) => body(JSON.stringify(large(i)))),
    )
    await indexAll(log)
    const index = new SearchIndex({ db, trees: () => [log] })
    const asked = query({ all: [keyOf('identity', 'me@large.net')] })
    const first = await index.find(asked)
    expect(first.hits.length).toBeGreaterThan(30)
    expect(first.hits.length).toBeLessThan(40)
    const hits = await findAll(index, asked)
    expect(hits.map(({ logIndex }) => logIndex)).toEqual(indexes)
  })

  it('refuses searches that would only wait', async () => {
    const log = await newLog()
    const index = new SearchIndex({ db, trees: () => [log] })
    const asked = query({ all: [keyOf('identity', 'a@busy.test')] })
    const outcomes = await Promise.allSettled(Array.from({ length: 80 }, () => index.find(asked)))
    const refused = outcomes.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[]
    expect(refused).toHaveLength(14)
    expect(refused[0]!.reason).toMatchObject({ code: 'LEDGER_SEARCH_BUSY' })
    expect((await index.find(asked)).hits).toEqual([])
  })

  it('refuses questions and places to go on from that are none', async () => {
    const log = await newLog()
    const index = new SearchIndex({ db, trees: () => [log] })
    for (const limit of [0, 101, 1.5, Number.NaN])
      await expect(index.find(query({ limit }))).rejects.toThrowCode('LEDGER_SEARCH_INVALID')
    const many = Array.from({ length: 17 }, (_, i) => keyOf('serial', String(i)))
    await expect(index.find(query({ all: many }))).rejects.toThrowCode('LEDGER_SEARCH_INVALID')
    for (const after of [
      '',
      '1',
      '1.1',
      '1.1_',
      '-1.0_1.1',
      '1.99999999999999999999_1.1',
      "1.1_1.1'; drop table logs",
      '9'.repeat(5000),
      '1.9999999999999999999_1.1',
    ])
      await expect(index.find(query({ after }))).rejects.toThrowCode('LEDGER_SEARCH_INVALID')
    // A forged size shows no more than is indexed.
    const all = [keyOf('identity', 'nobody@example.com')]
    const [row] = await db.query<{ id: string }>('select id from logs where origin = $1', [log.origin])
    const page = await index.find(query({ all, after: `0.0_${row!.id}.999999999` }))
    expect(page.treeSizes.get(log.origin)).toBe(0n)
  })

  it.each(
    [
      `'; drop table log_search; --`,
      `a@b.test\u001b[2J\u0007\r\n`,
      `<script>alert(1)</script>`,
      `\u0000`,
      `${'x'.repeat(5000)}@long.test`,
      `%_\\`,
      `ÀÉ@ünicode.test`,
    ].map((identity) => [identity.slice(0, 30), identity]),
  )('takes an identity for a value, whatever it holds: %j', async (_title, identity) => {
    const log = await newLog()
    const [at] = await append(log, [signedBody('hostile', { identity })])
    await indexAll(log)
    const index = new SearchIndex({ db, trees: () => [log] })
    const { hits } = await index.find(query({ all: [keyOf('identity', identity)] }))
    expect(hits.map(({ logIndex }) => logIndex)).toEqual([at])
    expect((await db.query(`select to_regclass('log_search') is not null as there`))[0]).toEqual({ there: true })
  })
})

describe('followers', () => {
  it('share the work of a tree: every entry once, whoever indexes it', async () => {
    const log = await newLog()
    await append(
      log,
      range(0, 3000).map((i) => signedBody(`shared ${i}`, { identity: 'all@shared.test' })),
    )
    const other = await openDatabase({ url: db.url, poolSize: 2 })
    await Promise.all([indexAll(log), indexAll(log, other), indexAll(log, other)])
    await other.close()
    const index = new SearchIndex({ db, trees: () => [log] })
    const hits = await findAll(index, query({ all: [keyOf('identity', 'all@shared.test')] }))
    expect(hits.map(({ logIndex }) => logIndex)).toEqual(range(1, 3001))
  })

  it('index what is appended, soon after they are woken, and stop when told', async () => {
    const log = await newLog()
    const failures: unknown[] = []
    const followers = [0, 1].map(
      () => new SearchFollower({ db, trees: () => [log], failed: (error) => failures.push(error) }),
    )
    for (const follower of followers) follower.start()
    const index = new SearchIndex({ db, trees: () => [log] })
    for (let i = 0; i < 3; i++) {
      const [at] = await append(log, [signedBody(`follow ${i}`, { identity: `n${i}@follow.test` })])
      followers[0]!.wake()
      const asked = query({ all: [keyOf('identity', `n${i}@follow.test`)] })
      for (;;) {
        const { hits, treeSizes } = await index.find(asked)
        if (treeSizes.get(log.origin)! > at!) {
          expect(hits.map(({ logIndex }) => logIndex)).toEqual([at])
          break
        }
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    await Promise.all(followers.map((follower) => follower.stop()))
    expect(failures).toEqual([])
    const [late] = await append(log, [signedBody('late', { identity: 'late@follow.test' })])
    await new Promise((resolve) => setTimeout(resolve, 1200))
    expect((await searchStatus(db, [log.origin])).lag).toBe(1n)
    expect(late).toBe(4n)
  })

  it('lose and repeat nothing when connections are cut in the middle, and the index is that of an undisturbed run', async () => {
    const log = await newLog()
    await append(
      log,
      range(0, 2500).map((i) => signedBody(`cut ${i}`, { identity: `c${i % 7n}@cut.test` })),
    )
    let failures = 0
    for (let cuts = 0; ; cuts++) {
      try {
        if ((await indexStep(cutting(cuts), log.origin)) === 'current') break
      } catch {
        failures++
      }
    }
    expect(failures).toBe(CUTS.length)
    const disturbed = await rowsOf(log)
    const progress: string[] = []
    const done = await reindex(db, {
      progress: ({ origin, phase }) => void (origin === log.origin && progress.push(phase)),
    })
    expect(done.find(({ origin }) => origin === log.origin)).toEqual({ origin: log.origin, size: 2501n, unread: 0n })
    expect(progress.slice(0, 2)).toEqual(['clearing', 'indexing'])
    expect(progress.at(-1)).toBe('indexing')
    expect(await rowsOf(log)).toEqual(disturbed)
  })

  it('make anew what another version made, say meanwhile that nothing is complete, and leave alone what a newer one made', async () => {
    const log = await newLog()
    await append(log, [signedBody('old', { identity: 'a@version.test' })])
    await indexAll(log)
    const rows = await rowsOf(log)
    const set = (extractor: number) =>
      db.query('update log_search_progress set extractor = $2 where log_id = (select id from logs where origin = $1)', [log.origin, extractor]) // prettier-ignore
    await db.query(`insert into log_search select id, 1, 5, '\\x00112233445566778899aabbccddeeff' from logs where origin = $1`, [log.origin]) // prettier-ignore
    await set(0)
    const index = new SearchIndex({ db, trees: () => [log] })
    const asked = query({ all: [keyOf('identity', 'a@version.test')] })
    expect(await index.find(asked)).toEqual({ hits: [], treeSizes: new Map([[log.origin, 0n]]) })
    expect(await indexStep(db, log.origin)).toBe('cleared')
    expect(await indexStep(db, log.origin)).toBe('indexed')
    expect(await rowsOf(log)).toEqual(rows)
    expect((await index.find(asked)).hits).toHaveLength(1)
    await set(1_000)
    expect(await indexStep(db, log.origin)).toBe('newer')
    expect(await rowsOf(log)).toEqual(rows)
  })

  it('do not wait for an append that holds the tree, and no append waits for them', async () => {
    const log = await newLog()
    await append(log, [signedBody('held', { identity: 'a@held.test' })])
    const done = await db.transaction(async (tx) => {
      await tx.query('select 1 from logs where origin = $1 for update', [log.origin])
      return indexStep(db, log.origin)
    })
    expect(done).toBe('indexed')
    const outcome = await db.transaction(async (tx) => {
      await tx.query('select 1 from log_search_progress where log_id = (select id from logs where origin = $1) for update', [log.origin]) // prettier-ignore
      await append(log, [signedBody('meanwhile', { identity: 'b@held.test' })])
      return indexStep(db, log.origin)
    })
    expect(outcome).toBe('busy')
  })
})
