import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { CompactRange } from './compact-range.js'
import { NaiveTree, nodeSha256 } from './testing/naive-tree.js'

const EDGES = [0, 1, 2, 3, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537]

describe('CompactRange', () => {
  it('has the root of the naive tree at every size up to 600', () => {
    const tree = NaiveTree.of(600)
    const range = CompactRange.empty(nodeSha256)
    for (let size = 1; size <= 600; size++) {
      range.append(tree.leaves[size - 1]!)
      expect(range.root()).toEqual(tree.root(0, size))
    }
  })

  it('has the root of the naive tree around each edge of a tile, also after a round trip', () => {
    const tree = NaiveTree.of(65_537)
    let range = CompactRange.empty(nodeSha256)
    for (const edge of EDGES) {
      while (range.size < BigInt(edge)) range.append(tree.leaves[Number(range.size)]!)
      expect(range.root()).toEqual(tree.root(0, edge))
      range = CompactRange.decode(range.size, range.encode(), nodeSha256)
      expect(range.size).toBe(BigInt(edge))
      expect(range.root()).toEqual(tree.root(0, edge))
    }
  }, 60_000)

  it('shows each node once, when it is complete', () => {
    const size = 77
    const tree = NaiveTree.of(size)
    const range = CompactRange.empty(nodeSha256)
    const seen = new Map<string, Uint8Array>()
    for (const leaf of tree.leaves) {
      range.append(leaf, (level, index, hash) => {
        const key = `${level}/${index}`
        expect(seen.has(key)).toBe(false)
        expect(hash).toEqual(tree.node(level, index))
        seen.set(key, hash)
      })
    }
    let complete = 0
    for (let level = 0; level < 7; level++) complete += Math.floor(size / 2 ** level)
    expect(seen.size).toBe(complete)
  })

  it('leaves a clone alone', () => {
    const tree = NaiveTree.of(7)
    const range = CompactRange.empty(nodeSha256)
    for (const leaf of tree.leaves.slice(0, 5)) range.append(leaf)
    const copy = range.clone()
    copy.append(tree.leaves[5]!)
    expect(range.size).toBe(5n)
    expect(range.root()).toEqual(tree.root(0, 5))
    expect(copy.root()).toEqual(tree.root(0, 6))
  })

  it('refuses a frontier whose length does not fit the size', () => {
    expect(() => CompactRange.decode(3n, new Uint8Array(32))).toThrowCode('MERKLE_RANGE_INVALID')
    expect(() => CompactRange.decode(4n, new Uint8Array(33))).toThrowCode('MERKLE_RANGE_INVALID')
    expect(() => CompactRange.decode(0n, new Uint8Array(32))).toThrowCode('MERKLE_RANGE_INVALID')
  })

  it('refuses a negative size', () => {
    expect(() => CompactRange.decode(-1n, new Uint8Array(0))).toThrowCode('MERKLE_RANGE_INVALID')
  })

  it('refuses a leaf that is not a hash', () => {
    expect(() => CompactRange.empty().append(new Uint8Array(31))).toThrowCode('MERKLE_RANGE_INVALID')
  })

  it('decodes any bytes to a frontier that encodes to them, or refuses', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -2n, max: 300n }), fc.uint8Array({ maxLength: 300 }), (size, bytes) => {
        let range: CompactRange
        try {
          range = CompactRange.decode(size, bytes)
        } catch (error) {
          expect((error as { code?: string }).code).toBe('MERKLE_RANGE_INVALID')
          return
        }
        expect(range.encode()).toEqual(bytes)
        expect(range.size).toBe(size)
      }),
      { numRuns: 300 },
    )
  })
})
