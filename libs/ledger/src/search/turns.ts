import { LedgerError } from '../errors.js'

/** Lets so many run at a time, in the order in which they came, and so many wait. */
export class Turns {
  readonly #maxRunning: number
  readonly #maxWaiting: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(maxRunning: number, maxWaiting: number) {
    this.#maxRunning = maxRunning
    this.#maxWaiting = maxWaiting
  }

  /** Throws LEDGER_SEARCH_BUSY at once when too many wait. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#maxRunning) this.#running++
    else await this.#turn()
    try {
      return await work()
    } finally {
      // A turn that is passed on stays counted.
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= this.#maxWaiting) {
      throw new LedgerError('LEDGER_SEARCH_BUSY', `${this.#waiting.length} searches wait for their turn`, {
        retryAfterSeconds: 2,
      })
    }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}
