import { describe, expect, it } from '@jest/globals'
import { firstDifference, memberAt } from './json-path.js'

describe('memberAt', () => {
  it('walks objects and lists, and nothing else', () => {
    const value = { a: [{ b: 'x' }] }
    expect(memberAt(value, ['a', 0, 'b'])).toBe('x')
    expect(memberAt(value, [])).toBe(value)
    for (const path of [
      ['b'],
      ['a', 1],
      ['a', 'length'],
      ['a', 0, 'b', 'length'],
      ['a', 0, 0],
      ['constructor'],
      ['a', -1],
    ])
      expect(memberAt(value, path)).toBeUndefined()
    expect(memberAt(null, ['a'])).toBeUndefined()
  })
})

describe('firstDifference', () => {
  it('names the place and both values', () => {
    expect(firstDifference({ a: { b: 1 } }, { a: { b: 2 } })).toEqual({ path: 'a.b', expected: '1', found: '2' })
    expect(firstDifference({ a: 'x' }, {})).toEqual({ path: 'a', expected: 'x', found: 'nothing' })
    expect(firstDifference({}, { a: 'x' })).toEqual({ path: 'a', expected: 'nothing', found: 'x' })
    expect(firstDifference({ a: [1, 2] }, { a: [1, 3] })).toEqual({ path: 'a[1]', expected: '2', found: '3' })
    expect(firstDifference({ a: [1] }, { a: [1, 1] })).toEqual({ path: 'a', expected: '[1]', found: '[1,1]' })
    expect(firstDifference({ a: {} }, { a: [] })).toEqual({ path: 'a', expected: '{}', found: '[]' })
    expect(firstDifference({ a: ['b'] }, { a: 'x' })).toEqual({ path: 'a', expected: '["b"]', found: 'x' })
    expect(firstDifference({ a: 'x' }, { a: ['b'] })).toEqual({ path: 'a', expected: 'x', found: '["b"]' })
    expect(firstDifference({ a: null }, { a: false })).toEqual({ path: 'a', expected: 'null', found: 'false' })
  })

  it('finds none between equal values', () => {
    expect(firstDifference({ a: [1, { b: null }], c: 'x' }, { c: 'x', a: [1, { b: null }] })).toBeUndefined()
  })
})
