import type pg from 'pg'
import { LedgerError } from '../errors.js'
import type { LogHead } from '../types.js'

const FREEZE = `update logs set state = 'frozen', frozen_at = $3, checkpoint = $4, tree_head_timestamp = $5, tree_head_signature = $6, appended_at = $7
  where id = $1 and size = $2 and state = 'active'`

/** Ends a tree whose row the caller's transaction has locked. Throws LEDGER_CORRUPT when the row is not what was locked. */
export async function markFrozen(client: pg.ClientBase, id: bigint, head: LogHead, frozenAt: Date): Promise<void> {
  const { rowCount } = await client.query(FREEZE, [
    id.toString(),
    head.size.toString(),
    frozenAt,
    head.note,
    head.treeHead?.timestamp.toString() ?? null,
    head.treeHead?.signature ?? null,
    head.at,
  ])
  if (rowCount !== 1) throw new LedgerError('LEDGER_CORRUPT', 'the row of the tree changed under its lock')
}

/** When a frozen tree was frozen. Throws LEDGER_CORRUPT when the row does not say. */
export async function readFrozenAt(client: pg.ClientBase, id: bigint): Promise<Date> {
  const { rows } = await client.query<{ frozen_at: Date | null }>('select frozen_at from logs where id = $1', [
    id.toString(),
  ])
  const at = rows[0]?.frozen_at
  if (!at) throw new LedgerError('LEDGER_CORRUPT', `the row of log ${id} does not say when it was frozen`)
  return at
}
