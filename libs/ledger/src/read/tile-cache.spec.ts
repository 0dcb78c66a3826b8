import { describe, expect, it } from '@jest/globals'
import { ByteCache } from './tile-cache.js'

describe('the byte cache', () => {
  it('lets go of what was not used for longest', () => {
    const cache = new ByteCache<number>(3)
    for (const [i, key] of ['a', 'b', 'c'].entries()) cache.put(key, i, 1)
    expect(cache.get('a')).toBe(0)
    cache.put('d', 3, 1)
    expect(cache.get('b')).toBeUndefined()
    expect([cache.get('a'), cache.get('c'), cache.get('d')]).toEqual([0, 2, 3])
  })

  it('counts bytes, and a value put again once', () => {
    const cache = new ByteCache<number>(10)
    for (let i = 0; i < 20; i++) cache.put('a', i, 6)
    cache.put('b', 1, 4)
    expect([cache.get('a'), cache.get('b')]).toEqual([19, 1])
    cache.put('c', 2, 7)
    expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([undefined, undefined, 2])
  })

  it('does not keep what is larger than itself', () => {
    const cache = new ByteCache<number>(10)
    cache.put('a', 1, 1)
    cache.put('b', 2, 11)
    expect([cache.get('a'), cache.get('b')]).toEqual([1, undefined])
  })
})
