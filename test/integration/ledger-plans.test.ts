import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { testDatabase, type TestDatabase } from '@touchmark/testkit'
import type { Log } from '@touchmark/ledger'
import type pg from 'pg'
import { findEntries, findIndex, readBundle, readTiles } from '../../libs/ledger/src/store/read-tree.js'
import { begin } from '../../libs/ledger/src/store/write-batch.js'
import { appendAll, bodies, TestTree } from './support/ledger.js'

jest.setTimeout(60_000)
let db: TestDatabase
beforeAll(async () => {
  db = await testDatabase()
  // The table as it is before anybody has counted its rows: then the planner knows least.
  await db.query('alter table log_entries set (autovacuum_enabled = off)')
  await db.query('alter table log_tiles set (autovacuum_enabled = off)')
})
afterAll(() => db.drop())

/** Rows of a table that this connection has read and not reported yet, found or not: differences count. */
async function rowsRead(client: pg.ClientBase, table: string): Promise<number> {
  const { rows } = await client.query<{ read: string }>(
    'select coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) as read from pg_stat_xact_user_tables where relname = $1',
    [table],
  )
  return Number(rows[0]?.read ?? 0)
}

/** What looking for 2,000 entries that a tree does not have reads of it, for one more that it has, and for 256 by their places. */
async function readsOf(
  log: Log,
  size: bigint,
): Promise<{ absent: number; present: number; index: number; tile: number; bundle: number }> {
  return db.withClient(async (client) => {
    const found = await client.query<{ id: string; leaf_hash: Buffer }>(
      'select id, leaf_hash from logs join log_entries on log_id = id where origin = $1 and index = 7',
      [log.origin],
    )
    const { id: text, leaf_hash: known } = found.rows[0]!
    const id = BigInt(text)
    const wanted = Array.from({ length: 2_000 }, () => new Uint8Array(randomBytes(32)))
    const entriesRead = async (work: () => Promise<void>): Promise<number> => {
      const before = await rowsRead(client, 'log_entries')
      await work()
      return (await rowsRead(client, 'log_entries')) - before
    }
    await begin(client)
    const absent = await entriesRead(async () => expect(await findEntries(client, id, size, wanted)).toEqual([]))
    const present = await entriesRead(async () =>
      expect(await findEntries(client, id, size, [...wanted, known])).toHaveLength(1),
    )
    const index = await entriesRead(async () => {
      expect(await findIndex(client, id, wanted[0]!)).toBeUndefined()
      expect(await findIndex(client, id, known)).toBe(7n)
    })
    const tiles = await rowsRead(client, 'log_tiles')
    expect(await readTiles(client, id, [{ level: 0, index: 3n }])).toHaveLength(1)
    const tile = (await rowsRead(client, 'log_tiles')) - tiles
    const bundle = await entriesRead(async () =>
      expect(await readBundle(client, id, 256n, 512n)).toMatchObject({ entries: 256 }),
    )
    await client.query('rollback')
    return { absent, present, index, tile, bundle }
  })
}

const NOTHING_ELSE = { absent: 0, present: 1, index: 1, tile: 1, bundle: 256 }

/** A tree of 3,001 entries. */
async function filled(): Promise<Log> {
  const log = await new TestTree(db, { maxWaiting: 10_000, batch: { maxEntries: 4096 } }).open()
  expect(await appendAll(log, bodies('entry', 3_000))).toHaveLength(3_000)
  return log
}

describe('statements under the lock of a tree (P6)', () => {
  it('read what is asked for, and nothing else, in a table that nobody has counted', async () => {
    const log = await filled()
    expect(await readsOf(log, 3_001n)).toEqual(NOTHING_ELSE)
    await log.close()
  })

  it('do so in a tree that is younger than the statistics, as a new shard beside a large one is', async () => {
    const older = await new TestTree(db).open()
    await db.query(
      `insert into log_entries (log_id, index, leaf_hash, body)
       select id, i, sha256('\\x00'::bytea || b), b
         from logs, generate_series(1, 60000) as i, lateral (select convert_to('older ' || i, 'UTF8') as b) as bodies where origin = $1`,
      [older.origin],
    )
    await db.query('analyze log_entries')
    const log = await filled()
    expect(await readsOf(log, 3_001n)).toEqual(NOTHING_ELSE)
    await log.close()
    await older.close()
  })
})
