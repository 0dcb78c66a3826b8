import { describe, expect, it } from '@jest/globals'
import { poolSizeOf } from '../workers/worker-seat.js'
import { MAX_WORKERS, workerCount } from './worker-count.js'

describe('workerCount', () => {
  it('is one unless told otherwise', () => {
    expect([workerCount(undefined), workerCount('1'), workerCount('24'), workerCount('07')]).toEqual([1, 1, 24, 7])
  })

  it('takes all cores, up to its limit', () => {
    expect([workerCount('auto', 8), workerCount('auto', 100)]).toEqual([8, MAX_WORKERS])
  })

  it.each(['', '0', '25', '-1', '1.5', '1e1', 'two', '+2', ' 2', '999'])('refuses %j', (text) => {
    expect(() => workerCount(text)).toThrowCode('STANDALONE_CONFIG')
  })

  it('leaves room on the embedded server', () => {
    for (let workers = 1; workers <= MAX_WORKERS; workers++)
      expect(workers * poolSizeOf(workers)).toBeLessThanOrEqual(48)
    expect([poolSizeOf(1), poolSizeOf(2), poolSizeOf(4)]).toEqual([16, 16, 12])
  })
})
