import type pg from 'pg'

const ENTRIES = `select index from log_entries where log_id = $1 and (index >= $2 or index < 0) order by index limit 10`
const TILES = `select t.level, t.index, octet_length(t.hashes) as bytes
  from log_tiles t left join unnest($2::smallint[], $3::bigint[], $4::int[]) as e (level, index, width) on e.level = t.level
  where t.log_id = $1 and (e.level is null or t.index > e.index or (t.index = e.index and octet_length(t.hashes) > 32 * e.width))
  order by t.level, t.index limit 10`
const LEAF_INDEX = `select 1 from pg_index i
  where i.indrelid = 'log_entries'::regclass and i.indisunique and i.indisvalid and i.indisready and i.indpred is null
    and (select array_agg(a.attname::text order by k.place) from unnest(i.indkey::int2[]) with ordinality as k (number, place)
      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number) = array['log_id', 'leaf_hash']`

/** Indexes of the first entries that are stored beyond a tree of this size. */
export async function entriesBeyond(client: pg.ClientBase, logId: bigint, size: bigint): Promise<bigint[]> {
  const { rows } = await client.query<{ index: string }>(ENTRIES, [logId.toString(), size.toString()])
  return rows.map(({ index }) => BigInt(index))
}

/** The first tiles that are stored beyond the right edge, or that are wider than it. */
export async function tilesBeyond(
  client: pg.ClientBase,
  logId: bigint,
  edge: readonly { level: number; index: bigint; width: number }[],
): Promise<{ level: number; index: bigint; bytes: number }[]> {
  const { rows } = await client.query<{ level: number; index: string; bytes: number }>(TILES, [
    logId.toString(),
    edge.map(({ level }) => level),
    edge.map(({ index }) => index.toString()),
    edge.map(({ width }) => width),
  ])
  return rows.map(({ level, index, bytes }) => ({ level, index: BigInt(index), bytes }))
}

/** True when the index is there by which an entry is found by its leaf hash, and by which a second one of that hash is refused. */
export async function hasLeafIndex(client: pg.ClientBase): Promise<boolean> {
  return (await client.query(LEAF_INDEX)).rows.length > 0
}

const TREES = 'select origin, kind, size from logs order by id'

/** Every tree of the database, oldest first. */
export async function listTrees(client: pg.ClientBase): Promise<{ origin: string; kind: string; size: bigint }[]> {
  const { rows } = await client.query<{ origin: string; kind: string; size: string }>(TREES)
  return rows.map(({ origin, kind, size }) => ({ origin, kind, size: BigInt(size) }))
}
