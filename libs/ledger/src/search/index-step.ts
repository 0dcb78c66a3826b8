import { extractSearchKeys, SEARCH_KEYS_VERSION } from '@touchmark/entry'
import type { Database } from '@touchmark/postgres'
import type pg from 'pg'
import { LedgerError } from '../errors.js'
import { sha256 } from '../sha256.js'
import { readEntries } from '../store/read-tree.js'
import type { LeafData } from '../types.js'
import {
  deleteKeys,
  insertKeys,
  lockProgress,
  readSearchedTrees,
  storedKey,
  writeProgress,
  type Progress,
  type StoredKey,
} from './search-sql.js'

/** Entries of one transaction: some tens of milliseconds of work. */
const CHUNK_ENTRIES = 256n
const CHUNK_BYTES = 2 * 1024 * 1024
const CLEARED_ROWS = 10_000
/** Entries that are read without letting others have the thread. */
const ENTRIES_AT_ONCE = 8
const LOCK_TIMEOUT_MS = 1_000
const STATEMENT_TIMEOUT_MS = 8_000

/**
 * What one step did. `absent`: there is no such tree. `busy`: another follower is at it. `newer`: the index is of a newer release, which keeps it.
 * `cleared`: rows of an index that is made anew were removed. `indexed`: entries were added. `current`: there was nothing to do.
 */
export type StepOutcome = 'absent' | 'busy' | 'newer' | 'cleared' | 'indexed' | 'current'

/**
 * Takes the index of one tree one transaction further. Rows and progress are committed together, so that a crash at any moment leaves an index that is
 * complete up to what its progress says. Any number of processes may call it: the progress row is the lock, and who does not get it leaves.
 * Throws LEDGER_CORRUPT when an entry below the tree's size is missing.
 */
export async function indexStep(db: Database, origin: string): Promise<StepOutcome> {
  return db.transaction((tx) => step(tx.client, origin), {
    lockTimeoutMs: LOCK_TIMEOUT_MS,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  })
}

async function step(client: pg.ClientBase, origin: string): Promise<StepOutcome> {
  // What a crash of the server takes back is indexed again; appends must not wait for more flushes than their own.
  await client.query(`select set_config('synchronous_commit', 'off', true)`)
  const [tree] = await readSearchedTrees(client, [origin])
  if (tree === undefined) return 'absent'
  const progress = await lockProgress(client, tree.id, SEARCH_KEYS_VERSION)
  if (progress === undefined) return 'busy'
  if (progress.extractor > SEARCH_KEYS_VERSION) return 'newer'
  if (progress.extractor < SEARCH_KEYS_VERSION) return clear(client, tree.id)
  const end = progress.indexedSize + CHUNK_ENTRIES
  return index(client, tree.id, progress, end < tree.size ? end : tree.size)
}

async function clear(client: pg.ClientBase, logId: bigint): Promise<StepOutcome> {
  const done = (await deleteKeys(client, logId, CLEARED_ROWS)) < CLEARED_ROWS
  const extractor = done ? SEARCH_KEYS_VERSION : 0
  await writeProgress(client, logId, { indexedSize: 0n, extractor, unread: 0n })
  return 'cleared'
}

async function index(client: pg.ClientBase, logId: bigint, progress: Progress, end: bigint): Promise<StepOutcome> {
  const start = progress.indexedSize
  if (start >= end) return 'current'
  const entries = await readEntries(client, logId, start, end, CHUNK_BYTES)
  const rows: (StoredKey & { index: bigint })[] = []
  let unread = progress.unread
  for (const [i, entry] of entries.entries()) {
    if (entry.index !== start + BigInt(i)) throw missing(start + BigInt(i))
    if (i % ENTRIES_AT_ONCE === ENTRIES_AT_ONCE - 1) await new Promise((resolve) => setImmediate(resolve))
    if (!addRows(rows, entry)) unread += 1n
  }
  if (entries.length === 0) throw missing(start)
  await insertKeys(client, logId, rows.sort(inOrderOfKeys))
  await writeProgress(client, logId, { ...progress, indexedSize: start + BigInt(entries.length), unread })
  return 'indexed'
}

/** False when something of the entry could not be read. */
function addRows(rows: (StoredKey & { index: bigint })[], { index, body }: LeafData): boolean {
  const { keys, complete } = extractSearchKeys(body, sha256)
  for (const key of keys) rows.push({ ...storedKey(key), index })
  return complete
}

/** Neighbours in the index are written one after the other. */
function inOrderOfKeys(a: StoredKey, b: StoredKey): number {
  return a.kind - b.kind || Buffer.compare(a.key, b.key)
}

function missing(index: bigint): LedgerError {
  return new LedgerError('LEDGER_CORRUPT', `entry ${index} is missing: the search index cannot go on`)
}
