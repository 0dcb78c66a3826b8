import { equalBytes } from '@touchmark/encoding'
import { leafHash } from '@touchmark/merkle'
import { PostgresError, type Database } from '@touchmark/postgres'
import type pg from 'pg'
import { LedgerError } from '../errors.js'
import type { BatchOutcome } from '../observe.js'
import { sha256 } from '../sha256.js'
import { encodeByteaArray, type ByteaArray } from '../store/binary-array.js'
import { findEntries } from '../store/read-tree.js'
import { lockTreeRow, type TreeRow } from '../store/tree-row.js'
import { begin, writeBatch } from '../store/write-batch.js'
import type { TreeMemory } from '../tree-memory.js'
import type { LeafData, LogHead } from '../types.js'
import type { Duplicates } from './duplicates.js'
import { grow, proofsOf, type Growth } from './growth.js'
import { reconcile } from './reconcile.js'
import { anotherBody, asLedgerError, frozen, isRefusedValue, isUnknown, notStored } from './refusals.js'
import { signHead } from './sign-head.js'
import { CommitUnknown, all, confirmEarlier, writeAndCommit } from './transaction.js'
import type { WaitingEntry } from './waiting-entry.js'

/** Runs of a batch whose transaction ended before COMMIT for a reason that passes: nothing was stored, so it may run again. */
const MAX_ATTEMPTS = 3
const PASSING: readonly string[] = ['POSTGRES_UNAVAILABLE', 'POSTGRES_SERIALIZATION', 'POSTGRES_DEADLOCK']
/** How long a COMMIT whose answer was lost is read after, and the longest pause between two attempts. */
const READ_BACK_MS = 20_000
const MAX_PAUSE_MS = 2_000

/** What a transaction found and made. `indexes` has the index of every leaf hash (hex) of the batch that is in the tree. */
interface Committed {
  readonly head: LogHead
  /** Entries that were there before. */
  readonly found: ReadonlyMap<string, LeafData>
  /** New entries in order, from `firstIndex` up, with their proofs. */
  readonly added: readonly WaitingEntry[]
  readonly firstIndex: bigint
  readonly proofs: readonly (readonly Uint8Array[])[]
}

interface Times {
  lockMs: number
  signMs: number
  commitMs: number
}

/** Runs batches: one transaction each, an answer to every caller. The numbers of the steps are those of docs/design/life-of-an-entry.md. */
export class Appender {
  readonly #db: Database
  readonly #memory: TreeMemory
  readonly #duplicates: Duplicates

  constructor(db: Database, memory: TreeMemory, duplicates: Duplicates) {
    this.#db = db
    this.#memory = memory
    this.#duplicates = duplicates
  }

  /** Appends a batch and answers each entry's caller. Never rejects. */
  async run(items: readonly WaitingEntry[]): Promise<void> {
    const startedAt = performance.now()
    const times: Times = { lockMs: 0, signMs: 0, commitMs: 0 }
    let outcome: BatchOutcome = 'failed'
    let added = 0
    try {
      if (this.#memory.failure) throw this.#memory.failure
      const committed = await this.#commit(items, times)
      outcome = committed.added.length > 0 ? 'committed' : 'unchanged'
      added = committed.added.length
      this.#answer(items, committed)
    } catch (error) {
      if (isUnknown(error)) outcome = 'unknown'
      if (error instanceof CommitUnknown) outcome = (await this.#readBack(items)) ? 'committed' : 'unknown'
      else if (isRefusedValue(error) && items.length > 1) await this.#halve(items)
      else this.#refuse(items, error)
    }
    this.#memory.identity.observe?.batch?.({
      outcome,
      entries: items.length,
      added,
      bytes: items.reduce((sum, item) => sum + item.bytes, 0),
      gatherMs: startedAt - (items[0]?.arrivedAt ?? startedAt),
      ...times,
    })
  }

  /** Signs the newest head again. */
  async resign(): Promise<LogHead> {
    const memory = this.#memory
    try {
      if (memory.failure) throw memory.failure
      return await this.#inTransaction(async (client) => {
        const { before, row } = await this.#lock(client, [])
        const edge = await reconcile(client, memory, row, before)
        if (row.state === 'frozen') throw frozen()
        const head = await signHead(memory.identity, { ...row.head, previous: row.head, added: [] })
        await writeAndCommit(client, this.#write(client, row, { edge, changed: [] }, head, [], encodeByteaArray([])))
        memory.committed(head)
        return head
      })
    } catch (error) {
      memory.noteFailure(error)
      throw asLedgerError(error)
    }
  }

  async #commit(items: readonly WaitingEntry[], times: Times): Promise<Committed> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#inTransaction((client) => this.#transact(client, items, times))
      } catch (error) {
        if (attempt === MAX_ATTEMPTS || !(error instanceof PostgresError) || !PASSING.includes(error.code)) throw error
      }
    }
  }

  async #transact(client: pg.ClientBase, items: readonly WaitingEntry[], times: Times): Promise<Committed> {
    const memory = this.#memory
    const startedAt = performance.now()
    const { before, row, stored } = await this.#lock(client, items)
    times.lockMs = performance.now() - startedAt
    const edge = await reconcile(client, memory, row, before)
    if (row.state === 'frozen') throw frozen()

    // Step 5.
    const found = new Map(stored.map((leaf) => [Buffer.from(leaf.leafHash).toString('hex'), leaf]))
    const fresh = new Map<string, WaitingEntry>()
    for (const item of items) {
      if (!found.has(item.leafHashHex) && !fresh.has(item.leafHashHex)) fresh.set(item.leafHashHex, item)
    }
    const added = [...fresh.values()]
    const firstIndex = row.head.size
    if (added.length === 0) {
      await confirmEarlier(client)
      return { head: row.head, found, added, firstIndex, proofs: [] }
    }

    // Step 6.
    const bodies = encodeByteaArray(added.map((item) => item.entry.body))
    hashAgain(added, bodies)
    const growth = grow(
      edge,
      added.map((item) => item.leafHash),
    )

    // Step 7.
    const signingAt = performance.now()
    const head = await signHead(memory.identity, {
      size: growth.edge.range.size,
      root: growth.edge.root,
      previous: row.head,
      added: added.map((item) => item.entry.body),
    })
    times.signMs = performance.now() - signingAt

    // Steps 8 and 9. The proofs are made while the server writes.
    let proofs: Uint8Array[][] = []
    const committingAt = performance.now()
    await writeAndCommit(client, this.#write(client, row, growth, head, added, bodies), () => {
      proofs = proofsOf(edge, growth, firstIndex, added.length)
    })
    times.commitMs = performance.now() - committingAt
    memory.follow(growth.edge, growth.changed)
    memory.committed(head)
    return { head, found, added, firstIndex, proofs }
  }

  /**
   * Step 3, one round trip: begins, takes the row, and looks for what is there already of these entries. The look-up is a statement of its own, so it sees what was
   * committed before the lock was ours. `before` is the newest head that was known when the row was asked for.
   */
  async #lock(
    client: pg.ClientBase,
    items: readonly WaitingEntry[],
  ): Promise<{ before: LogHead; row: TreeRow; stored: LeafData[] }> {
    const { identity, newest: before } = this.#memory
    const hashes = items.map((item) => item.leafHash)
    const [, row, stored] = await all([
      begin(client),
      lockTreeRow(client, identity.id),
      hashes.length === 0 ? Promise.resolve<LeafData[]>([]) : findEntries(client, identity.id, before.size, hashes),
    ])
    return { before, row, stored }
  }

  #write(
    client: pg.ClientBase,
    row: TreeRow,
    { edge, changed }: Growth,
    head: LogHead,
    added: readonly WaitingEntry[],
    bodies: ByteaArray,
  ): Promise<boolean> {
    return writeBatch(client, {
      logId: row.id,
      oldSize: row.head.size,
      head,
      frontier: edge.range.encode(),
      leafHashes: added.map((item) => item.leafHash),
      bodies,
      extras: added.map((item) => item.entry.extra),
      tiles: changed,
    })
  }

  /** Step 10: new entries are answered; those that were there before go where the next batch need not wait for their proofs. */
  #answer(items: readonly WaitingEntry[], committed: Committed): void {
    const { head, added, firstIndex, found } = committed
    const { known } = this.#memory
    const places = new Map(added.map((item, i) => [item.leafHashHex, i]))
    for (const item of items) {
      const place = places.get(item.leafHashHex)
      if (place === undefined) {
        const leaf = found.get(item.leafHashHex)
        if (!leaf) item.refuse(notStored())
        else if (sameBody(item, leaf.body)) this.#handOver(item, leaf.index)
        continue
      }
      const first = added[place]!
      if (!sameBody(item, first.entry.body)) continue
      const index = firstIndex + BigInt(place)
      known.put(item, index)
      item.answer({
        index,
        body: first.entry.body,
        duplicate: first !== item,
        proof: { size: head.size, root: head.root, hashes: committed.proofs[place]!, checkpoint: head.note },
      })
    }
  }

  #handOver(item: WaitingEntry, index: bigint): void {
    this.#memory.known.put(item, index)
    try {
      this.#duplicates.add(item, index)
    } catch (error) {
      item.refuse(error)
    }
  }

  /**
   * Invariant 5: a lost connection during COMMIT is unknown. The row is locked again, which waits until the lost
   * transaction has ended one way or the other; then what is there is there, and what is not never will be.
   */
  async #readBack(items: readonly WaitingEntry[]): Promise<boolean> {
    const memory = this.#memory
    let last: unknown
    const until = performance.now() + READ_BACK_MS
    for (let pauseMs = 25; performance.now() < until; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
      try {
        const committed = await this.#inTransaction(async (client) => {
          const { before, row, stored } = await this.#lock(client, items)
          await reconcile(client, memory, row, before)
          await (stored.length > 0 ? confirmEarlier(client) : client.query('rollback'))
          const found = new Map(stored.map((leaf) => [Buffer.from(leaf.leafHash).toString('hex'), leaf]))
          return { head: row.head, found, added: [], firstIndex: row.head.size, proofs: [] }
        })
        this.#answer(items, committed)
        return true
      } catch (error) {
        last = error
        const passes =
          error instanceof PostgresError ? error.code !== 'POSTGRES_CLOSED' : error instanceof CommitUnknown
        if (!passes) break
        await new Promise((resolve) => setTimeout(resolve, pauseMs))
      }
    }
    memory.noteFailure(last)
    const unknown = new LedgerError('LEDGER_STATE_UNKNOWN', 'the connection to the database was lost during COMMIT', {
      cause: last,
      retryAfterSeconds: 5,
      hint: 'send the entry again: if it was stored, the answer is that entry',
    })
    for (const item of items) item.refuse(unknown)
    return false
  }

  /** Invariant 8: the entry that the database refuses is found by halving; the others are appended. */
  async #halve(items: readonly WaitingEntry[]): Promise<void> {
    const middle = items.length >> 1
    await this.run(items.slice(0, middle))
    await this.run(items.slice(middle))
  }

  #refuse(items: readonly WaitingEntry[], error: unknown): void {
    this.#memory.noteFailure(error)
    const refusal = asLedgerError(error)
    for (const item of items) item.refuse(refusal)
  }

  async #inTransaction<T>(fn: (client: pg.ClientBase) => Promise<T>): Promise<T> {
    return this.#db.withClient(async (client) => {
      try {
        return await fn(client)
      } catch (error) {
        // One that fails leaves the connection inside the transaction: the pool throws such a connection away.
        await client.query('rollback').catch(() => undefined)
        throw error
      }
    })
  }
}

/** Invariant 6: what is signed over is hashed from the bytes that are sent. Throws LEDGER_CORRUPT. */
export function hashAgain(added: readonly WaitingEntry[], bodies: ByteaArray): void {
  for (const [i, item] of added.entries()) {
    if (!equalBytes(leafHash(bodies.elements[i]!, sha256), item.leafHash)) {
      throw new LedgerError('LEDGER_CORRUPT', 'an entry changed in memory between its acceptance and its batch')
    }
  }
}

function sameBody(item: WaitingEntry, stored: Uint8Array): boolean {
  if (equalBytes(item.entry.body, stored)) return true
  item.refuse(anotherBody())
  return false
}
