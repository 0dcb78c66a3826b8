import { LedgerError } from '../errors.js'
import type { LedgerObserver } from '../observe.js'
import type { BatchLimits } from '../types.js'

/** What a batcher needs to know of an item. */
export interface Batchable {
  readonly bytes: number
  /** performance.now() of its arrival. */
  readonly arrivedAt: number
}

export interface BatcherOptions<Item extends Batchable> {
  readonly limits: BatchLimits
  readonly maxWaiting: number
  readonly maxWaitingBytes: number
  /** Appends a batch and answers each of its items. MUST NOT reject. */
  readonly run: (items: readonly Item[]) => Promise<void>
  readonly observe: LedgerObserver | undefined
}

/** Batches that the recent rate is judged by. */
const RATE_MEMORY = 16
/** Without a batch for this long, nobody else is expected. */
const QUIET_MS = 50

/**
 * Gathers what arrives while a batch is being committed, and hands it over when that has ended: one batch at a time.
 * A lone item is handed over at once. After a batch of many, the next waits up to maxAgeMs for as many to come again,
 * because callers that were answered together tend to return together.
 */
export class Batcher<Item extends Batchable> {
  readonly #options: BatcherOptions<Item>
  #queue: Item[] = []
  #queuedBytes = 0
  #running: readonly Item[] = []
  #runningBytes = 0
  #timer: NodeJS.Timeout | undefined
  #scheduled = false
  #expected = 1
  #endedAt = Number.NEGATIVE_INFINITY
  #closed = false
  readonly #idle: (() => void)[] = []
  readonly #rates: { entries: number; ms: number }[] = []

  constructor(options: BatcherOptions<Item>) {
    this.#options = options
  }

  /** Items accepted and not yet answered. */
  get waiting(): number {
    return this.#queue.length + this.#running.length
  }

  /** Step 1 of life-of-an-entry.md. Throws LEDGER_PUSHBACK or LEDGER_CLOSED; then the item has no place. */
  add(item: Item): void {
    const { maxWaiting, maxWaitingBytes } = this.#options
    if (this.#closed) throw new LedgerError('LEDGER_CLOSED', 'the log is closed')
    const bytes = this.#queuedBytes + this.#runningBytes
    if (this.waiting >= maxWaiting || (bytes > 0 && bytes + item.bytes > maxWaitingBytes)) {
      throw new LedgerError('LEDGER_PUSHBACK', `${this.waiting} entries wait to be appended`, {
        retryAfterSeconds: this.#secondsToClear(),
      })
    }
    this.#queue.push(item)
    this.#queuedBytes += item.bytes
    this.#consider()
  }

  /** Takes an item back while it has not been handed over; false when it is too late. */
  withdraw(item: Item): boolean {
    const at = this.#queue.indexOf(item)
    if (at < 0) return false
    this.#queue.splice(at, 1)
    this.#queuedBytes -= item.bytes
    this.#tellIdle()
    return true
  }

  /** Takes no more items; resolves when every accepted one was handed over and its batch has ended. */
  async close(): Promise<void> {
    this.#closed = true
    this.#consider()
    if (this.waiting > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  #consider(): void {
    if (this.#scheduled || this.#running.length > 0 || this.#queue.length === 0) return
    const wait = this.#waitFor(this.#queue[0]!)
    if (wait > 0) {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined
        this.#start()
      }, wait)
      return
    }
    clearTimeout(this.#timer)
    this.#timer = undefined
    // What else this turn of the event loop brings goes along.
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#start()
    })
  }

  #waitFor(oldest: Item): number {
    const { maxEntries, maxBytes, maxAgeMs } = this.#options.limits
    if (this.#closed || this.#queuedBytes >= maxBytes) return 0
    const now = performance.now()
    if (now - this.#endedAt > QUIET_MS) this.#expected = 1
    if (this.#queue.length >= Math.min(this.#expected, maxEntries)) return 0
    // Counted from the end of the last batch too: who waited through it has waited enough for its own, not for company.
    return Math.max(oldest.arrivedAt, this.#endedAt) + maxAgeMs - now
  }

  #start(): void {
    if (this.#running.length > 0 || this.#queue.length === 0) return
    const items = this.#take()
    this.#running = items
    this.#runningBytes = items.reduce((sum, item) => sum + item.bytes, 0)
    this.#queuedBytes -= this.#runningBytes
    this.#options.observe?.waiting?.(this.waiting)
    void this.#run(items)
  }

  async #run(items: readonly Item[]): Promise<void> {
    const startedAt = performance.now()
    try {
      await this.#options.run(items)
    } finally {
      this.#endedAt = performance.now()
      this.#expected = items.length
      this.#rates.push({ entries: items.length, ms: this.#endedAt - startedAt })
      if (this.#rates.length > RATE_MEMORY) this.#rates.shift()
      this.#running = []
      this.#runningBytes = 0
      this.#options.observe?.waiting?.(this.waiting)
      this.#tellIdle()
      this.#consider()
    }
  }

  #tellIdle(): void {
    if (this.waiting === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** Step 2: the oldest items, up to the limits of a batch, at least one. */
  #take(): Item[] {
    const { maxEntries, maxBytes } = this.#options.limits
    let count = 0
    let bytes = 0
    while (count < this.#queue.length && count < maxEntries) {
      bytes += this.#queue[count]!.bytes
      if (count > 0 && bytes > maxBytes) break
      count++
    }
    return this.#queue.splice(0, count)
  }

  #secondsToClear(): number {
    const entries = this.#rates.reduce((sum, rate) => sum + rate.entries, 0)
    const ms = this.#rates.reduce((sum, rate) => sum + rate.ms, 0)
    const seconds = entries === 0 ? 1 : (this.waiting * ms) / entries / 1000
    return Math.min(30, Math.max(1, Math.ceil(seconds)))
  }
}
