import { describe, expect, it } from '@jest/globals'
import { concatBytes } from '@touchmark/encoding'
import { CompactRange, assembleProof, leafHash, planInclusion, verifyInclusion } from '@touchmark/merkle'
import { rightEdge, tileRoot } from '@touchmark/tlog'
import fc from 'fast-check'
import { sha256 } from '../sha256.js'
import { grow, nodeSource, type TreeEdge } from './growth.js'
import { TileNodes } from './tile-nodes.js'

const EMPTY: TreeEdge = { range: CompactRange.empty(sha256), root: new Uint8Array(32), tiles: [] }
const leaves = Array.from({ length: 66_000 }, (_, i) => leafHash(new TextEncoder().encode(`${i}`), sha256))

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** Every tile of a tree, built level by level from nothing but the leaves. */
function naiveTiles(size: number): Map<string, string> {
  const tiles = new Map<string, string>()
  let hashes = leaves.slice(0, size)
  for (let level = 0; hashes.length > 0; level++) {
    const above: Uint8Array[] = []
    for (let at = 0; at < hashes.length; at += 256) {
      const tile = concatBytes(...hashes.slice(at, at + 256))
      tiles.set(`${level}/${at / 256}`, base64(tile))
      if (tile.length === 8192) above.push(tileRoot(tile, sha256))
    }
    hashes = above
  }
  return tiles
}

/** Grows in the given steps and keeps what a store would keep. */
function growIn(steps: readonly number[]): { edge: TreeEdge; stored: Map<string, string> } {
  let edge = EMPTY
  const stored = new Map<string, string>()
  for (const step of steps) {
    const from = Number(edge.range.size)
    const growth = grow(edge, leaves.slice(from, from + step))
    for (const tile of growth.changed) stored.set(tile.key, base64(tile.hashes()))
    edge = growth.edge
  }
  return { edge, stored }
}

describe('growth', () => {
  it('writes exactly the tiles of the tree, in whatever batches it came', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 6 }), (steps) => {
        const { edge, stored } = growIn(steps)
        const size = steps.reduce((sum, step) => sum + step, 0)
        expect(stored).toEqual(naiveTiles(size))
        expect(edge.tiles.map((tile) => [tile.level, tile.index, tile.width])).toEqual(
          rightEdge(BigInt(size)).map((tile) => [tile.level, tile.index, tile.width]),
        )
      }),
      { numRuns: 40 },
    )
  }, 60_000)

  it.each([255, 65_535])(
    'steps over the edge from %d leaves, one by one',
    (first) => {
      const { edge, stored } = growIn([first - 1])
      let growing = edge
      for (const size of [first, first + 1, first + 2]) {
        const growth = grow(growing, leaves.slice(size - 1, size))
        growing = growth.edge
        for (const tile of growth.changed) stored.set(tile.key, base64(tile.hashes()))
        expect(stored).toEqual(naiveTiles(size))
        const range = CompactRange.empty(sha256)
        for (const leaf of leaves.slice(0, size)) range.append(leaf)
        expect(base64(growing.root)).toBe(base64(range.root()))
      }
    },
    60_000,
  )

  it('leaves the edge it began with as it was', () => {
    const { edge } = growIn([255])
    const before = edge.tiles.map((tile) => tile.hashes())
    grow(edge, leaves.slice(255, 600))
    expect(edge.tiles.map((tile) => tile.hashes())).toEqual(before)
    expect(edge.range.size).toBe(255n)
  })

  it('has every node that the proofs of its new leaves need', () => {
    for (const [from, count] of [
      [1, 1],
      [200, 120],
      [250, 600],
      [65_500, 80],
    ] as const) {
      const { edge } = growIn([from])
      const growth = grow(edge, leaves.slice(from, from + count))
      const source = nodeSource([...edge.tiles, ...growth.edge.tiles, ...growth.changed])
      const size = BigInt(from + count)
      for (let i = 0; i < count; i++) {
        const index = BigInt(from + i)
        const proof = assembleProof(planInclusion(index, size), source, sha256)
        verifyInclusion({ leafHash: leaves[from + i]!, index, size, proof, root: growth.edge.root, sha256 })
      }
    }
  }, 60_000)
})

describe('a tile with its nodes', () => {
  it('is the same grown or read', () => {
    const { edge } = growIn([256])
    const grown = edge.tiles[0]!
    const read = TileNodes.fromHashes(0, 0n, grown.hashes())
    for (let row = 0; row <= 8; row++) {
      for (let offset = 0; offset < 256 >> row; offset++)
        expect(read.node(row, offset)).toEqual(grown.node(row, offset))
    }
    expect(read.node(8, 0)).toEqual(tileRoot(grown.hashes(), sha256))
  })

  it('has no node that is not complete', () => {
    const tile = TileNodes.fromHashes(0, 0n, concatBytes(...leaves.slice(0, 5)))
    expect(tile.node(0, 4)).toEqual(leaves[4])
    expect(tile.node(0, 5)).toBeUndefined()
    expect(tile.node(2, 0)).toBeDefined()
    expect(tile.node(1, 2)).toBeUndefined()
    expect(tile.isFull).toBe(false)
  })

  it('gives hashes away as copies', () => {
    const tile = TileNodes.fromHashes(0, 0n, concatBytes(...leaves.slice(0, 2)))
    tile.hashes().fill(0)
    tile.node(0, 0)!.fill(0)
    expect(tile.node(0, 0)).toEqual(leaves[0])
  })
})
