import type { Clock } from '@touchmark/clock'
import { TsaError } from './errors.js'

/** Says whether the clock may be signed over. A token states its time to one second, so a clock that is not known to be that good gives no tokens. */
export interface ClockGuard {
  /** The time, for a token. Throws TSA_CLOCK_UNPROVEN when it is not proven to be within the accuracy; MUST NOT return such a time. */
  now(): Date
  /** Undefined when all is well, else why not; for health checks. */
  problem(): string | undefined
}

export interface MonotonicClockGuardOptions {
  readonly clock: Clock
  /** Milliseconds of a clock that is never set. Default: `process.hrtime`. */
  readonly monotonicMs?: () => number
  /** How far the two clocks may part at once before the wall clock counts as stepped. */
  readonly toleranceMs?: number
  /** For how long a clock that was set must run evenly before it is taken again. */
  readonly settleMs?: number
  /** What else is known of the clock, such as an NTP daemon's word; false stops tokens. */
  readonly isHealthy?: () => boolean
}

/** Half the stated accuracy, so that a step that was not seen still leaves the token true. */
const TOLERANCE_MS = 500
/** As long as a restart by a supervisor would take to be sensible. */
const SETTLE_MS = 60_000
/** The most that a clock discipline slews by (NTP's 500 ppm): a drift up to this rate is no step. */
const SLEW_RATE = 0.0005
/** Two readings further apart than this were torn by a pause of the process, and are made again. */
const MAX_READING_MS = 20
const MAX_READINGS = 8

const hrtimeMs = (): number => Number(process.hrtime.bigint() / 1000n) / 1000

/**
 * Compares the wall clock with the monotonic one. A step (an operator, NTP, a leap second, a suspended machine), a frozen or a racing clock parts
 * them, and from then on no time is given, until the clock is back where it was, or has run evenly for `settleMs` and is not before a time already
 * given: then it is as good as after a restart.
 */
export class MonotonicClockGuard implements ClockGuard {
  readonly #options: Required<Omit<MonotonicClockGuardOptions, 'isHealthy'>>
  readonly #isHealthy: () => boolean
  /** Wall clock minus monotonic clock, when last in order. */
  #offset: number
  #checkedAt: number
  #given = Number.NEGATIVE_INFINITY
  /** A new offset that may become the right one. */
  #candidate: { offset: number; since: number } | undefined

  constructor(options: MonotonicClockGuardOptions) {
    const { clock, monotonicMs = hrtimeMs, toleranceMs = TOLERANCE_MS, settleMs = SETTLE_MS } = options
    this.#options = { clock, monotonicMs, toleranceMs, settleMs }
    this.#isHealthy = options.isHealthy ?? (() => true)
    const { wall, monotonic } = this.#read()
    this.#offset = wall - monotonic
    this.#checkedAt = monotonic
  }

  now(): Date {
    const { problem, wall } = this.#check()
    if (problem !== undefined)
      throw new TsaError('TSA_CLOCK_UNPROVEN', `no timestamp is issued: ${problem}`, {
        retryAfterSeconds: Math.ceil(this.#options.settleMs / 1000),
        hint: 'check the time synchronisation of the host',
      })
    this.#given = Math.max(this.#given, wall)
    return new Date(wall)
  }

  problem(): string | undefined {
    return this.#check().problem
  }

  #check(): { problem: string | undefined; wall: number } {
    const { toleranceMs, settleMs } = this.#options
    const { wall, monotonic } = this.#read()
    const offset = wall - monotonic
    const parted = offset - this.#offset
    const slewed = Math.min(SLEW_RATE * Math.max(0, monotonic - this.#checkedAt), toleranceMs)
    this.#checkedAt = monotonic
    if (Math.abs(parted) <= toleranceMs + slewed) {
      this.#candidate = undefined
      this.#offset += Math.max(-slewed, Math.min(slewed, parted))
    } else if (!this.#settles(offset, monotonic, settleMs) || wall < this.#given) {
      return { problem: `the clock was set or stopped: it is off by ${Math.round(parted)} ms`, wall }
    } else {
      this.#offset = offset
      this.#candidate = undefined
    }
    if (!this.#isHealthy()) return { problem: 'the clock is not synchronised', wall }
    return { problem: undefined, wall }
  }

  #settles(offset: number, monotonic: number, settleMs: number): boolean {
    const { toleranceMs } = this.#options
    if (this.#candidate === undefined || Math.abs(offset - this.#candidate.offset) > toleranceMs / 4)
      this.#candidate = { offset, since: monotonic }
    return monotonic - this.#candidate.since >= settleMs
  }

  /** Both clocks at one moment, as nearly as that can be had. */
  #read(): { wall: number; monotonic: number } {
    const { clock, monotonicMs } = this.#options
    let best = { wall: 0, monotonic: 0, torn: Number.POSITIVE_INFINITY }
    for (let reading = 0; reading < MAX_READINGS && best.torn > MAX_READING_MS; reading++) {
      const before = monotonicMs()
      const wall = clock.now().getTime()
      const torn = monotonicMs() - before
      if (torn < best.torn) best = { wall, monotonic: before + torn / 2, torn }
    }
    return best
  }
}

/** Takes the clock at its word: for clocks that are moved by hand. */
export function trustingClockGuard(clock: Clock): ClockGuard {
  return { now: () => clock.now(), problem: () => undefined }
}
