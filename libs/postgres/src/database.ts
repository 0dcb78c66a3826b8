import type pg from 'pg'
import { DataSource } from 'typeorm'
import type { DatabaseOptions } from './connect.js'
import { assertUrl, assertVersion, dataSourceOptions, initialize } from './connect.js'
import { PostgresError, isRetryable } from './errors.js'
import { mapConnectionError, mapDriverError } from './map-error.js'
import type { Row, Transaction, TransactionOptions } from './transaction.js'
import { queryRows, transact } from './transaction.js'

export interface Health {
  serverVersion: number
  /** A standby, or a server set to read only: writes will be refused. */
  readOnly: boolean
}

/** A pool of connections to one database. Everything it throws about the database is a PostgresError. */
export class Database {
  readonly dataSource: DataSource
  readonly url: string
  readonly #pool: pg.Pool
  #closing: Promise<void> | undefined

  constructor(dataSource: DataSource, url: string) {
    this.dataSource = dataSource
    this.url = url
    this.#pool = (dataSource.driver as unknown as { master: pg.Pool }).master
  }

  /** Runs one statement with its parameters (`$1`, `$2` …) and gives its rows. */
  async query<R extends Row = Row>(sql: string, params: readonly unknown[] = []): Promise<R[]> {
    return this.withClient((client) => queryRows<R>(client, sql, params))
  }

  /**
   * Lends one connection; queries that are sent without waiting for each other go out together, as a pipeline.
   * A connection that comes back broken or inside a transaction is thrown away.
   */
  async withClient<T>(fn: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const lease = await this.#lease()
    try {
      const result = await fn(lease.client)
      lease.release()
      return result
    } catch (error) {
      const mapped = lease.map(error)
      // Statements that were sent along with the one that failed may still run: their end is waited for.
      lease.release(!(await lease.isQuiet()))
      throw mapped
    }
  }

  /**
   * Runs `fn` in a transaction and commits. When it resolves, the commit is durable on the server.
   *
   * Throws POSTGRES_COMMIT_UNKNOWN when the connection was lost during COMMIT, or when a standby that the server must
   * wait for has not confirmed: the caller MUST read what is there before it tries again. For every other error
   * nothing was committed. An error that `fn` throws itself comes out unchanged, after a rollback.
   */
  async transaction<T>(fn: (tx: Transaction) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.withClient((client) => transact(client, fn, options))
      } catch (error) {
        if (attempt >= (options.attempts ?? 1) || !isRetryable(error)) throw error
      }
    }
  }

  /** Asks the server a question that it must answer within `timeoutMs` (default 2,000). */
  async health(timeoutMs = 2_000): Promise<Health> {
    const late = new PostgresError('POSTGRES_UNAVAILABLE', `PostgreSQL did not answer within ${timeoutMs} ms`)
    const leasing = this.#lease()
    const asking = leasing.then(async (lease) => readHealth(lease.client).catch((e: unknown) => Promise.reject(lease.map(e)))) // prettier-ignore
    let answered = false
    // A connection that did not answer in time is thrown away whenever it comes.
    const giveBack = () => void leasing.then((lease) => lease.release(!answered)).catch(() => undefined)
    let timer: NodeJS.Timeout | undefined
    const deadline = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(late), timeoutMs)))
    try {
      const health = await Promise.race([asking, deadline])
      answered = true
      return health
    } finally {
      clearTimeout(timer)
      asking.catch(() => undefined)
      giveBack()
    }
  }

  /** Waits for what is running, then closes every connection. May be called again. */
  close(): Promise<void> {
    this.#closing ??= this.dataSource.destroy()
    return this.#closing
  }

  async #lease() {
    if (this.#closing) throw new PostgresError('POSTGRES_CLOSED', 'the database was closed')
    let client: pg.PoolClient
    try {
      client = await this.#pool.connect()
    } catch (error) {
      throw mapConnectionError(error)
    }
    let broken = false
    let brokenBy: unknown
    // Without a listener, an error event on a lent client would end the process.
    const onError = (error: unknown) => {
      broken = true
      brokenBy ??= error
    }
    client.on('error', onError)
    return {
      client,
      map: (error: unknown) => {
        // An error of the network may also be the caller's own (a signer's, say); this one is the connection's.
        const mapped = error === brokenBy && brokenBy ? mapConnectionError(error) : mapDriverError(error)
        // A timeout that was ours: the answer may still come, on a connection that nobody may use then.
        const late = mapped instanceof PostgresError && mapped.code === 'POSTGRES_TIMEOUT' && !mapped.sqlState
        if (late) broken = true
        return mapped
      },
      isQuiet: async () => {
        if (broken) return false
        return client.query('select 1').then(() => true, () => false) // prettier-ignore
      },
      release: (discard = false) => {
        client.off('error', onError)
        client.release(discard || broken || client.getTransactionStatus() !== 'I')
      },
    }
  }
}

async function readHealth(client: pg.PoolClient): Promise<Health> {
  const { rows } = await client.query<{ version: string; readonly: string }>(
    `select current_setting('server_version_num') as version, current_setting('transaction_read_only') as readonly`,
  )
  return { serverVersion: Number(rows[0]?.version), readOnly: rows[0]?.readonly === 'on' }
}

/**
 * Connects to a database and checks that the server is one we know. Runs nothing: see migrate().
 * Throws POSTGRES_UNAVAILABLE, POSTGRES_REFUSED, POSTGRES_TOO_OLD or POSTGRES_URL_INVALID.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  assertUrl(options.url)
  const dataSource = new DataSource(dataSourceOptions(options))
  await initialize(dataSource, options.waitMs ?? 0)
  const database = new Database(dataSource, options.url)
  try {
    assertVersion((await database.health(options.connectTimeoutMs ?? 5_000)).serverVersion)
  } catch (error) {
    await database.close()
    throw error
  }
  return database
}
