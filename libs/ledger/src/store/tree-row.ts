import type pg from 'pg'
import { LedgerError } from '../errors.js'
import type { LogHead, LogKind, LogState } from '../types.js'

/** A row of `logs`. */
export interface TreeRow {
  readonly id: bigint
  readonly kind: LogKind
  readonly origin: string
  readonly keySha256: Uint8Array
  readonly state: LogState
  readonly frontier: Uint8Array
  readonly head: LogHead
}

interface RawRow extends pg.QueryResultRow {
  id: string
  kind: LogKind
  origin: string
  key_sha256: Buffer
  state: LogState
  size: string
  root: Buffer
  frontier: Buffer
  checkpoint: string
  tree_head_timestamp: string | null
  tree_head_signature: Buffer | null
  appended_at: Date
}

const BY_ID = `select id, kind, origin, key_sha256, state, size, root, frontier, checkpoint, tree_head_timestamp, tree_head_signature, appended_at
  from logs where id = $1`
const BY_ORIGIN = `select id, kind, origin, key_sha256, state, size, root, frontier, checkpoint, tree_head_timestamp, tree_head_signature, appended_at
  from logs where origin = $1`
const BY_ID_LOCKED = `select id, kind, origin, key_sha256, state, size, root, frontier, checkpoint, tree_head_timestamp, tree_head_signature, appended_at
  from logs where id = $1 for update`

/** Locks the tree's row until the transaction ends. Throws LEDGER_CORRUPT when it is gone. */
export async function lockTreeRow(client: pg.ClientBase, id: bigint): Promise<TreeRow> {
  return one(await client.query<RawRow>({ name: 'ledger_lock', text: BY_ID_LOCKED, values: [id.toString()] }), id)
}

export async function readTreeRow(client: pg.ClientBase, id: bigint): Promise<TreeRow> {
  return one(await client.query<RawRow>({ name: 'ledger_head', text: BY_ID, values: [id.toString()] }), id)
}

export async function findTreeRow(client: pg.ClientBase, origin: string): Promise<TreeRow | undefined> {
  const { rows } = await client.query<RawRow>(BY_ORIGIN, [origin])
  return rows[0] && fromRaw(rows[0])
}

/** The origins of all trees, oldest first. */
export async function readOrigins(client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ origin: string }>('select origin from logs order by id')
  return rows.map(({ origin }) => origin)
}

function one(result: pg.QueryResult<RawRow>, id: bigint): TreeRow {
  const row = result.rows[0]
  if (!row) throw new LedgerError('LEDGER_CORRUPT', `the row of log ${id} is gone`)
  return fromRaw(row)
}

function fromRaw(row: RawRow): TreeRow {
  const head = {
    size: BigInt(row.size),
    root: row.root,
    note: row.checkpoint,
    at: row.appended_at,
    ...(row.tree_head_timestamp !== null && row.tree_head_signature !== null
      ? { treeHead: { timestamp: BigInt(row.tree_head_timestamp), signature: row.tree_head_signature } }
      : {}),
  }
  return {
    id: BigInt(row.id),
    kind: row.kind,
    origin: row.origin,
    keySha256: row.key_sha256,
    state: row.state,
    frontier: row.frontier,
    head,
  }
}
