import type { Database } from '@touchmark/postgres'
import type pg from 'pg'

export type HookedStatement = 'begin' | 'lock' | 'find' | 'write' | 'commit' | 'rollback' | 'other'

/** Called in place of each statement. `send` sends it; `client` is the connection, for what the hook wants to do there itself. */
export type StatementHook = (
  statement: HookedStatement,
  send: () => Promise<unknown>,
  client: pg.PoolClient,
) => Promise<unknown>

/** A database on the connections of `real`; closing it closes nothing. */
export function hookedDatabase(real: Database, hook: StatementHook): Database
