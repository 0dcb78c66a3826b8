import type pg from 'pg'
import type { LogHead } from '../types.js'
import type { TileNodes } from '../append/tile-nodes.js'
import { encodeByteaArray, encodeInt2Array, encodeInt8Array, type ByteaArray } from './binary-array.js'

// enable_…: a plan is kept with its connection; one that was made while the tables were small must not read all of them later.
// synchronous_commit: raised where somebody lowered it, left alone where it is set to wait for more.
// A holder that went silent ends first (5 s), then those who wait for its lock (8 s), then a statement (10 s).
const BEGIN = `begin isolation level read committed;
  set local idle_in_transaction_session_timeout = '5s';
  set local lock_timeout = '8s';
  set local statement_timeout = '10s';
  set local enable_seqscan = off;
  set local enable_hashjoin = off;
  set local enable_mergejoin = off;
  select set_config('synchronous_commit', 'on', true) where current_setting('synchronous_commit') in ('off', 'local')`

// Everything hangs on the update: a row that is not what was locked gets no entries and no tiles.
const WRITE = `with head as (
    update logs set size = $3, root = $4, frontier = $5, checkpoint = $6, tree_head_timestamp = $7, tree_head_signature = $8, appended_at = $9
    where id = $1 and size = $2 and state = 'active'
    returning id
  ), entries as (
    insert into log_entries (log_id, index, leaf_hash, body, extra)
    select head.id, $2 + e.ordinal - 1, e.leaf_hash, e.body, e.extra
    from head, unnest($10::bytea[], $11::bytea[], $12::bytea[]) with ordinality as e (leaf_hash, body, extra, ordinal)
  ), tiles as (
    insert into log_tiles (log_id, level, index, hashes)
    select head.id, t.level, t.index, t.hashes
    from head, unnest($13::smallint[], $14::bigint[], $15::bytea[]) as t (level, index, hashes)
    on conflict (log_id, level, index) do update set hashes = excluded.hashes
  )
  select id from head`

/** What one batch writes. */
export interface BatchWrite {
  readonly logId: bigint
  readonly oldSize: bigint
  readonly head: LogHead
  readonly frontier: Uint8Array
  readonly leafHashes: readonly Uint8Array[]
  /** The bodies as they go out, see {@link encodeByteaArray}. */
  readonly bodies: ByteaArray
  readonly extras: readonly (Uint8Array | undefined)[]
  readonly tiles: readonly TileNodes[]
}

/** Opens a transaction with limits of its own. Sent without waiting: what follows goes out with it. */
export function begin(client: pg.ClientBase): Promise<unknown> {
  return client.query(BEGIN)
}

/** Writes entries, tiles and head in one statement. Gives false when the row was not what it was when it was locked. */
export async function writeBatch(client: pg.ClientBase, write: BatchWrite): Promise<boolean> {
  const { head, tiles } = write
  const { rows } = await client.query({
    name: 'ledger_write',
    text: WRITE,
    values: [
      write.logId.toString(),
      write.oldSize.toString(),
      head.size.toString(),
      head.root,
      write.frontier,
      head.note,
      head.treeHead?.timestamp.toString() ?? null,
      head.treeHead?.signature ?? null,
      head.at,
      encodeByteaArray(write.leafHashes).buffer,
      write.bodies.buffer,
      encodeByteaArray(write.extras).buffer,
      encodeInt2Array(tiles.map((tile) => tile.level)),
      encodeInt8Array(tiles.map((tile) => tile.index)),
      encodeByteaArray(tiles.map((tile) => tile.hashes())).buffer,
    ],
  })
  return rows.length === 1
}

const INSERT_TREE = `insert into logs (kind, origin, key_sha256, size, root, frontier, checkpoint, tree_head_timestamp, tree_head_signature, appended_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (origin) do nothing returning id`
const INSERT_GENESIS = 'insert into log_entries (log_id, index, leaf_hash, body, extra) values ($1, 0, $2, $3, $4)'
const INSERT_TILE = 'insert into log_tiles (log_id, level, index, hashes) values ($1, 0, 0, $2)'

/** A tree that begins: its row, its genesis entry and its first tile. */
export interface NewTree {
  readonly kind: string
  readonly origin: string
  readonly keySha256: Uint8Array
  readonly head: LogHead
  readonly leafHash: Uint8Array
  readonly body: Uint8Array
  readonly extra?: Uint8Array
}

/** Creates the tree inside the caller's transaction; false when another process was first. */
export async function insertTree(client: pg.ClientBase, tree: NewTree): Promise<boolean> {
  const { head } = tree
  const { rows } = await client.query<{ id: string }>(INSERT_TREE, [
    tree.kind,
    tree.origin,
    tree.keySha256,
    head.size.toString(),
    head.root,
    head.root,
    head.note,
    head.treeHead?.timestamp.toString() ?? null,
    head.treeHead?.signature ?? null,
    head.at,
  ])
  const id = rows[0]?.id
  if (id === undefined) return false
  await client.query(INSERT_GENESIS, [id, tree.leafHash, tree.body, tree.extra ?? null])
  await client.query(INSERT_TILE, [id, tree.leafHash])
  return true
}
