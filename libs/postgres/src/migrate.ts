import { createHash } from 'node:crypto'
import { migrations } from '@touchmark/migrations'
import { DataSource, MigrationExecutor } from 'typeorm'
import type { MigrationInterface } from 'typeorm'
import { dataSourceOptions, initialize } from './connect.js'
import type { Database } from './database.js'
import { PostgresError } from './errors.js'
import { mapDriverError } from './map-error.js'

export interface MigrateOptions {
  /** For tests: other migrations than this release's. */
  migrations?: readonly (new () => MigrationInterface)[]
  /** How long another process that is migrating is waited for, in milliseconds (default 300,000). */
  waitMs?: number
}

const TABLE = 'touchmark_migrations'
/** The advisory lock of migrating, one a database: 'touc', 'migr' as two 32-bit numbers. */
const LOCK = [0x746f7563, 0x6d696772]

/**
 * Brings the schema to this release's, one transaction a migration. Safe to call from any number of processes at once.
 * Throws POSTGRES_SCHEMA_NEWER for a schema with a migration this release does not know, POSTGRES_MIGRATION_FAILED
 * (with the cause) when one fails, POSTGRES_TIMEOUT when another process holds the lock for longer than `waitMs`.
 */
export async function migrate(database: Database, options: MigrateOptions = {}): Promise<void> {
  const wanted = options.migrations ?? migrations
  const names = wanted.map(nameOf)
  if (isCurrent(await appliedNames(database), names)) return

  // A data source of its own: an index may take longer to build than the statement timeout that everyone else has.
  const dataSource = new DataSource({
    ...dataSourceOptions({
      url: database.url,
      poolSize: 1,
      applicationName: 'touchmark migrate',
      statementTimeoutMs: 0,
      idleInTransactionTimeoutMs: 0,
      lockTimeoutMs: options.waitMs ?? 300_000,
    }),
    migrations: [...wanted],
    migrationsTableName: TABLE,
  })
  await initialize(dataSource, 0)
  const runner = dataSource.createQueryRunner()
  try {
    // The lock lives in the session that migrates: a session that is lost takes lock and migration with it.
    await runner.query('select pg_advisory_lock($1, $2)', LOCK)
    if (isCurrent(await appliedNames(database), names)) return
    const executor = new MigrationExecutor(dataSource, runner)
    executor.transaction = 'each'
    await executor.executePendingMigrations()
  } catch (error) {
    throw asMigrationError(error)
  } finally {
    await runner.release()
    await dataSource.destroy()
  }
}

/** Names the schema that this release makes: changes with any change to a migration. Tests key their templates by it. */
export function schemaDigest(): string {
  const hash = createHash('sha256')
  for (const migration of migrations) hash.update(`${nameOf(migration)}\0${migration.toString()}\0`)
  return hash.digest('hex')
}

function nameOf(migration: new () => MigrationInterface): string {
  return new migration().name ?? migration.name
}

async function appliedNames(database: Database): Promise<string[]> {
  const [table] = await database.query('select to_regclass($1) as found', [TABLE])
  if (!table || table['found'] === null) return []
  const rows = await database.query<{ name: string }>('select name from touchmark_migrations order by id')
  return rows.map((row) => row.name)
}

function isCurrent(applied: readonly string[], known: readonly string[]): boolean {
  const unknown = applied.filter((name) => !known.includes(name))
  if (unknown.length > 0) {
    throw new PostgresError('POSTGRES_SCHEMA_NEWER', `the database has a migration of a newer release: ${unknown[0]}`, {
      found: unknown.join(', '),
      hint: 'run the release that made this schema, or a newer one',
    })
  }
  return applied.length === known.length
}

function asMigrationError(error: unknown): unknown {
  const mapped = mapDriverError(error)
  if (!(mapped instanceof PostgresError)) {
    return new PostgresError('POSTGRES_MIGRATION_FAILED', `a migration failed: ${String(mapped)}`, { cause: error })
  }
  if (!['POSTGRES_QUERY', 'POSTGRES_CONSTRAINT'].includes(mapped.code)) return mapped
  return new PostgresError('POSTGRES_MIGRATION_FAILED', `a migration failed: ${mapped.message}`, { cause: mapped })
}
