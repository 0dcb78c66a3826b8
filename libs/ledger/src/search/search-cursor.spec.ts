import { describe, expect, it } from '@jest/globals'
import { isCodedError } from '@touchmark/errors'
import fc from 'fast-check'
import { decodeCursor, encodeCursor, MAX_CURSOR_CHARACTERS } from './search-cursor.js'

const number = fc.bigInt({ min: 0n, max: (1n << 63n) - 1n })

describe('a cursor', () => {
  it('reads as it was written', () => {
    const sizes = fc.uniqueArray(fc.tuple(number, number), { minLength: 1, maxLength: 99, selector: ([id]) => id })
    fc.assert(
      fc.property(number, number, sizes, (logId, index, pairs) => {
        const cursor = { logId, index, sizes: new Map(pairs) }
        const text = encodeCursor(cursor)
        expect(decodeCursor(text)).toEqual(cursor)
        expect(text.length).toBeLessThanOrEqual(MAX_CURSOR_CHARACTERS)
        expect(encodeURIComponent(text)).toBe(text)
      }),
    )
  })

  it('is refused when a search did not give it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9._-]{0,40}$/)), (text) => {
        try {
          expect(encodeCursor(decodeCursor(text)).length).toBeGreaterThan(0)
        } catch (error) {
          expect(isCodedError(error) && error.code).toBe('LEDGER_SEARCH_INVALID')
        }
      }),
    )
    const one = '_1.1'
    expect(decodeCursor('1.1' + one.repeat(100)).sizes.size).toBe(1)
    for (const text of ['1.1' + one.repeat(101), '01.1_1.1', '1.1_9223372036854775808.1', '1.1_1.9223372036854775808'])
      expect(() => decodeCursor(text)).toThrowCode('LEDGER_SEARCH_INVALID')
  })
})
