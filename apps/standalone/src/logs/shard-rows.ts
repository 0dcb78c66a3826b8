import type { LogKind, LogState } from '@touchmark/ledger'
import type { Database, Transaction } from '@touchmark/postgres'

/** A shard as the database knows it. */
export interface ShardRow {
  /** First line of its checkpoints: the host name, or `<host name> - <tree id>` in API v1. */
  readonly origin: string
  readonly kind: Exclude<LogKind, 'certificate'>
  readonly publicUrl: string
  /** Its key in the key store. */
  readonly keyName: string
  /** API v1 alone. */
  readonly treeId: bigint | undefined
  readonly createdAt: Date
  /** Undefined: prepared; its key is published and nothing is written to it. */
  readonly activeFrom: Date | undefined
  readonly state: LogState
  readonly frozenAt: Date | undefined
}

interface RawRow extends Record<string, unknown> {
  origin: string
  kind: ShardRow['kind']
  public_url: string
  key_name: string
  tree_id: string | null
  created_at: Date
  active_from: Date | null
  state: LogState
  frozen_at: Date | null
}

const READ = `select s.origin, l.kind, s.public_url, s.key_name, s.tree_id, s.created_at, s.active_from, l.state, l.frozen_at
  from log_shards s join logs l on l.origin = s.origin
  order by s.active_from nulls last, l.id`
const INSERT = `insert into log_shards (origin, public_url, key_name, tree_id, created_at, active_from)
  values ($1, $2, $3, $4, $5, $6) on conflict (origin) do nothing`
const ACTIVATE = 'update log_shards set active_from = $2 where origin = $1 and active_from is null returning origin'
const KEY_IN_USE = 'select origin from logs where key_sha256 = $1 and origin <> $2 limit 1'

type Queries = Pick<Database | Transaction, 'query'>

/** Every shard, in the order in which they became active; prepared ones last. */
export async function readShards(db: Queries): Promise<ShardRow[]> {
  const rows = await db.query<RawRow>(READ, [])
  return rows.map((row) => ({
    origin: row.origin,
    kind: row.kind,
    publicUrl: row.public_url,
    keyName: row.key_name,
    treeId: row.tree_id === null ? undefined : BigInt(row.tree_id),
    createdAt: row.created_at,
    activeFrom: row.active_from ?? undefined,
    state: row.state,
    frozenAt: row.frozen_at ?? undefined,
  }))
}

/** Stores a shard whose tree is there. One that is stored already is left as it is. */
export async function insertShard(db: Queries, row: Omit<ShardRow, 'kind' | 'state' | 'frozenAt'>): Promise<void> {
  const treeId = row.treeId?.toString() ?? null
  await db.query(INSERT, [row.origin, row.publicUrl, row.keyName, treeId, row.createdAt, row.activeFrom ?? null])
}

/** Makes a prepared shard the one that is written to; false when it is not prepared. */
export async function activateShard(db: Queries, origin: string, from: Date): Promise<boolean> {
  return (await db.query(ACTIVATE, [origin, from])).length === 1
}

/** True when a tree with another origin has this key. */
export async function isKeyOfAnother(db: Queries, keySha256: Uint8Array, origin: string): Promise<boolean> {
  return (await db.query(KEY_IN_USE, [keySha256, origin])).length > 0
}

const TREE_OF_KIND = 'select origin from logs where kind = $1 limit 1'

/** True when there is a tree of this kind, whether or not a shard was made of it yet. */
export async function hasTreeOfKind(db: Queries, kind: LogKind): Promise<boolean> {
  return (await db.query(TREE_OF_KIND, [kind])).length > 0
}
