import { utf8Encode } from '@touchmark/encoding'
import type { SearchKey, SearchKind } from '@touchmark/entry'
import type pg from 'pg'
import { sha256 } from '../sha256.js'
import { encodeByteaArray, encodeInt2Array, encodeInt8Array } from '../store/binary-array.js'
import type { LogKind } from '../types.js'

/** Numbers of the column `kind`; they MUST NOT change. */
const KINDS: Readonly<Record<SearchKind, number>> = { digest: 1, identity: 2, issuer: 3, publicKey: 4, serial: 5 }
const KEY_BYTES = 16

/** A key as the index holds it: its kind, and the beginning of its value's SHA-256. Whatever the value is, SQL sees sixteen bytes. */
export interface StoredKey {
  readonly kind: number
  readonly key: Uint8Array
}

export function storedKey({ kind, value }: SearchKey): StoredKey {
  return { kind: KINDS[kind], key: sha256(utf8Encode(value)).subarray(0, KEY_BYTES) }
}

/** A tree and how far its index is. */
export interface SearchedTree {
  readonly id: bigint
  readonly origin: string
  readonly kind: LogKind
  /** Committed entries. */
  readonly size: bigint
  readonly indexedSize: bigint
  /** SEARCH_KEYS_VERSION of the process that made the index; 0 for one that is to be made anew. */
  readonly extractor: number
  /** Entries that could not be read in full. */
  readonly unread: bigint
}

interface RawTree extends pg.QueryResultRow {
  id: string
  origin: string
  kind: LogKind
  size: string
  indexed_size: string | null
  extractor: number | null
  unread: string | null
}

const TREES = `select l.id, l.origin, l.kind, l.size, p.indexed_size, p.extractor, p.unread
  from logs l left join log_search_progress p on p.log_id = l.id
  where l.origin = any($1::text[]) order by l.id`

/** The trees of these origins, oldest first; what is not there is left out. */
export async function readSearchedTrees(client: pg.ClientBase, origins: readonly string[]): Promise<SearchedTree[]> {
  const { rows } = await client.query<RawTree>(TREES, [origins])
  return rows.map((row) => ({
    id: BigInt(row.id),
    origin: row.origin,
    kind: row.kind,
    size: BigInt(row.size),
    indexedSize: BigInt(row.indexed_size ?? 0),
    extractor: row.extractor ?? 0,
    unread: BigInt(row.unread ?? 0),
  }))
}

// Whatever the statistics say of a table that just grew: a page is read from the index, in its order, and no further than the page reaches.
const WALK_THE_INDEX = `select set_config(name, 'off', true)
  from unnest(array['enable_seqscan', 'enable_bitmapscan', 'enable_hashjoin', 'enable_mergejoin']) as settings (name)`

/** Has the statements of this transaction read the index as pages are meant to be. */
export async function walkTheIndex(client: pg.ClientBase): Promise<void> {
  await client.query(WALK_THE_INDEX)
}

const BEGIN_PROGRESS =
  'insert into log_search_progress (log_id, indexed_size, extractor) values ($1, 0, $2) on conflict (log_id) do nothing'
const LOCK_PROGRESS =
  'select indexed_size, extractor, unread from log_search_progress where log_id = $1 for update skip locked'

export interface Progress {
  readonly indexedSize: bigint
  readonly extractor: number
  readonly unread: bigint
}

/** Locks a tree's progress until the transaction ends; undefined when another follower holds it. */
export async function lockProgress(
  client: pg.ClientBase,
  logId: bigint,
  version: number,
): Promise<Progress | undefined> {
  await client.query(BEGIN_PROGRESS, [logId.toString(), version])
  const { rows } = await client.query<{ indexed_size: string; extractor: number; unread: string }>(LOCK_PROGRESS, [
    logId.toString(),
  ])
  const row = rows[0]
  return row && { indexedSize: BigInt(row.indexed_size), extractor: row.extractor, unread: BigInt(row.unread) }
}

const SET_PROGRESS = 'update log_search_progress set indexed_size = $2, extractor = $3, unread = $4 where log_id = $1'

export async function writeProgress(client: pg.ClientBase, logId: bigint, progress: Progress): Promise<void> {
  const { indexedSize, extractor, unread } = progress
  await client.query(SET_PROGRESS, [logId.toString(), indexedSize.toString(), extractor, unread.toString()])
}

// A row that is there already says the same.
const INSERT = `insert into log_search (log_id, index, kind, key)
  select $1, w.index, w.kind, w.key from unnest($2::bigint[], $3::smallint[], $4::bytea[]) as w (index, kind, key)
  on conflict (log_id, kind, key, index) do nothing`

export async function insertKeys(
  client: pg.ClientBase,
  logId: bigint,
  rows: readonly (StoredKey & { readonly index: bigint })[],
): Promise<void> {
  await client.query(INSERT, [
    logId.toString(),
    encodeInt8Array(rows.map(({ index }) => index)),
    encodeInt2Array(rows.map(({ kind }) => kind)),
    encodeByteaArray(rows.map(({ key }) => key)).buffer,
  ])
}

const DELETE = `delete from log_search where ctid = any(array(select ctid from log_search where log_id = $1 limit $2))`

/** Removes rows of a tree, some at a time; gives how many there were. */
export async function deleteKeys(client: pg.ClientBase, logId: bigint, limit: number): Promise<number> {
  return (await client.query(DELETE, [logId.toString(), limit])).rowCount ?? 0
}

const ANY_OF = `select distinct s.index
  from unnest($2::smallint[], $3::bytea[]) as w (kind, key)
  cross join lateral (
    select index from log_search where log_id = $1 and kind = w.kind and key = w.key and index >= $4 and index < $5 order by index limit $6
  ) as s
  order by s.index limit $6`

/** Entries from `start` up to `end` that have one of the keys, in order, at most `limit`; each key is read for no more than that. */
export async function entriesWithAny(
  client: pg.ClientBase,
  logId: bigint,
  keys: readonly StoredKey[],
  range: { start: bigint; end: bigint; limit: number },
): Promise<bigint[]> {
  const { rows } = await client.query<{ index: string }>(ANY_OF, [
    logId.toString(),
    encodeInt2Array(keys.map(({ kind }) => kind)),
    encodeByteaArray(keys.map(({ key }) => key)).buffer,
    range.start.toString(),
    range.end.toString(),
    range.limit,
  ])
  return rows.map(({ index }) => BigInt(index))
}

const COUNTS = `select w.place::int as place, (
    select count(*)::int from (
      select 1 from log_search where log_id = $1 and kind = w.kind and key = w.key and index >= $4 and index < $5 limit $6
    ) as few
  ) as count
  from unnest($2::smallint[], $3::bytea[]) with ordinality as w (kind, key, place)
  order by count, place limit 1`
const ALL_OF = `select d.index, not exists (
    select 1 from unnest($4::smallint[], $5::bytea[]) as w (kind, key)
    where not exists (select 1 from log_search s where s.log_id = $1 and s.kind = w.kind and s.key = w.key and s.index = d.index)
  ) as fits
  from (
    select index from log_search where log_id = $1 and kind = $2 and key = $3 and index >= $6 and index < $7 order by index limit $8
  ) as d
  order by d.index`

/**
 * Walks the entries that have the rarest of the keys, at most `limit`, and says of each whether it has the others: the work is bounded even where two keys
 * that millions of entries have meet in none.
 */
export async function entriesWithAll(
  client: pg.ClientBase,
  logId: bigint,
  keys: readonly StoredKey[],
  range: { start: bigint; end: bigint; limit: number },
): Promise<{ index: bigint; fits: boolean }[]> {
  const start = range.start.toString()
  const end = range.end.toString()
  const counted = await client.query<{ place: number; count: number }>(COUNTS, [
    logId.toString(),
    encodeInt2Array(keys.map(({ kind }) => kind)),
    encodeByteaArray(keys.map(({ key }) => key)).buffer,
    start,
    end,
    range.limit,
  ])
  const rarest = counted.rows[0]
  if (rarest === undefined || rarest.count === 0) return []
  const driver = keys[rarest.place - 1]!
  const others = keys.filter((key) => key !== driver)
  const { rows } = await client.query<{ index: string; fits: boolean }>(ALL_OF, [
    logId.toString(),
    driver.kind,
    driver.key,
    encodeInt2Array(others.map(({ kind }) => kind)),
    encodeByteaArray(others.map(({ key }) => key)).buffer,
    start,
    end,
    range.limit,
  ])
  return rows.map(({ index, fits }) => ({ index: BigInt(index), fits }))
}

const ENTRIES = `select e.index, e.leaf_hash, e.body
  from unnest($2::bigint[]) as w (index)
  cross join lateral (select index, leaf_hash, body from log_entries where log_id = $1 and index = w.index limit 1) as e
  order by e.index`

export interface StoredEntry {
  readonly index: bigint
  readonly leafHash: Uint8Array
  readonly body: Uint8Array
}

/** These entries, in order; what is not there is left out. */
export async function readSearchedEntries(
  client: pg.ClientBase,
  logId: bigint,
  indexes: readonly bigint[],
): Promise<StoredEntry[]> {
  const { rows } = await client.query<{ index: string; leaf_hash: Buffer; body: Buffer }>(ENTRIES, [
    logId.toString(),
    encodeInt8Array(indexes),
  ])
  return rows.map((row) => ({ index: BigInt(row.index), leafHash: row.leaf_hash, body: row.body }))
}
