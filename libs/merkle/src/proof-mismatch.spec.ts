import { describe, expect, it } from '@jest/globals'
import { hexEncode } from '@touchmark/encoding'
import { CompactRange, leafHash, verifyConsistency, verifyInclusion } from './index.js'

function detailsOf(check: () => void): unknown {
  try {
    check()
  } catch (error) {
    return (error as { details: unknown }).details
  }
  throw new Error('nothing was refused')
}

describe('a proof that leads elsewhere', () => {
  const leaf = leafHash(Uint8Array.of(1))
  const tree = CompactRange.empty()
  tree.append(leaf)
  const other = new Uint8Array(32)

  it('is refused with the root that was given and the root that was found', () => {
    expect(detailsOf(() => verifyInclusion({ leafHash: leaf, index: 0n, size: 1n, proof: [], root: other }))).toEqual({
      expected: hexEncode(other),
      found: hexEncode(leaf),
    })
  })

  it('is refused with both roots, where they are of one size', () => {
    const claim = { firstSize: 1n, firstRoot: tree.root(), secondSize: 1n, secondRoot: other, proof: [] }
    expect(detailsOf(() => verifyConsistency(claim))).toEqual({ expected: hexEncode(leaf), found: hexEncode(other) })
  })
})
