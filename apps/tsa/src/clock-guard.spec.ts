import { describe, expect, it } from '@jest/globals'
import { ManualClock, systemClock } from '@touchmark/clock'
import { MonotonicClockGuard, trustingClockGuard } from './clock-guard.js'

const START = '2026-11-22T16:00:00Z'

/** A wall clock and a monotonic one that run together until one is moved. */
function makeClocks(): {
  wall: ManualClock
  monotonic: { ms: number }
  run(ms: number): void
  guard: MonotonicClockGuard
  health: { good: boolean }
} {
  const wall = new ManualClock(START)
  const monotonic = { ms: 5_000 }
  const health = { good: true }
  const guard = new MonotonicClockGuard({
    clock: wall,
    monotonicMs: () => monotonic.ms,
    settleMs: 60_000,
    isHealthy: () => health.good,
  })
  const run = (ms: number): void => {
    wall.advance(ms)
    monotonic.ms += ms
  }
  return { wall, monotonic, run, guard, health }
}

describe('MonotonicClockGuard', () => {
  it('gives the time while both clocks run together', () => {
    const { guard, run } = makeClocks()
    run(3_600_000)
    expect(guard.now()).toEqual(new Date('2026-11-22T17:00:00Z'))
    expect(guard.problem()).toBeUndefined()
  })

  it.each([1_000, -1_000, 3_600_000, -3_600_000])('gives no time after a step of %s ms', (step) => {
    const { guard, run, wall } = makeClocks()
    run(10_000)
    guard.now()
    wall.advance(step)
    expect(() => guard.now()).toThrowCode('TSA_CLOCK_UNPROVEN')
    expect(guard.problem()).toMatch(/off by/)
    run(30_000)
    expect(() => guard.now()).toThrowCode('TSA_CLOCK_UNPROVEN')
  })

  it('gives the time again at once when the clock is back', () => {
    const { guard, run, wall } = makeClocks()
    wall.advance(5_000)
    expect(guard.problem()).toBeDefined()
    wall.advance(-5_000)
    run(100)
    expect(guard.now()).toEqual(new Date('2026-11-22T16:00:00.100Z'))
  })

  it('takes a new time when the clock has run evenly for the settling time', () => {
    const { guard, run, wall } = makeClocks()
    guard.now()
    wall.advance(5_000)
    expect(guard.problem()).toBeDefined()
    run(59_000)
    expect(guard.problem()).toBeDefined()
    run(1_000)
    expect(guard.now()).toEqual(new Date('2026-11-22T16:01:05Z'))
    run(1_000)
    expect(guard.problem()).toBeUndefined()
  })

  it('starts the settling time again with each new step', () => {
    const { guard, run, wall } = makeClocks()
    wall.advance(5_000)
    expect(guard.problem()).toBeDefined()
    run(59_000)
    wall.advance(5_000)
    expect(guard.problem()).toBeDefined()
    run(59_000)
    expect(guard.problem()).toBeDefined()
    run(1_000)
    expect(guard.problem()).toBeUndefined()
  })

  it('never gives a time before one that it gave', () => {
    const { guard, run, wall } = makeClocks()
    run(10_000)
    const given = guard.now()
    wall.advance(-300_000)
    expect(guard.problem()).toBeDefined()
    run(200_000)
    expect(guard.problem()).toBeDefined()
    run(101_000)
    expect(guard.now().getTime()).toBeGreaterThanOrEqual(given.getTime())
  })

  it('finds a clock that stands still or races, and does not settle on it', () => {
    for (const rate of [0, 2]) {
      const { guard, wall, monotonic } = makeClocks()
      guard.now()
      for (let second = 0; second < 300; second++) {
        wall.advance(rate * 1_000)
        monotonic.ms += 1_000
        guard.problem()
      }
      expect(() => guard.now()).toThrowCode('TSA_CLOCK_UNPROVEN')
    }
  })

  it('takes the slewing of a clock discipline for what it is', () => {
    const { guard, wall, monotonic } = makeClocks()
    for (let minute = 0; minute < 24 * 60; minute++) {
      wall.advance(60_000 + 20)
      monotonic.ms += 60_000
      expect(guard.problem()).toBeUndefined()
    }
  })

  it('does not let a long silence hide a step', () => {
    const { guard, run, wall } = makeClocks()
    run(30 * 24 * 3_600_000)
    wall.advance(1_500)
    expect(guard.problem()).toBeDefined()
  })

  it('believes what else is known of the clock', () => {
    const { guard, health } = makeClocks()
    health.good = false
    expect(() => guard.now()).toThrowCode('TSA_CLOCK_UNPROVEN')
    health.good = true
    expect(guard.problem()).toBeUndefined()
  })

  it('reads again when a pause came between the readings', () => {
    const wall = new ManualClock(START)
    let ms = 0
    let pauses = 0
    const torn = { now: () => (pauses-- > 0 && ((ms += 5_000), wall.advance(5_000)), wall.now()) }
    const guard = new MonotonicClockGuard({ clock: torn, monotonicMs: () => ms })
    pauses = 1
    expect(guard.problem()).toBeUndefined()
  })

  it('holds for the clocks of this machine', () => {
    const guard = new MonotonicClockGuard({ clock: systemClock })
    expect(guard.problem()).toBeUndefined()
    expect(Math.abs(guard.now().getTime() - systemClock.now().getTime())).toBeLessThan(5_000)
  })

  it('says when to ask again', () => {
    const { guard, wall } = makeClocks()
    wall.advance(5_000)
    expect(() => guard.now()).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ retryAfterSeconds: 60 }) }),
    )
  })
})

describe('trustingClockGuard', () => {
  it('takes the clock at its word', () => {
    const clock = new ManualClock(START)
    const guard = trustingClockGuard(clock)
    clock.advance(86_400_000)
    expect(guard.now()).toEqual(clock.now())
    expect(guard.problem()).toBeUndefined()
  })
})
