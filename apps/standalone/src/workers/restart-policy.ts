/** A worker that served for this long was well: its end is not part of a series. */
const WELL_AFTER_MS = 60_000
const FIRST_DELAY_MS = 100
const LONGEST_DELAY_MS = 10_000
/** Starts in a row that may fail before the instance is given up. */
const MAX_FAILED_STARTS = 8

/** When the worker of one seat is started again. The first time almost at once; in a series with doubling pauses. */
export class RestartPolicy {
  #inARow = 0
  #failedStarts = 0

  /**
   * A worker ended. `servedMs` is how long it had served, undefined when it never did. Returns the pause before the next one in milliseconds,
   * or undefined when there is to be no next one.
   */
  ended(servedMs: number | undefined): number | undefined {
    this.#failedStarts = servedMs === undefined ? this.#failedStarts + 1 : 0
    if (this.#failedStarts >= MAX_FAILED_STARTS) return undefined
    if (servedMs !== undefined && servedMs >= WELL_AFTER_MS) this.#inARow = 0
    const delay = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#inARow)
    this.#inARow = Math.min(this.#inARow + 1, 16)
    return delay
  }
}
