import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Database } from '@touchmark/postgres'
import { migrate, openDatabase } from '@touchmark/postgres'
import { testDatabase } from '@touchmark/testkit'
import type { TestDatabase } from '@touchmark/testkit'
import type { MigrationInterface, QueryRunner } from 'typeorm'

let db: TestDatabase
beforeAll(async () => {
  db = await testDatabase({ migrated: false })
}, 60_000)
beforeEach(async () => {
  await db.query('drop schema public cascade')
  await db.query('create schema public')
})
afterAll(() => db.drop())

type MigrationClass = new () => MigrationInterface

/** A migration with a statement each way. */
function migration(name: string, ...statements: string[]): MigrationClass {
  return class implements MigrationInterface {
    name = name
    async up(runner: QueryRunner): Promise<void> {
      for (const statement of statements) await runner.query(statement)
    }
    async down(): Promise<void> {}
  }
}

const first = migration('First1700000000001', 'create table steps (a int)', 'insert into steps values (1)')
const second = migration('Second1700000000002', 'select pg_sleep(0.1)', 'insert into steps values (2)')
const steps = () => db.query('select a from steps order by a')
const names = () => db.query('select name from touchmark_migrations order by id')

describe('migrate', () => {
  it('runs each migration once when 20 start at the same moment', async () => {
    const all: Database[] = await Promise.all(
      Array.from({ length: 20 }, () => openDatabase({ url: db.url, poolSize: 1 })),
    )
    await Promise.all(all.map((one) => migrate(one, { migrations: [first, second] })))
    await Promise.all(all.map((one) => one.close()))
    expect(await steps()).toEqual([{ a: 1 }, { a: 2 }])
    expect(await names()).toEqual([{ name: 'First1700000000001' }, { name: 'Second1700000000002' }])
  })

  it('goes on from an older schema, and does nothing to a current one', async () => {
    await migrate(db, { migrations: [first] })
    await migrate(db, { migrations: [first, second] })
    await migrate(db, { migrations: [first, second] })
    expect(await steps()).toEqual([{ a: 1 }, { a: 2 }])
  })

  it('refuses a schema of a newer release and changes nothing', async () => {
    await migrate(db, { migrations: [first, second] })
    await expect(migrate(db, { migrations: [first] })).rejects.toThrowCode('POSTGRES_SCHEMA_NEWER')
    const third = migration('Third1700000000003', 'insert into steps values (3)')
    await expect(migrate(db, { migrations: [first, third] })).rejects.toThrowCode('POSTGRES_SCHEMA_NEWER')
    expect(await steps()).toEqual([{ a: 1 }, { a: 2 }])
  })

  it('leaves nothing of a migration that fails, and keeps those before it', async () => {
    const broken = migration('Broken1700000000002', 'insert into steps values (9)', 'select 1 / 0')
    await expect(migrate(db, { migrations: [first, broken] })).rejects.toThrowCode('POSTGRES_MIGRATION_FAILED')
    expect(await steps()).toEqual([{ a: 1 }])
    await migrate(db, { migrations: [first, second] })
    expect(await steps()).toEqual([{ a: 1 }, { a: 2 }])
  })

  it('is finished by the next one when its session is ended in the middle', async () => {
    const slow = migration('Slow1700000000002', 'insert into steps values (9)', 'select pg_sleep(20)')
    const failed = expect(migrate(db, { migrations: [first, slow] })).rejects.toThrowCode('POSTGRES_UNAVAILABLE')
    const end = `select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'touchmark migrate' and datname = current_database() and query like '%pg_sleep(20)%'`
    while ((await db.query(end)).length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    await failed
    await migrate(db, { migrations: [first, second] })
    expect(await steps()).toEqual([{ a: 1 }, { a: 2 }])
  })

  it('waits a limited time for another that is migrating', async () => {
    await db.withClient(async (client) => {
      await client.query('select pg_advisory_lock($1, $2)', [0x746f7563, 0x6d696772])
      await expect(migrate(db, { migrations: [first], waitMs: 50 })).rejects.toThrowCode('POSTGRES_TIMEOUT')
      await client.query('select pg_advisory_unlock_all()')
    })
    await migrate(db, { migrations: [first] })
  })

  it("brings an empty database to this release's schema, twice", async () => {
    await migrate(db)
    await migrate(db)
  })
})
