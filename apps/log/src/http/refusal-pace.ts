import type { ServerResponse } from 'node:http'

export interface PaceOptions {
  /** Answers a second, in the long run. */
  readonly perSecond?: number
  /** Answers that may leave at once after a quiet time. */
  readonly burst?: number
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number
}

/** More than honest mistakes and repeated requests need, and a twentieth of a core when all of them are a flood (docs/design/performance.md, "Floods"). */
const PER_SECOND = 100
const BURST = 100

/**
 * The pace at which a process answers writes that bring no new entry: refusals, and duplicates (reliability test A3). A sender who waits for his answers
 * cannot send faster than he is answered, so that a flood costs little more than this many verifications a second however many connections it has, and those who bring
 * new entries do not wait behind it. Nothing is refused for it: what is above the pace is answered in the order in which it came, later. Those who are to come again
 * (503) are told at once.
 */
export class RefusalPace {
  readonly #perSecond: number
  readonly #burst: number
  readonly #now: () => number
  readonly #held = new Set<() => void>()
  #allowed: number
  #countedAt: number
  #timer: NodeJS.Timeout | undefined
  #open = false

  constructor({ perSecond = PER_SECOND, burst = BURST, now = () => performance.now() }: PaceOptions = {}) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#now = now
    this.#allowed = burst
    this.#countedAt = now()
  }

  /** Answers that wait at this moment. There is no limit but that of connections and of the requests of each. */
  get held(): number {
    return this.#held.size
  }

  /** Resolves when the answer may leave, or its client has gone. `error` is what it will say, which waits as long. */
  turn(response: ServerResponse, error?: unknown): Promise<void> {
    this.#count()
    if (this.#open || response.destroyed) return Promise.resolve()
    if (this.#held.size === 0 && this.#allowed >= 1) {
      this.#allowed--
      return Promise.resolve()
    }
    lighten(error)
    return new Promise((resolve) => {
      const leave = (): void => {
        this.#held.delete(leave)
        response.off('close', leave)
        resolve()
      }
      this.#held.add(leave)
      response.once('close', leave)
      this.#wait()
    })
  }

  /** Lets everybody go, now and from now on: a process that is to end waits for no pace. */
  open(): void {
    this.#open = true
    clearTimeout(this.#timer)
    for (const leave of this.#held) leave()
  }

  #count(): void {
    const now = this.#now()
    this.#allowed = Math.min(this.#burst, this.#allowed + ((now - this.#countedAt) * this.#perSecond) / 1000)
    this.#countedAt = now
  }

  #wait(): void {
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined
        this.#count()
        for (const leave of this.#held) {
          if (this.#allowed < 1) break
          this.#allowed--
          leave()
        }
        if (this.#held.size > 0) this.#wait()
      },
      Math.max(1, ((1 - this.#allowed) * 1000) / this.#perSecond),
    )
  }
}

/** An error keeps the objects of the calls that it came through, a parser with a whole body among them, until somebody has read its stack. */
function lighten(error: unknown): void {
  for (let one = error; one instanceof Error; one = one.cause) void one.stack
}
