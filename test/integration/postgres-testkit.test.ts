import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { openDatabase } from '@touchmark/postgres'
import { testDatabase } from '@touchmark/testkit'
import type { TestDatabase } from '@touchmark/testkit'

let db: TestDatabase
beforeAll(async () => {
  db = await testDatabase()
}, 60_000)
afterAll(() => db.drop())

describe('testDatabase', () => {
  it('gives each caller a database of its own', async () => {
    const other = await testDatabase()
    try {
      await db.query('create table mine (a int)')
      expect(await other.query(`select to_regclass('mine') as found`)).toEqual([{ found: null }])
    } finally {
      await other.drop()
    }
  })

  it('removes the database while others are connected to it', async () => {
    const other = await testDatabase({ migrated: false })
    const guest = await openDatabase({ url: other.url })
    await other.drop()
    await expect(openDatabase({ url: other.url })).rejects.toThrowCode('POSTGRES_REFUSED')
    // Refused on a new connection, unavailable on one whose end has not been noticed yet.
    await expect(guest.query('select 1')).rejects.toMatchObject({ code: expect.stringMatching(/REFUSED|UNAVAILABLE/) })
    await guest.close()
  })

  it('copies at the same time as others do', async () => {
    const all = await Promise.all([1, 2, 3, 4].map(() => testDatabase({ poolSize: 1 })))
    expect(new Set(all.map(({ url }) => url)).size).toBe(4)
    await Promise.all(all.map((one) => one.drop()))
  })
})
