import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { ManualClock } from '@touchmark/clock'
import { Health } from './health.js'

const clock = new ManualClock('2026-01-01T00:00:00Z')

describe('Health', () => {
  afterEach(() => {
    jest.useRealTimers()
  })

  it('serves when every check is content', async () => {
    const health = new Health(clock)
    health.add('a', () => undefined)
    health.add('b', async () => undefined)
    expect(await health.report()).toEqual({ serving: true, checks: { a: 'ok', b: 'ok' } })
  })

  it('does not serve when one check has a reason, and shows it', async () => {
    const health = new Health(clock)
    health.add('a', () => undefined)
    health.add('b', async () => 'the database is read only')
    expect(await health.report()).toEqual({ serving: false, checks: { a: 'ok', b: 'the database is read only' } })
  })

  it('does not serve when a check throws, and keeps what it threw to itself', async () => {
    const health = new Health(clock)
    health.add('sync', () => {
      throw new Error('password hunter2')
    })
    health.add('async', () => Promise.reject(new Error('password hunter2')))
    expect(await health.report()).toEqual({ serving: false, checks: { sync: 'failed', async: 'failed' } })
  })

  it('does not wait for a check that hangs', async () => {
    jest.useFakeTimers()
    const health = new Health(clock)
    health.add('a', () => undefined)
    health.add('hangs', () => new Promise(() => undefined))
    const report = health.report()
    await jest.advanceTimersByTimeAsync(2_000)
    expect(await report).toEqual({ serving: false, checks: { a: 'ok', hangs: 'no answer within 2 s' } })
  })

  it('runs its checks once for many probes, and again half a second later or when the clock was set back', async () => {
    const time = new ManualClock('2026-01-01T00:00:00Z')
    const health = new Health(time)
    let runs = 0
    health.add('a', () => void runs++)
    await Promise.all([health.report(), health.report()])
    time.advance(500)
    await health.report()
    expect(runs).toBe(1)
    time.advance(1)
    await health.report()
    expect(runs).toBe(2)
    time.advance(-3_600_000)
    await health.report()
    expect(runs).toBe(3)
  })
})
