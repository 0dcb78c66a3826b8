import { describe, expect, it } from '@jest/globals'
import { RestartPolicy } from './restart-policy.js'

describe('RestartPolicy', () => {
  it('replaces the first at once and waits longer in a series, but never longer than ten seconds', () => {
    const policy = new RestartPolicy()
    const delays = Array.from({ length: 10 }, () => policy.ended(1_000))
    expect(delays).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000])
  })

  it('forgets a series when a worker has served for a minute', () => {
    const policy = new RestartPolicy()
    policy.ended(0)
    policy.ended(0)
    expect(policy.ended(60_000)).toBe(100)
  })

  it('gives up when eight starts in a row fail, and not before', () => {
    const policy = new RestartPolicy()
    for (let i = 0; i < 7; i++) expect(policy.ended(undefined)).toBeGreaterThan(0)
    expect(policy.ended(undefined)).toBeUndefined()
  })

  it('counts failed starts anew after one that served', () => {
    const policy = new RestartPolicy()
    for (let i = 0; i < 7; i++) policy.ended(undefined)
    expect(policy.ended(5)).toBeGreaterThan(0)
    expect(policy.ended(undefined)).toBeGreaterThan(0)
  })
})
