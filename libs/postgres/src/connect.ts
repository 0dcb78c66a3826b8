import type pg from 'pg'
import type { DataSource, Logger } from 'typeorm'
import { PostgresError } from './errors.js'
import { mapConnectionError } from './map-error.js'

/** How to reach a database. All times are in milliseconds; 0 switches a limit off. */
export interface DatabaseOptions {
  /** `postgresql://…` as pg reads it, with `sslmode`, `sslrootcert`, `host=/socket/folder` and so on. */
  url: string
  /** Connections at most (default 10). */
  poolSize?: number
  /** Seen in pg_stat_activity (default `touchmark`). */
  applicationName?: string
  /** Waiting for a connection, from the pool or from the server (default 5,000). */
  connectTimeoutMs?: number
  /** A server that is starting is waited for this long (default 0: refused at once). */
  waitMs?: number
  /** One statement (default 30,000). */
  statementTimeoutMs?: number
  /** Waiting for the answer to a statement: a server that cannot be reached ends nothing (default 5,000 more). */
  answerTimeoutMs?: number
  /** Waiting for a lock (default 15,000): longer than idleInTransactionTimeoutMs, so a stuck holder goes first. */
  lockTimeoutMs?: number
  /** A transaction whose client says nothing (default 10,000). */
  idleInTransactionTimeoutMs?: number
  /** Told about connections that were lost while idle; such a loss harms nobody. */
  log?: (line: string) => void
}

/** PostgreSQL 13.0: the oldest that is tested. */
const OLDEST_VERSION = 130_000
// Nobody's answer may depend on a commit that was not flushed: a server or role set to less is raised to `on`, one
// set to more (remote_apply) is left alone.
const DURABLE_COMMITS = `select set_config('synchronous_commit', 'on', false)
  where current_setting('synchronous_commit') in ('off', 'local')`

const nothing = () => undefined
/** TypeORM prints to the console by itself; what is worth telling comes out as an error or goes to `log`. */
const SILENT: Logger = {
  logQuery: nothing,
  logQueryError: nothing,
  logQuerySlow: nothing,
  logSchemaBuild: nothing,
  logMigration: nothing,
  log: nothing,
}

/** The TypeORM settings of a connection; migrate() adds to them. Not for use outside this package. */
export function dataSourceOptions(options: DatabaseOptions) {
  const statementTimeoutMs = options.statementTimeoutMs ?? 30_000
  return {
    type: 'postgres' as const,
    url: options.url,
    logging: false as const,
    logger: SILENT,
    installExtensions: false,
    poolErrorHandler: (error: unknown) =>
      options.log?.(`an idle database connection was lost: ${error instanceof Error ? error.message : String(error)}`),
    extra: {
      max: options.poolSize ?? 10,
      application_name: options.applicationName ?? 'touchmark',
      connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
      idleTimeoutMillis: 300_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      pipeline: true,
      statement_timeout: statementTimeoutMs,
      lock_timeout: options.lockTimeoutMs ?? 15_000,
      idle_in_transaction_session_timeout: options.idleInTransactionTimeoutMs ?? 10_000,
      query_timeout: options.answerTimeoutMs ?? (statementTimeoutMs === 0 ? 0 : statementTimeoutMs + 5_000),
      onConnect: (client: pg.ClientBase) => client.query(DURABLE_COMMITS),
    },
  }
}

/** Connects a data source, trying again for `waitMs` while nobody answers. */
export async function initialize(dataSource: DataSource, waitMs: number): Promise<void> {
  const until = performance.now() + waitMs
  for (;;) {
    try {
      await dataSource.initialize()
      return
    } catch (error) {
      const mapped = mapConnectionError(error)
      if (mapped.code !== 'POSTGRES_UNAVAILABLE' || performance.now() >= until) throw mapped
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

/** Refuses a server older than PostgreSQL 13. Takes server_version_num, such as 130002. */
export function assertVersion(serverVersion: number): void {
  if (serverVersion >= OLDEST_VERSION) return
  throw new PostgresError('POSTGRES_TOO_OLD', `the server is PostgreSQL ${Math.floor(serverVersion / 10_000)}`, {
    expected: 'PostgreSQL 13 or newer',
    hint: 'upgrade the server, or leave DATABASE_URL away to use the embedded one',
  })
}

/** Refuses what is not a URL of PostgreSQL; the text is never repeated in the error, since it may hold a password. */
export function assertUrl(url: string): void {
  // An empty host (a socket folder is then in `host=`) is not a URL to URL, when a user stands before it.
  if (/^postgres(ql)?:\/\//.test(url) && (URL.canParse(url) || /^postgres(ql)?:\/\/[^/@]*@\//.test(url))) return
  throw new PostgresError('POSTGRES_URL_INVALID', 'the database URL is not postgresql://user:password@host:port/name')
}
