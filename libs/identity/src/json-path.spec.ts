import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { isCodedError } from '@touchmark/errors'
import { parseJsonPath, readJsonPath } from './json-path.js'

const DOCUMENT = { a: { b: 'x', 'c d': 1, arr: [1, { z: 'q' }] }, '0': 'zero', list: ['p', 'q'], constructor: 'own' }

describe('JSONPath of an issuer-claim', () => {
  it.each([
    ['$', DOCUMENT],
    ['$.a.b', 'x'],
    ["$['a']['c d']", 1],
    ['$["a"].b', 'x'],
    ['$.a.arr[1].z', 'q'],
    ["$.a.arr['0']", 1],
    ['$[0]', 'zero'],
    ['$.list[1]', 'q'],
    ['$.constructor', 'own'],
  ])('%s leads to a value', (path, value) => {
    expect(readJsonPath(parseJsonPath(path), DOCUMENT)).toEqual(value)
  })

  it.each(['$.x', '$.a.b.c', '$.a.arr[2]', '$.list.length', '$.toString', '$.a.hasOwnProperty', '$.__proto__'])(
    '%s leads to nothing',
    (path) => {
      expect(readJsonPath(parseJsonPath(path), DOCUMENT)).toBeUndefined()
    },
  )

  it.each([
    '',
    'a',
    '$.',
    '$[',
    '$..b',
    '$.*',
    '$[*]',
    '$.a[1:2]',
    '$[?(@.a)]',
    '$.a-b',
    '$.a.',
    `$${'.a'.repeat(600)}`,
  ])('refuses %j', (path) => {
    expect(() => parseJsonPath(path)).toThrowCode('IDENTITY_JSON_PATH_INVALID')
  })

  it('answers or refuses any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'$.[]"\'a0 *'.split('')) }), (text) => {
        try {
          return Array.isArray(parseJsonPath(text))
        } catch (error) {
          return isCodedError(error)
        }
      }),
      { numRuns: 500 },
    )
  })
})
