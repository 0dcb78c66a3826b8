import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { testDatabase, type TestDatabase } from '@touchmark/testkit'
import type pg from 'pg'
import { findEntries, readTiles } from '../../libs/ledger/src/store/read-tree.js'
import { begin } from '../../libs/ledger/src/store/write-batch.js'
import { appendAll, bodies, TestTree } from './support/ledger.js'

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

describe('statements under the lock of a tree (P6)', () => {
  it('read the entries and tiles that are asked for, and no others', async () => {
    const tree = new TestTree(db, { maxWaiting: 10_000, batch: { maxEntries: 4096 } })
    const log = await tree.open()
    const known = await appendAll(log, bodies('known', 3_000))
    await log.close()
    await db.withClient(async (client) => {
      await begin(client)
      const wanted = Array.from({ length: 2_000 }, () => new Uint8Array(randomBytes(32)))
      const [{ id }] = (await client.query<{ id: string }>('select id from logs where origin = $1', [log.origin]))
        .rows as [{ id: string }]
      const first = await rowsRead(client, 'log_entries')
      expect(await findEntries(client, BigInt(id), 3_001n, wanted)).toEqual([])
      expect((await rowsRead(client, 'log_entries')) - first).toBe(0)
      const stored = await client.query<{ leaf_hash: Buffer }>('select leaf_hash from log_entries where index = 7')
      const before = await rowsRead(client, 'log_entries')
      expect(await findEntries(client, BigInt(id), 3_001n, [...wanted, stored.rows[0]!.leaf_hash])).toHaveLength(1)
      expect((await rowsRead(client, 'log_entries')) - before).toBe(1)
      const tiles = await rowsRead(client, 'log_tiles')
      expect(await readTiles(client, BigInt(id), [{ level: 0, index: 3n }])).toHaveLength(1)
      expect((await rowsRead(client, 'log_tiles')) - tiles).toBe(1)
      await client.query('rollback')
    })
    expect(known).toHaveLength(3_000)
  })
})
