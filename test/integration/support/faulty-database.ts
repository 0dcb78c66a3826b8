import type { Database } from '@touchmark/postgres'
import type pg from 'pg'

/** The statements of an append, in their order. */
export type StatementName = 'begin' | 'lock' | 'find' | 'write' | 'commit'

/**
 * What goes wrong with a statement, once:
 * `lost-before`: the connection ends before it is sent; `lost-after`: it is carried out, and the connection ends before its answer is read;
 * `nothing`: another statement that gives no row is carried out in its place; `warned`: the server warns before it;
 * anything else is an SQLSTATE that the server answers with instead.
 */
export type Fault = 'lost-before' | 'lost-after' | 'nothing' | 'warned' | (string & {})

const NAMES: readonly [StatementName, (text: string, name: string | undefined) => boolean][] = [
  ['begin', (text) => text.startsWith('begin')],
  ['lock', (_, name) => name === 'ledger_lock'],
  ['find', (_, name) => name?.startsWith('ledger_find') === true],
  ['write', (_, name) => name === 'ledger_write'],
  ['commit', (text) => text === 'commit'],
]

/** A database whose next such statement fails as told; `withClient` is all that the append uses. */
export class FaultPlan {
  readonly database: Database
  readonly #real: Database
  readonly #faults = new Map<StatementName, Fault[]>()
  /** Statements seen, for tests that want to know what was not sent again. */
  readonly seen: StatementName[] = []

  constructor(real: Database) {
    this.#real = real
    this.database = new Proxy(real, {
      get: (target, property) => {
        if (property === 'withClient') {
          return (fn: (client: pg.PoolClient) => Promise<unknown>) =>
            target.withClient((client) => fn(this.#faultyClient(client)))
        }
        const value: unknown = Reflect.get(target, property, target)
        return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value
      },
    })
  }

  fail(statement: StatementName, ...faults: Fault[]): void {
    this.#faults.set(statement, [...(this.#faults.get(statement) ?? []), ...faults])
  }

  #faultyClient(client: pg.PoolClient): pg.PoolClient {
    return new Proxy(client, {
      get: (target, property) => {
        if (property === 'query') return (...args: unknown[]) => this.#query(target, args)
        const value: unknown = Reflect.get(target, property, target)
        return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value
      },
    })
  }

  #query(client: pg.PoolClient, args: unknown[]): unknown {
    const first = args[0] as string | { text: string; name?: string }
    const text = typeof first === 'string' ? first : first.text
    const name = typeof first === 'string' ? undefined : first.name
    const statement = NAMES.find(([, matches]) => matches(text, name))?.[0]
    const send = () => (client.query as (...args: unknown[]) => Promise<unknown>)(...args)
    if (!statement) return send()
    this.seen.push(statement)
    const fault = this.#faults.get(statement)?.shift()
    if (fault === undefined) return send()
    if (fault === 'lost-before') return this.#cut(client).then(send)
    if (fault === 'nothing') return client.query('select 1 where false')
    if (fault === 'warned') {
      client
        .query(`do $$ begin raise warning 'canceling wait for synchronous replication'; end $$`)
        .catch(() => undefined)
      return send()
    }
    if (fault === 'lost-after') {
      return send().then(async () => {
        await this.#cut(client)
        throw new Error('Connection terminated unexpectedly')
      })
    }
    return client.query(`do $$ begin raise exception 'as told' using errcode = '${fault}'; end $$`)
  }

  async #cut(client: pg.PoolClient): Promise<void> {
    const { processID } = client as unknown as { processID: number }
    await this.#real.query('select pg_terminate_backend($1, 2000)', [processID])
  }
}
