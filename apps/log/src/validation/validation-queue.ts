import { LedgerError } from '@touchmark/ledger'
import type { Outcome } from './messages.js'
import type { TaskName } from './tasks.js'

export interface QueueLimits {
  /** Requests that may wait, and bytes of their bodies. */
  readonly maxWaiting?: number
  readonly maxWaitingBytes?: number
}

/** A second or two of work, like the queue of the log behind it; as many bytes as may be on their way to a process. */
const MAX_WAITING = 4096
const MAX_WAITING_BYTES = 256 * 1024 * 1024
/** Requests of one message, and bytes: enough that handing over costs little of each, few enough that outcomes come evenly. */
const MESSAGE_REQUESTS = 16
const MESSAGE_BYTES = 256 * 1024
/**
 * What the thread is given ahead of its work, so that it does not wait for the main thread's turn of the event loop: some 30 ms. The rest can be withdrawn. Of large
 * bodies there is one copy at a time.
 */
const MESSAGES_AHEAD = 8
const BYTES_AHEAD = 1024 * 1024
/** Outcomes that the pace of the thread is judged by. */
const PACE_MEMORY = 1024

/** A request and who waits for its outcome. It is settled or refused once. */
export interface Waiting {
  readonly task: TaskName
  readonly bytes: number
  /** Until the thread has its copy. */
  body: Uint8Array | undefined
  readonly settle: (outcome: Outcome) => void
  readonly refuse: (error: Error) => void
}

/** What waits for the validation thread, in the order of arrival, and what the thread has of it, a message each. */
export class ValidationQueue {
  readonly #maxWaiting: number
  readonly #maxWaitingBytes: number
  readonly #queued: Waiting[] = []
  readonly #asked: Waiting[][] = []
  #waiting = 0
  #waitingBytes = 0
  #askedBytes = 0
  readonly #pace = { outcomes: 0, ms: 0 }
  #heardAt = 0

  constructor({ maxWaiting = MAX_WAITING, maxWaitingBytes = MAX_WAITING_BYTES }: QueueLimits) {
    this.#maxWaiting = maxWaiting
    this.#maxWaitingBytes = maxWaitingBytes
  }

  /** Requests without an outcome. */
  get waiting(): number {
    return this.#waiting
  }

  /** True when the thread has been asked and has not answered all. */
  get asked(): boolean {
    return this.#asked.length > 0
  }

  /** Throws LEDGER_PUSHBACK; then the request has no place. */
  add(one: Waiting): void {
    const full = this.#waiting > 0 && this.#waitingBytes + one.bytes > this.#maxWaitingBytes
    if (full || this.#waiting >= this.#maxWaiting) {
      const { outcomes, ms } = this.#pace
      const seconds = outcomes === 0 ? 1 : (this.#waiting * ms) / outcomes / 1000
      const retryAfterSeconds = Math.min(30, Math.max(1, Math.ceil(seconds)))
      throw new LedgerError('LEDGER_PUSHBACK', `${this.#waiting} requests wait to be validated`, { retryAfterSeconds })
    }
    this.#queued.push(one)
    this.#waiting++
    this.#waitingBytes += one.bytes
  }

  /** Takes a request back while the thread does not have it; false when it is too late. */
  withdraw(one: Waiting): boolean {
    const at = this.#queued.indexOf(one)
    if (at < 0) return false
    this.#queued.splice(at, 1)
    this.#waiting--
    this.#waitingBytes -= one.bytes
    return true
  }

  /** The requests of the next message, which the thread has from now on; undefined when there are none, or when it has enough. */
  next(): readonly Waiting[] | undefined {
    if (this.#queued.length === 0) return undefined
    if (this.#asked.length >= MESSAGES_AHEAD || (this.asked && this.#askedBytes >= BYTES_AHEAD)) return undefined
    if (!this.asked) this.#heardAt = performance.now()
    let count = 0
    let bytes = 0
    while (count < this.#queued.length && count < MESSAGE_REQUESTS) {
      if (count > 0 && bytes + this.#queued[count]!.bytes > MESSAGE_BYTES) break
      bytes += this.#queued[count++]!.bytes
    }
    const some = this.#queued.splice(0, count)
    this.#asked.push(some)
    this.#askedBytes += bytes
    return some
  }

  /** The requests of the oldest message, which the thread has answered. */
  answered(): readonly Waiting[] {
    const some = this.#asked.shift() ?? []
    const bytes = bytesOf(some)
    this.#askedBytes -= bytes
    this.#waitingBytes -= bytes
    this.#waiting -= some.length
    this.#keepPace(some.length)
    return some
  }

  /** All of them, which nobody will answer. */
  clear(): readonly Waiting[] {
    const all = [...this.#asked.splice(0).flat(), ...this.#queued.splice(0)]
    this.#waiting = this.#waitingBytes = this.#askedBytes = 0
    return all
  }

  #keepPace(outcomes: number): void {
    const now = performance.now()
    const pace = this.#pace
    pace.outcomes += outcomes
    pace.ms += now - this.#heardAt
    this.#heardAt = now
    if (pace.outcomes < PACE_MEMORY) return
    pace.outcomes /= 2
    pace.ms /= 2
  }
}

function bytesOf(some: readonly Waiting[]): number {
  return some.reduce((sum, { bytes }) => sum + bytes, 0)
}
