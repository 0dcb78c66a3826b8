import { LedgerError } from '../errors.js'
import type { TreeReader } from '../read/tree-reader.js'
import type { TreeMemory } from '../tree-memory.js'
import { unproven } from './refusals.js'
import type { WaitingEntry } from './waiting-entry.js'

/** Proofs that are made together: bounds what is read from the database at once. */
const ROUND = 64

/**
 * Answers entries that are in the tree already, apart from those that are new: a place, a queue and a pace of their own, and no lock. A flood of them is turned
 * away here, and holds up nobody who brings something new. Each gets its index and its proof under the newest head that this process knows to be committed.
 */
export class Duplicates {
  readonly #memory: TreeMemory
  readonly #reader: TreeReader
  readonly #maxWaiting: number
  readonly #maxBytes: number
  #bytes = 0
  /** In the order of arrival, with the index of the equal entry. */
  readonly #queue = new Map<WaitingEntry, bigint>()
  /** Equal to an entry that is on its way into the tree, by leaf hash; they wait for what becomes of that one. */
  readonly #followers = new Map<string, Set<WaitingEntry>>()
  #following = 0
  #answering = 0
  #running = false
  readonly #idle: (() => void)[] = []

  constructor(memory: TreeMemory, reader: TreeReader, maxWaiting: number, maxBytes: number) {
    this.#memory = memory
    this.#reader = reader
    this.#maxWaiting = maxWaiting
    this.#maxBytes = maxBytes
  }

  /** Accepted and not yet answered. */
  get waiting(): number {
    return this.#queue.size + this.#following + this.#answering
  }

  /** Takes an entry that is in the tree at `index`. Throws LEDGER_PUSHBACK; then it has no place. */
  add(item: WaitingEntry, index: bigint): void {
    this.#takePlace(item)
    this.#queue.set(item, index)
    void this.#run()
  }

  /** Takes an entry that is equal to one on its way. Throws LEDGER_PUSHBACK; then it has no place. */
  follow(item: WaitingEntry): void {
    this.#takePlace(item)
    const others = this.#followers.get(item.leafHashHex) ?? new Set()
    this.#followers.set(item.leafHashHex, others.add(item))
    this.#following++
  }

  /** The entry that others followed is in the tree. */
  led(leafHashHex: string, index: bigint): void {
    for (const item of this.#release(leafHashHex)) this.#queue.set(item, index)
    void this.#run()
  }

  /** The entry that others followed is not in the tree, and they are not either. */
  refuseFollowers(leafHashHex: string, error: unknown): void {
    for (const item of this.#release(leafHashHex)) item.refuse(error)
    this.#tellIdle()
  }

  /** The caller of the entry that others followed has left: the first of them goes in its place, the others follow that one. */
  successor(leafHashHex: string): WaitingEntry | undefined {
    const others = this.#followers.get(leafHashHex)
    const [first] = others ?? []
    if (!others || !first) return undefined
    others.delete(first)
    if (others.size === 0) this.#followers.delete(leafHashHex)
    this.#following--
    return first
  }

  /** Takes an entry back while it waits; false when it is not here. */
  withdraw(item: WaitingEntry): boolean {
    const others = this.#followers.get(item.leafHashHex)
    const followed = others?.delete(item) ?? false
    if (followed) {
      this.#following--
      if (others!.size === 0) this.#followers.delete(item.leafHashHex)
    }
    const found = this.#queue.delete(item) || followed
    this.#tellIdle()
    return found
  }

  /** Resolves when nobody waits. */
  async idle(): Promise<void> {
    if (this.waiting > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  #release(leafHashHex: string): Iterable<WaitingEntry> {
    const others = this.#followers.get(leafHashHex) ?? new Set()
    this.#followers.delete(leafHashHex)
    this.#following -= others.size
    return others
  }

  async #run(): Promise<void> {
    if (this.#running) return
    this.#running = true
    try {
      while (this.#queue.size > 0) await this.#answerSome()
    } finally {
      this.#running = false
      this.#tellIdle()
    }
  }

  async #answerSome(): Promise<void> {
    const items: { item: WaitingEntry; index: bigint }[] = []
    for (const [item, index] of this.#queue) {
      if (items.length === ROUND) break
      this.#queue.delete(item)
      items.push({ item, index })
    }
    this.#answering = items.length
    try {
      if (this.#memory.failure) throw this.#memory.failure
      const head = this.#memory.newest
      const proofs = await this.#reader.provenUnder(
        head,
        items.map(({ item, index }) => ({ index, leafHash: item.leafHash })),
      )
      for (const [i, { item, index }] of items.entries()) {
        const proof = { size: head.size, root: head.root, hashes: proofs[i]!, checkpoint: head.note }
        // Whoever brought it here has compared its bytes with those of the stored entry.
        item.answer({ index, body: item.entry.body, duplicate: true, proof })
      }
    } catch (error) {
      this.#memory.noteFailure(error)
      for (const { item } of items) item.refuse(unproven(error))
    } finally {
      this.#answering = 0
    }
  }

  #takePlace(item: WaitingEntry): void {
    if (this.waiting < this.#maxWaiting && (this.#bytes === 0 || this.#bytes + item.bytes <= this.#maxBytes)) {
      this.#bytes += item.bytes
      const gone = (): void => void (this.#bytes -= item.bytes)
      item.answered.then(gone, gone)
      return
    }
    throw new LedgerError('LEDGER_PUSHBACK', `${this.waiting} entries that are in the log already wait for proofs`, {
      retryAfterSeconds: 1,
    })
  }

  #tellIdle(): void {
    if (this.waiting === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }
}
