import { describe, expect, it } from '@jest/globals'
import { ByteCache } from './tile-cache.js'

describe('the byte cache', () => {
  it('keeps what was asked for, and lets go of what was not', () => {
    const cache = new ByteCache<number>(8)
    for (const [i, key] of ['a', 'b', 'c', 'd', 'e'].entries()) cache.put(key, i, 1)
    expect(cache.get('a')).toBe(0)
    for (const key of ['f', 'g', 'h']) cache.put(key, 9, 1)
    expect([cache.get('a'), cache.get('b'), cache.get('c'), cache.get('h')]).toEqual([0, undefined, undefined, 9])
  })

  it('counts bytes, and a value put again once', () => {
    const cache = new ByteCache<number>(20)
    for (let i = 0; i < 20; i++) cache.put('a', i, 6)
    cache.put('b', 1, 4)
    expect([cache.get('a'), cache.get('b')]).toEqual([19, 1])
    for (const key of ['c', 'd']) cache.put(key, 2, 7)
    expect([cache.get('a'), cache.get('b'), cache.get('c'), cache.get('d')]).toEqual([undefined, undefined, 2, 2])
  })

  it('does not keep what is larger than half of itself', () => {
    const cache = new ByteCache<number>(20)
    cache.put('a', 1, 1)
    cache.put('b', 2, 11)
    expect([cache.get('a'), cache.get('b')]).toEqual([1, undefined])
  })
})
