import type pg from 'pg'
import { encodeByteaArray, encodeInt2Array, encodeInt8Array } from './binary-array.js'
import type { LeafData } from '../types.js'

export interface StoredTile {
  readonly level: number
  readonly index: bigint
  readonly hashes: Uint8Array
}

// In this statement and the next, `limit 1` keeps the planner from reading the whole tree once and holding it against what is wanted, which it takes for
// cheaper as long as nobody has counted a new table's rows: a thousand times slower, and under the tree's lock.
const TILES = `select t.level, t.index, t.hashes
  from unnest($2::smallint[], $3::bigint[]) as w (level, index)
  cross join lateral (
    select level, index, hashes from log_tiles where log_id = $1 and level = w.level and index = w.index limit 1
  ) as t`

/** Loads tiles in one statement; what is not there is left out. */
export async function readTiles(
  client: pg.ClientBase,
  logId: bigint,
  wanted: readonly { level: number; index: bigint }[],
): Promise<StoredTile[]> {
  const { rows } = await client.query<{ level: number; index: string; hashes: Buffer }>(TILES, [
    logId.toString(),
    encodeInt2Array(wanted.map((tile) => tile.level)),
    encodeInt8Array(wanted.map((tile) => tile.index)),
  ])
  return rows.map((row) => ({ level: row.level, index: BigInt(row.index), hashes: row.hashes }))
}

interface RawEntry extends pg.QueryResultRow {
  index: string
  leaf_hash: Buffer
  body: Buffer
  extra: Buffer | null
}

// `(select $1)` hides from the planner which tree is meant. It knows how many entries each had when they were last counted; in one that is younger than that,
// as a new shard is, it expects none, and then takes it for cheaper to go through all of the tree's entries for each that is wanted.
const FIND = `select e.index, e.leaf_hash, e.body
  from unnest($2::bytea[]) as w (leaf_hash)
  cross join lateral (select index, leaf_hash, body from log_entries
    where log_id = (select $1::bigint) and leaf_hash = w.leaf_hash limit 1) as e`

/**
 * Finds which of these leaf hashes are in the tree. `size` is about how large it is: a plan is kept with its connection, and the one that was
 * right for a page of entries would read a million of them; so the statement gets another name, and a plan, whenever the tree has doubled.
 */
export async function findEntries(
  client: pg.ClientBase,
  logId: bigint,
  size: bigint,
  leafHashes: readonly Uint8Array[],
): Promise<LeafData[]> {
  const { rows } = await client.query<Omit<RawEntry, 'extra'>>({
    name: `ledger_find_${Math.max(8, size.toString(2).length)}`,
    text: FIND,
    values: [logId.toString(), encodeByteaArray(leafHashes).buffer],
  })
  return rows.map((row) => ({ index: BigInt(row['index']), leafHash: row['leaf_hash'], body: row['body'] }))
}

// The running sum stops the read before a thousand large entries are in memory; the first entry always comes.
const RANGE = `select index, leaf_hash, body, extra from (
    select index, leaf_hash, body, extra,
      sum(octet_length(body) + coalesce(octet_length(extra), 0)) over (order by index) - octet_length(body) - coalesce(octet_length(extra), 0) as before
    from log_entries where log_id = $1 and index >= $2 and index < $3
  ) as e where before < $4 order by index`

/** Reads entries in order, until `end` or until about `maxBytes` are read. */
export async function readEntries(
  client: pg.ClientBase,
  logId: bigint,
  start: bigint,
  end: bigint,
  maxBytes: number,
): Promise<LeafData[]> {
  const { rows } = await client.query<RawEntry>(RANGE, [logId.toString(), start.toString(), end.toString(), maxBytes])
  return rows.map((row) => ({
    index: BigInt(row['index']),
    leafHash: row['leaf_hash'],
    body: row['body'],
    ...(row['extra'] === null ? {} : { extra: row['extra'] }),
  }))
}

const BUNDLE = `select count(*)::int as entries, max(octet_length(body)) as longest,
    string_agg(substring(int4send(octet_length(body)) from 3) || body, ''::bytea order by index) as bytes
  from log_entries where log_id = $1 and index >= $2 and index < $3`

/** The entries from `start` up to but not including `end` as an entry bundle, packed by the server: one row instead of one for each entry. */
export async function readBundle(
  client: pg.ClientBase,
  logId: bigint,
  start: bigint,
  end: bigint,
): Promise<{ entries: number; longest: number; bytes: Uint8Array }> {
  const { rows } = await client.query<{ entries: number; longest: number | null; bytes: Buffer | null }>({
    name: 'ledger_bundle',
    text: BUNDLE,
    values: [logId.toString(), start.toString(), end.toString()],
  })
  const { entries, longest, bytes } = rows[0]!
  return { entries, longest: longest ?? 0, bytes: bytes ?? new Uint8Array(0) }
}

const INDEX_OF = 'select index from log_entries where log_id = (select $1::bigint) and leaf_hash = $2'

export async function findIndex(
  client: pg.ClientBase,
  logId: bigint,
  leafHash: Uint8Array,
): Promise<bigint | undefined> {
  const { rows } = await client.query<{ index: string }>(INDEX_OF, [logId.toString(), leafHash])
  return rows[0] && BigInt(rows[0]['index'])
}
