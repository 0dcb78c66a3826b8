import { equalBytes } from '@touchmark/encoding'
import { extractSearchKeys, SEARCH_KEYS_VERSION, type SearchKey } from '@touchmark/entry'
import { leafHash } from '@touchmark/merkle'
import type { Database } from '@touchmark/postgres'
import type pg from 'pg'
import { LedgerError } from '../errors.js'
import { reading } from '../postgres-log.js'
import { sha256 } from '../sha256.js'
import type { Log, LogKind } from '../types.js'
import { decodeCursor, encodeCursor, type SearchCursor } from './search-cursor.js'
import { Turns } from './turns.js'
import {
  entriesWithAll,
  entriesWithAny,
  readSearchedEntries,
  readSearchedTrees,
  storedKey,
  walkTheIndex,
  type SearchedTree,
  type StoredEntry,
  type StoredKey,
} from './search-sql.js'

export const MAX_SEARCH_HITS = 100
/** Keys of one question. */
export const MAX_SEARCHED_KEYS = 16
/** Rows of the index that one page of an `and` walks at most, over all trees. */
const MAX_WALKED = 1000
/** Bytes of bodies after which a page ends. */
const MAX_PAGE_BYTES = 2 * 1024 * 1024
const STATEMENT_TIMEOUT_MS = 5_000
/** Searches of this process that run at a time, so that they leave connections to those who append; and those that may wait for their turn. */
const MAX_RUNNING = 2
const MAX_WAITING = 64

export interface SearchQuery {
  /** Only the tree with this log id; undefined searches all. */
  readonly logId: Uint8Array | undefined
  /** Only trees of these kinds. */
  readonly kinds?: readonly LogKind[]
  /** What to search for, spelled by searchKey(); none finds nothing. */
  readonly all: readonly SearchKey[]
  /** `and`: entries that have all of the keys; `or`: entries that have one of them. */
  readonly operator: 'and' | 'or'
  /** Hits of a page: 1 to {@link MAX_SEARCH_HITS}. */
  readonly limit: number
  /** `next` of the page before. */
  readonly after?: string
}

export interface SearchHit {
  readonly origin: string
  readonly logIndex: bigint
  readonly leafHash: Uint8Array
  /** Hashes to leafHash and has the keys that were searched for; that it is in the tree is for the caller to prove. */
  readonly body: Uint8Array
}

export interface SearchPage {
  /** By tree, the oldest first, then by index. */
  readonly hits: readonly SearchHit[]
  /** By origin: the size of the tree up to which this answer, with the pages after it, is complete. */
  readonly treeSizes: ReadonlyMap<string, bigint>
  /** Present when there may be more; a page may be short, or empty, and still have it. */
  readonly next?: string
}

interface Candidates {
  readonly indexes: readonly bigint[]
  /** First index that was not looked at; undefined at the end of the tree. */
  readonly rest: bigint | undefined
  readonly walked: number
}

/** Finds entries by what is in them. The index only says where to look: every hit is read, hashed and searched again. */
export class SearchIndex {
  readonly #db: Database
  readonly #trees: () => readonly Log[]
  readonly #turns = new Turns(MAX_RUNNING, MAX_WAITING)

  /** Searches these trees as far as a SearchFollower has indexed them; certificate logs are not indexed. */
  constructor(options: { db: Database; trees: () => readonly Log[] }) {
    this.#db = options.db
    this.#trees = options.trees
  }

  /** Throws LEDGER_SEARCH_INVALID, LEDGER_SEARCH_BUSY (with retryAfterSeconds), LEDGER_UNAVAILABLE. */
  async find(query: SearchQuery): Promise<SearchPage> {
    assertQuery(query)
    const cursor = query.after === undefined ? undefined : decodeCursor(query.after)
    const origins = this.#trees().filter((log) => isSearched(log, query)).map(({ origin }) => origin) // prettier-ignore
    return this.#turns.run(() =>
      reading(
        this.#db.transaction(({ client }) => findPage(client, origins, query, cursor), {
          isolation: 'repeatable read',
          readOnly: true,
          statementTimeoutMs: STATEMENT_TIMEOUT_MS,
        }),
      ),
    )
  }
}

function assertQuery({ all, limit }: SearchQuery): void {
  const invalid = (text: string): LedgerError => new LedgerError('LEDGER_SEARCH_INVALID', text)
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_SEARCH_HITS)
    throw invalid(`a page has 1 to ${MAX_SEARCH_HITS} hits`)
  if (all.length > MAX_SEARCHED_KEYS) throw invalid(`at most ${MAX_SEARCHED_KEYS} values are searched for at once`)
}

function isSearched(log: Log, { logId, kinds }: SearchQuery): boolean {
  if (log.kind === 'certificate' || (kinds !== undefined && !kinds.includes(log.kind))) return false
  return logId === undefined || equalBytes(log.logId, logId)
}

async function findPage(
  client: pg.ClientBase,
  origins: readonly string[],
  query: SearchQuery,
  cursor: SearchCursor | undefined,
): Promise<SearchPage> {
  await walkTheIndex(client)
  const trees = await readSearchedTrees(client, origins)
  const sizes = new Map(trees.map((tree) => [tree.id, answeredSize(tree, cursor)]))
  const treeSizes = new Map(trees.map((tree) => [tree.origin, sizes.get(tree.id)!]))
  const keys = query.all.map(storedKey)
  const hits: SearchHit[] = []
  let bytes = 0
  let walked = 0
  for (const tree of keys.length === 0 ? [] : trees) {
    if (cursor !== undefined && tree.id < cursor.logId) continue
    let start: bigint | undefined = tree.id === cursor?.logId ? cursor.index : 0n
    while (start !== undefined && start < sizes.get(tree.id)!) {
      if (hits.length === query.limit || walked >= MAX_WALKED || bytes >= MAX_PAGE_BYTES)
        return { hits, treeSizes, next: encodeCursor({ logId: tree.id, index: start, sizes }) }
      const range = { start, end: sizes.get(tree.id)!, limit: query.limit - hits.length }
      const candidates: Candidates = await candidatesOf(
        client,
        tree.id,
        keys,
        query.operator,
        range,
        MAX_WALKED - walked,
      )
      walked += candidates.walked
      start = candidates.rest
      for (const entry of await readSearchedEntries(client, tree.id, candidates.indexes)) {
        if (bytes >= MAX_PAGE_BYTES) {
          start = entry.index
          break
        }
        if (!isHit(entry, query)) continue
        bytes += entry.body.length
        hits.push({ origin: tree.origin, logIndex: entry.index, leafHash: entry.leafHash, body: entry.body })
      }
    }
  }
  return { hits, treeSizes }
}

/** An index that is being made anew says nothing about what it held before. */
function answeredSize(tree: SearchedTree, cursor: SearchCursor | undefined): bigint {
  const indexed = tree.extractor < SEARCH_KEYS_VERSION ? 0n : tree.indexedSize
  const asked = cursor === undefined ? indexed : (cursor.sizes.get(tree.id) ?? 0n)
  return asked < indexed ? asked : indexed
}

async function candidatesOf(
  client: pg.ClientBase,
  logId: bigint,
  keys: readonly StoredKey[],
  operator: 'and' | 'or',
  range: { start: bigint; end: bigint; limit: number },
  budget: number,
): Promise<Candidates> {
  if (operator === 'or' || keys.length === 1) {
    const indexes = await entriesWithAny(client, logId, keys, range)
    const rest = indexes.length < range.limit ? undefined : indexes.at(-1)! + 1n
    return { indexes, rest, walked: indexes.length }
  }
  const rows = await entriesWithAll(client, logId, keys, { ...range, limit: budget })
  const indexes: bigint[] = []
  for (const { index, fits } of rows) {
    if (fits) indexes.push(index)
    if (indexes.length === range.limit) return { indexes, rest: index + 1n, walked: rows.length }
  }
  const rest = rows.length < budget ? undefined : rows.at(-1)!.index + 1n
  return { indexes, rest, walked: rows.length }
}

/** The index is a hint: the body must hash to the leaf and have what was asked for. */
function isHit(entry: StoredEntry, { all, operator }: SearchQuery): boolean {
  if (!equalBytes(leafHash(entry.body, sha256), entry.leafHash)) return false
  const has = new Set(extractSearchKeys(entry.body, sha256).keys.map(({ kind, value }) => `${kind} ${value}`))
  const wanted = all.map(({ kind, value }) => `${kind} ${value}`)
  return operator === 'and' ? wanted.every((key) => has.has(key)) : wanted.some((key) => has.has(key))
}
