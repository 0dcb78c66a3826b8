import { randomBytes } from 'node:crypto'
import { systemClock } from '@touchmark/clock'
import { Database, migrate, openDatabase, schemaDigest } from '@touchmark/postgres'
import pg from 'pg'
import { testServer } from './test-server.js'
import type { TestServer } from './test-server.js'

export interface TestDatabaseOptions {
  /** Connections at most (default 8). */
  poolSize?: number
  /** False gives an empty database instead of a copy of the migrated template (default true). */
  migrated?: boolean
  /** Makes a copy of this database as it is now; its sessions are ended for that, and its pool recovers. */
  copyOf?: Database
}

const TEMPLATE = 'touchmark_test_template_'
const CLONE = 'touchmark_test_clone_'
const MAKING = 'touchmark_test_making_'
const LOCK = [0x746f7563, 0x74657374]
/** What a killed run left on a server that outlives it is removed when it is this old. */
const LEFTOVER_SECONDS = 6 * 3600

/** A database of one's own with the current schema. drop() it at the end of the file. */
export class TestDatabase extends Database {
  readonly #drop: () => Promise<void>

  constructor(database: Database, drop: () => Promise<void>) {
    super(database.dataSource, database.url)
    this.#drop = drop
  }

  /** Ends every session on the database, other processes' too, and removes it. */
  async drop(): Promise<void> {
    await this.close()
    await this.#drop()
  }
}

/**
 * Makes a database for one test file: `beforeAll(async () => { db = await testDatabase() })`,
 * `afterAll(() => db.drop())`. It runs on DATABASE_URL, or on an embedded server that all test files share. The
 * schema comes from a template that is migrated once. `db.url` lets other processes and pools connect.
 */
export async function testDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const server = await testServer()
  const name = `${CLONE}${seconds()}_${randomBytes(5).toString('hex')}`
  try {
    await asAdmin(server.adminUrl, async (admin) => {
      const template = options.copyOf ? await quiet(admin, options.copyOf) : await templateOf(admin, server, options)
      await createFrom(admin, name, template, ownerOf(server))
    })
    const url = withDatabase(server.userUrl, name)
    const database = await openDatabase({ url, poolSize: options.poolSize ?? 8, applicationName: 'touchmark test' })
    return new TestDatabase(database, async () => {
      await asAdmin(server.adminUrl, (admin) => run(admin, 'drop database if exists %1$I with (force)', name))
      await server.leave()
    })
  } catch (error) {
    await server.leave()
    throw error
  }
}

function templateOf(admin: pg.Client, server: TestServer, options: TestDatabaseOptions): Promise<string> {
  return options.migrated === false ? Promise.resolve('template0') : makeTemplate(admin, server)
}

/** Ends the sessions on a database, since one that is in use cannot be copied; gives its name. */
async function quiet(admin: pg.Client, database: Database): Promise<string> {
  const name = new URL(database.url).pathname.slice(1)
  await admin.query('select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1', [name])
  return name
}

async function makeTemplate(admin: pg.Client, server: TestServer): Promise<string> {
  const template = `${TEMPLATE}${schemaDigest().slice(0, 16)}`
  if (await exists(admin, template)) return template
  await admin.query('select pg_advisory_lock($1, $2)', LOCK)
  try {
    if (await exists(admin, template)) return template
    await removeLeftovers(admin)
    // Made aside and renamed, so that a template is whole or not there.
    const making = `${MAKING}${seconds()}_${randomBytes(5).toString('hex')}`
    await createFrom(admin, making, 'template0', ownerOf(server))
    const database = await openDatabase({ url: withDatabase(server.userUrl, making), poolSize: 2 })
    await migrate(database).finally(() => database.close())
    await retryWhileUsed(() => run(admin, 'alter database %1$I rename to %2$I', making, template))
    await run(admin, 'alter database %1$I allow_connections false', template)
    return template
  } finally {
    await admin.query('select pg_advisory_unlock($1, $2)', LOCK)
  }
}

async function removeLeftovers(admin: pg.Client): Promise<void> {
  const { rows } = await admin.query<{ datname: string }>(
    `select datname from pg_database d
     where datname ~ $1 and substring(datname from '_([0-9]+)_')::bigint < $2
       and not exists (select 1 from pg_stat_activity a where a.datid = d.oid)`,
    [`^(${CLONE}|${MAKING})[0-9]+_`, seconds() - LEFTOVER_SECONDS],
  )
  for (const { datname } of rows) await run(admin, 'drop database if exists %1$I with (force)', datname)
}

async function createFrom(admin: pg.Client, name: string, template: string, owner: string): Promise<void> {
  await retryWhileUsed(() => run(admin, 'create database %1$I template %2$I owner %3$I', name, template, owner))
}

/** 55006: a session that has just ended, or the server's own cleaning, is still in the database that is copied. */
async function retryWhileUsed(work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt === 10 || (error as { code?: unknown }).code !== '55006') throw error
      await new Promise((resolve) => setTimeout(resolve, 50 * attempt))
    }
  }
}

async function exists(admin: pg.Client, name: string): Promise<boolean> {
  return (await admin.query('select 1 from pg_database where datname = $1', [name])).rowCount === 1
}

/** Runs a statement that takes names where SQL allows no parameters; the server quotes them. */
async function run(admin: pg.Client, statement: string, ...names: string[]): Promise<void> {
  const { rows } = await admin.query<{ sql: string }>('select format($1, variadic $2::text[]) as sql', [
    statement,
    names,
  ])
  await admin.query(rows[0]!.sql)
}

async function asAdmin<T>(url: string, work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client({ connectionString: url, application_name: 'touchmark test admin' })
  admin.on('error', () => undefined)
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.end()
  }
}

function ownerOf(server: TestServer): string {
  return decodeURIComponent(new URL(server.userUrl).username)
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.href
}

function seconds(): number {
  return Math.floor(systemClock.now().getTime() / 1000)
}
