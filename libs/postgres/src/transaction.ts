import type pg from 'pg'
import { PostgresError } from './errors.js'
import { isServerError, mapStatementError } from './map-error.js'

export type Row = Record<string, unknown>

export interface TransactionOptions {
  isolation?: 'read committed' | 'repeatable read' | 'serializable'
  readOnly?: boolean
  lockTimeoutMs?: number
  statementTimeoutMs?: number
  /** Runs of `fn` at most when the server asks for another (serialization failure, deadlock). Default 1. */
  attempts?: number
}

/** One open transaction. It MUST NOT be used after `fn` has returned, and `fn` MUST NOT end it itself. */
export interface Transaction {
  query<R extends Row = Row>(sql: string, params?: readonly unknown[]): Promise<R[]>
  /** The raw client, for named statements and pipelines; its errors are mapped when they leave the transaction. */
  readonly client: pg.PoolClient
}

const BEGIN = {
  'read committed': 'begin isolation level read committed',
  'repeatable read': 'begin isolation level repeatable read',
  serializable: 'begin isolation level serializable',
}
/** Runs `fn` on this connection between BEGIN and COMMIT. See Database.transaction. */
export async function transact<T>(
  client: pg.PoolClient,
  fn: (tx: Transaction) => Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  await queryRows(client, BEGIN[options.isolation ?? 'read committed'])
  let result: T
  try {
    if (options.readOnly) await queryRows(client, 'set transaction read only')
    await setLocal(client, 'lock_timeout', options.lockTimeoutMs)
    await setLocal(client, 'statement_timeout', options.statementTimeoutMs)
    result = await fn({
      client,
      query: (sql, params) => queryRows(client, sql, params),
    })
  } catch (error) {
    // A rollback that fails leaves a connection in a transaction, or none: the lease throws it away either way.
    await client.query('rollback').catch(() => undefined)
    throw error
  }
  await commit(client)
  return result
}

async function setLocal(client: pg.PoolClient, name: string, valueMs: number | undefined): Promise<void> {
  if (valueMs !== undefined) await queryRows(client, 'select set_config($1, $2, true)', [name, String(valueMs)])
}

async function commit(client: pg.PoolClient): Promise<void> {
  const warnings: string[] = []
  const onNotice = (notice: { message?: string | undefined; code?: string | undefined }) => {
    if (notice.code?.startsWith('01')) warnings.push(notice.message ?? '')
  }
  client.on('notice', onNotice)
  let command: string
  try {
    command = (await client.query('commit')).command
  } catch (error) {
    // The server goes on after an ERROR and closes the connection after a FATAL or PANIC: only the first says that
    // the transaction was rolled back. (The severity cannot be read: servers translate it.)
    const alive = isServerError(error) && (await client.query('select 1').then(() => true, () => false)) // prettier-ignore
    if (alive) throw error
    throw new PostgresError('POSTGRES_COMMIT_UNKNOWN', 'the connection was lost while the transaction was committed', {
      cause: error,
      hint: 'read what is stored before trying again',
    })
  } finally {
    client.off('notice', onNotice)
  }
  // COMMIT of a transaction in which a statement failed answers ROLLBACK, without an error.
  if (command !== 'COMMIT') {
    throw new PostgresError('POSTGRES_ROLLED_BACK', 'a statement of the transaction had failed: it was rolled back')
  }
  // A wait for a synchronous standby that was cut short is only a warning: committed here, and maybe nowhere else.
  if (warnings.length > 0) {
    throw new PostgresError('POSTGRES_COMMIT_UNKNOWN', `the commit was not confirmed: ${warnings.join('; ')}`)
  }
}

/** Runs one statement; its errors have their code. */
export async function queryRows<R extends Row>(
  client: pg.ClientBase,
  sql: string,
  params: readonly unknown[] = [],
): Promise<R[]> {
  try {
    return (await client.query<R>(sql, [...params])).rows
  } catch (error) {
    throw mapStatementError(error)
  }
}
