import { equalBytes } from '@touchmark/encoding'
import { LedgerError } from '../errors.js'
import type { TreeMemory } from '../tree-memory.js'
import type { Batcher } from './batcher.js'
import type { Duplicates } from './duplicates.js'
import { anotherBody } from './refusals.js'
import type { WaitingEntry } from './waiting-entry.js'

/**
 * Step 1 of life-of-an-entry.md: shows each entry its queue. One that is known to be in the tree, or equal to one that is on its way there, goes to the
 * duplicates; everything else has to be looked up under the lock, with the batch.
 */
export class Intake {
  readonly #memory: TreeMemory
  readonly #batcher: Batcher<WaitingEntry>
  readonly #duplicates: Duplicates
  /** Bodies of entries that wait for their batch or are in it, by leaf hash (hex). */
  readonly #onTheirWay = new Map<string, Uint8Array>()
  #closed = false

  constructor(memory: TreeMemory, batcher: Batcher<WaitingEntry>, duplicates: Duplicates) {
    this.#memory = memory
    this.#batcher = batcher
    this.#duplicates = duplicates
  }

  /** Throws LEDGER_PUSHBACK, LEDGER_ENTRY_REFUSED or LEDGER_CLOSED; then the entry has no place. */
  add(item: WaitingEntry): void {
    if (this.#closed) throw new LedgerError('LEDGER_CLOSED', 'the log is closed')
    // A frozen tree answers nobody: the batch says so.
    const index = this.#memory.state === 'active' ? this.#memory.known.indexOf(item) : undefined
    if (index !== undefined) return this.#duplicates.add(item, index)
    const onItsWay = this.#onTheirWay.get(item.leafHashHex)
    if (onItsWay === undefined) return this.#lead(item)
    if (!equalBytes(onItsWay, item.entry.body)) throw anotherBody()
    this.#duplicates.follow(item)
  }

  /** Takes an entry back while it waits; false when it is too late. */
  withdraw(item: WaitingEntry): boolean {
    return this.#duplicates.withdraw(item) || this.#batcher.withdraw(item)
  }

  /** Takes no more entries; resolves when every one that was taken is answered. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#batcher.close()
    await this.#duplicates.idle()
  }

  #lead(item: WaitingEntry): void {
    const { leafHashHex } = item
    this.#batcher.add(item)
    this.#onTheirWay.set(leafHashHex, item.entry.body)
    item.answered.then(
      ({ index }) => {
        this.#onTheirWay.delete(leafHashHex)
        this.#duplicates.led(leafHashHex, index)
      },
      (error: unknown) => {
        this.#onTheirWay.delete(leafHashHex)
        this.#failed(leafHashHex, error)
      },
    )
  }

  /** Invariant 8: a caller who leaves leaves alone. Every other failure is that of the batch, in which the equal entries would have been as well. */
  #failed(leafHashHex: string, error: unknown): void {
    if (!(error instanceof LedgerError) || error.code !== 'LEDGER_CANCELLED') {
      this.#duplicates.refuseFollowers(leafHashHex, error)
      return
    }
    const next = this.#duplicates.successor(leafHashHex)
    if (!next) return
    try {
      this.#lead(next)
    } catch (refusal) {
      next.refuse(refusal)
      this.#duplicates.refuseFollowers(leafHashHex, refusal)
    }
  }
}
