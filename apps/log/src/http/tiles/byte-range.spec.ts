import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { askedRange } from './byte-range.js'

describe('askedRange', () => {
  it.each([
    ['bytes=0-0', { start: 0, end: 1 }],
    ['bytes=0-99', { start: 0, end: 100 }],
    ['bytes=32-63', { start: 32, end: 64 }],
    ['bytes=90-', { start: 90, end: 100 }],
    ['bytes=90-1000', { start: 90, end: 100 }],
    ['bytes=-10', { start: 90, end: 100 }],
    ['bytes=-1000', { start: 0, end: 100 }],
    ['Bytes= 1-2 ', { start: 1, end: 3 }],
    ['bytes=100-', 'unsatisfiable'],
    ['bytes=100-200', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=5-4', 'whole'],
    ['bytes=0-1,5-6', 'whole'],
    ['bytes=', 'whole'],
    ['bytes=-', 'whole'],
    ['bytes=a-b', 'whole'],
    ['bytes=1-2x', 'whole'],
    ['items=0-5', 'whole'],
    ['bytes=0-99999999999999999999', 'whole'],
    [undefined, 'whole'],
  ])('reads %s', (header, range) => {
    expect(askedRange(header, 100)).toEqual(range)
  })

  it('gives bytes that are there, whatever is asked for', () => {
    const near = fc.stringMatching(/^bytes=[0-9]{0,4}-[0-9]{0,4}$/)
    fc.assert(
      fc.property(fc.oneof(near, fc.string()), fc.integer({ min: 1, max: 300 }), (header, length) => {
        const range = askedRange(header, length)
        if (typeof range === 'string') return
        expect(range.start).toBeGreaterThanOrEqual(0)
        expect(range.start).toBeLessThan(range.end)
        expect(range.end).toBeLessThanOrEqual(length)
      }),
    )
  })
})
