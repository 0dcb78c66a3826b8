import type { LeafTile, LogSource, PackedEntries } from '@touchmark/audit'
import type { Database } from '@touchmark/postgres'
import { TILE_WIDTH } from '@touchmark/tlog'
import type pg from 'pg'
import { readTiles } from '../store/read-tree.js'

const STATEMENT_TIMEOUT_MS = 60_000

/**
 * The entries of one tile as one row: bodies behind each other, each after its length as four bytes; and the places of those that the unique index of
 * leaf hashes does not lead to. Sorting and sequential scans are off, so the innermost look-up can be answered by that index alone:
 * it asks for the first leaf hash that is not smaller. No body that is taken has a MiB: one that was made longer behind our back is cut, and does not hash to its leaf.
 */
const ENTRIES = `select
    array_agg((e.index - $2)::int order by e.index) as places,
    string_agg(int4send(octet_length(e.body)) || e.body, ''::bytea order by e.index) as bytes,
    string_agg(e.leaf_hash, ''::bytea order by e.index) as leaf_hashes,
    array_agg((e.index - $2)::int order by e.index) filter (where i.index is distinct from e.index) as unindexed
  from (select index, leaf_hash, substring(body from 1 for 1048576) as body
      from log_entries where log_id = $1 and index >= $2 and index < $3) as e
    left join lateral (
      select index from log_entries where log_id = $1 and leaf_hash >= e.leaf_hash order by leaf_hash limit 1
    ) as i on true`

interface EntriesRow extends pg.QueryResultRow {
  places: number[] | null
  bytes: Buffer
  leaf_hashes: Buffer
  unindexed: number[] | null
}

/** A tree as it is stored, read by ranges of the primary key; each range as of one moment, while the tree may grow behind it. */
export class StoredSource implements LogSource {
  readonly tilesPerRead = 8
  readonly parallelReads: number
  readonly #db: Database
  readonly #logId: bigint

  constructor(db: Database, logId: bigint, parallelReads = 2) {
    this.#db = db
    this.#logId = logId
    this.parallelReads = parallelReads
  }

  async *read(first: bigint, count: number, lastWidth: number): AsyncGenerator<LeafTile> {
    yield* await this.#db.transaction(
      async ({ client }) => {
        await client.query('set local enable_seqscan = off')
        await client.query('set local enable_sort = off')
        await client.query('set local enable_bitmapscan = off')
        return Promise.all(
          Array.from({ length: count }, (_, i) =>
            this.#leafTile(client, first + BigInt(i), i === count - 1 ? lastWidth : TILE_WIDTH),
          ),
        )
      },
      { isolation: 'repeatable read', readOnly: true, statementTimeoutMs: STATEMENT_TIMEOUT_MS },
    )
  }

  async tile(level: number, index: bigint, width: number): Promise<Uint8Array | undefined> {
    const [tile] = await this.#db.withClient((client) => readTiles(client, this.#logId, [{ level, index }]))
    // What is behind the width belongs to a later size.
    return tile?.hashes.subarray(0, width * 32)
  }

  async #leafTile(client: pg.ClientBase, index: bigint, width: number): Promise<LeafTile> {
    const start = index * BigInt(TILE_WIDTH)
    const values = [this.#logId.toString(), start.toString(), (start + BigInt(width)).toString()]
    const [{ rows }, [tile]] = await Promise.all([
      client.query<EntriesRow>({ name: 'ledger_check', text: ENTRIES, values }),
      readTiles(client, this.#logId, [{ level: 0, index }]),
    ])
    return { entries: packed(rows[0], width), tile: tile?.hashes.subarray(0, width * 32) }
  }
}

function packed(row: EntriesRow | undefined, width: number): PackedEntries | undefined {
  if (!row?.places) return undefined
  return {
    lengthBytes: 4,
    bytes: row.bytes,
    leafHashes: row.leaf_hashes,
    ...(row.places.length === width ? {} : { places: row.places }),
    ...(row.unindexed ? { unindexed: row.unindexed } : {}),
  }
}
