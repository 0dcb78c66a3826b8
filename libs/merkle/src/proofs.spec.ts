import { describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import { nodeHash } from './hashing.js'
import { NaiveTree, nodeSha256 } from './testing/naive-tree.js'
import { assembleProof, planConsistency, planInclusion, rootPlan } from './proof-plan.js'
import { rootFromInclusionProof, verifyConsistency, verifyInclusion } from './verify-proof.js'

jest.setTimeout(60_000)
const tree = NaiveTree.of(65_537)
const sha256 = nodeSha256
const EDGES = [1, 2, 3, 4, 5, 7, 8, 9, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537]

function inclusion(index: number, size: number): Uint8Array[] {
  return assembleProof(planInclusion(BigInt(index), BigInt(size)), tree, sha256)
}
function consistency(first: number, second: number): Uint8Array[] {
  return assembleProof(planConsistency(BigInt(first), BigInt(second)), tree, sha256)
}
function inclusionClaim(index: number, size: number) {
  return {
    leafHash: tree.leaves[index]!,
    index: BigInt(index),
    size: BigInt(size),
    proof: inclusion(index, size),
    root: tree.root(0, size),
    sha256,
  }
}
function consistencyClaim(firstSize: number, secondSize: number) {
  return {
    firstSize: BigInt(firstSize),
    firstRoot: tree.root(0, firstSize),
    secondSize: BigInt(secondSize),
    secondRoot: tree.root(0, secondSize),
    proof: consistency(firstSize, secondSize),
    sha256,
  }
}
function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const out = Uint8Array.from(bytes)
  const at = bit % (8 * out.length)
  out[at >> 3]! ^= 1 << (at & 7)
  return out
}

describe('inclusion proofs', () => {
  it('are those of RFC 6962 and verify, for every leaf of every tree up to 70', () => {
    for (let size = 1; size <= 70; size++) {
      for (let index = 0; index < size; index++) {
        const claim = inclusionClaim(index, size)
        expect(claim.proof).toEqual(tree.path(index, 0, size))
        verifyInclusion(claim)
      }
    }
  })

  it('are those of RFC 6962 and verify, around each edge of a tile', () => {
    for (const size of EDGES) {
      for (const index of new Set([0, 1, 254, 255, 256, 257, size >> 1, size - 2, size - 1])) {
        if (index < 0 || index >= size) continue
        const claim = inclusionClaim(index, size)
        expect(claim.proof).toEqual(tree.path(index, 0, size))
        verifyInclusion(claim)
      }
    }
  })

  it('are refused when any bit of leaf, root or proof is another', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 600 }), fc.nat(), fc.nat(), (size, at, bit) => {
        const claim = inclusionClaim(at % size, size)
        expect(() => verifyInclusion({ ...claim, leafHash: flip(claim.leafHash, bit) })).toThrowCode(
          'MERKLE_PROOF_INVALID',
        )
        expect(() => verifyInclusion({ ...claim, root: flip(claim.root, bit) })).toThrowCode('MERKLE_PROOF_INVALID')
        if (claim.proof.length === 0) return
        const proof = claim.proof.map((hash, i) => (i === at % claim.proof.length ? flip(hash, bit) : hash))
        expect(() => verifyInclusion({ ...claim, proof })).toThrowCode('MERKLE_PROOF_INVALID')
      }),
      { numRuns: 200 },
    )
  })

  it('are refused at another index', () => {
    for (const size of [2, 3, 8, 257]) {
      for (let index = 0; index < size; index++) {
        const claim = inclusionClaim(index, size)
        const other = BigInt((index + 1) % size)
        expect(() => verifyInclusion({ ...claim, index: other })).toThrowCode('MERKLE_PROOF_INVALID')
      }
    }
  })

  it('are refused when the index equals the tree size, or is negative', () => {
    const claim = inclusionClaim(4, 5)
    expect(() => verifyInclusion({ ...claim, index: 5n })).toThrowCode('MERKLE_PROOF_INVALID')
    expect(() => verifyInclusion({ ...claim, index: -1n })).toThrowCode('MERKLE_PROOF_INVALID')
    // In the tree of one leaf nothing but the index itself is wrong.
    const only = { leafHash: tree.leaves[0]!, root: tree.leaves[0]!, size: 1n, proof: [], sha256 }
    expect(() => verifyInclusion({ ...only, index: 1n })).toThrowCode('MERKLE_PROOF_INVALID')
    expect(() => verifyInclusion({ ...only, index: -1n })).toThrowCode('MERKLE_PROOF_INVALID')
  })

  it('are refused when they are longer or shorter than the path', () => {
    for (const [index, size] of [
      [0, 1],
      [3, 8],
      [256, 257],
    ] as const) {
      const claim = inclusionClaim(index, size)
      // The proof itself must be refused, whatever root is claimed.
      expect(() => rootFromInclusionProof({ ...claim, proof: [...claim.proof, tree.leaves[0]!] })).toThrowCode(
        'MERKLE_PROOF_INVALID',
      )
      if (claim.proof.length === 0) continue
      expect(() => rootFromInclusionProof({ ...claim, proof: claim.proof.slice(0, -1) })).toThrowCode(
        'MERKLE_PROOF_INVALID',
      )
    }
  })

  it('are refused when leaf, root or a hash has another length, or the size is none', () => {
    const claim = inclusionClaim(4, 5)
    const short = new Uint8Array(31)
    expect(() => verifyInclusion({ ...claim, leafHash: short })).toThrowCode('MERKLE_PROOF_INVALID')
    expect(() => verifyInclusion({ ...claim, root: short })).toThrowCode('MERKLE_PROOF_INVALID')
    expect(() => rootFromInclusionProof({ ...claim, proof: [short] })).toThrowCode('MERKLE_PROOF_INVALID')
    // As many hashes as a tree of 2^63 leaves would have.
    const proof = Array.from({ length: 63 }, () => tree.leaves[0]!)
    expect(() => rootFromInclusionProof({ ...claim, index: 0n, size: 1n << 63n, proof })).toThrowCode(
      'MERKLE_PROOF_INVALID',
    )
    expect(rootFromInclusionProof({ ...claim, index: 0n, size: (1n << 63n) - 1n, proof })).toHaveLength(32)
  })

  it('are not planned for a leaf the tree does not have', () => {
    expect(() => planInclusion(5n, 5n)).toThrowCode('MERKLE_RANGE_INVALID')
    expect(() => planInclusion(-1n, 5n)).toThrowCode('MERKLE_RANGE_INVALID')
    expect(() => planInclusion(0n, 0n)).toThrowCode('MERKLE_RANGE_INVALID')
  })

  it('name the node that the source does not have', () => {
    expect(() => assembleProof(planInclusion(0n, 2n), { node: () => undefined })).toThrowCode('MERKLE_NODE_MISSING')
  })
})

describe('consistency proofs', () => {
  it('are those of RFC 6962 and verify, between all sizes up to 70', () => {
    for (let second = 0; second <= 70; second++) {
      for (let first = 0; first <= second; first++) {
        const claim = consistencyClaim(first, second)
        expect(claim.proof).toEqual(tree.proof(first, second))
        verifyConsistency(claim)
      }
    }
  })

  it('are those of RFC 6962 and verify, around each edge of a tile', () => {
    for (const second of EDGES) {
      for (const first of EDGES) {
        if (first > second) continue
        const claim = consistencyClaim(first, second)
        expect(claim.proof).toEqual(tree.proof(first, second))
        verifyConsistency(claim)
      }
    }
  })

  it('are refused when any bit of a root or of the proof is another', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 0, max: 300 }), fc.nat(), (first, more, bit) => {
        const claim = consistencyClaim(first, first + more)
        expect(() => verifyConsistency({ ...claim, firstRoot: flip(claim.firstRoot, bit) })).toThrowCode(
          'MERKLE_PROOF_INVALID',
        )
        expect(() => verifyConsistency({ ...claim, secondRoot: flip(claim.secondRoot, bit) })).toThrowCode(
          'MERKLE_PROOF_INVALID',
        )
        if (claim.proof.length === 0) return
        const proof = claim.proof.map((hash, i) => (i === bit % claim.proof.length ? flip(hash, bit) : hash))
        expect(() => verifyConsistency({ ...claim, proof })).toThrowCode('MERKLE_PROOF_INVALID')
      }),
      { numRuns: 200 },
    )
  })

  it('are refused when they are longer or shorter than the path', () => {
    for (const [first, second] of [
      [3, 7],
      [4, 7],
      [6, 8],
      [256, 257],
      [1, 2],
    ] as const) {
      const claim = consistencyClaim(first, second)
      expect(() => verifyConsistency({ ...claim, proof: [...claim.proof, tree.leaves[0]!] })).toThrowCode(
        'MERKLE_PROOF_INVALID',
      )
      expect(() => verifyConsistency({ ...claim, proof: claim.proof.slice(0, -1) })).toThrowCode('MERKLE_PROOF_INVALID')
      expect(() => verifyConsistency({ ...claim, proof: [] })).toThrowCode('MERKLE_PROOF_INVALID')
    }
  })

  it('are refused when they are longer or shorter than the path, also where the roots are what they lead to', () => {
    const [a, b] = [tree.leaves[0]!, tree.leaves[1]!]
    const short = { firstSize: 1n, firstRoot: a, secondSize: 8n, secondRoot: nodeHash(a, b), proof: [b], sha256 }
    expect(() => verifyConsistency(short)).toThrowCode('MERKLE_PROOF_INVALID')
    verifyConsistency({ ...short, secondSize: 2n })
    const claim = consistencyClaim(3, 7)
    const firstRoot = nodeHash(a, claim.firstRoot)
    const secondRoot = nodeHash(a, claim.secondRoot)
    expect(() => verifyConsistency({ ...claim, firstRoot, secondRoot, proof: [...claim.proof, a] })).toThrowCode(
      'MERKLE_PROOF_INVALID',
    )
  })

  it('are refused when not empty between equal sizes or from the empty tree', () => {
    const hash = tree.leaves[0]!
    expect(() => verifyConsistency({ ...consistencyClaim(5, 5), proof: [hash] })).toThrowCode('MERKLE_PROOF_INVALID')
    expect(() => verifyConsistency({ ...consistencyClaim(0, 5), proof: [hash] })).toThrowCode('MERKLE_PROOF_INVALID')
  })

  it('are refused when the first tree is empty and its root is another', () => {
    const claim = consistencyClaim(0, 5)
    expect(() => verifyConsistency({ ...claim, firstRoot: claim.secondRoot })).toThrowCode('MERKLE_PROOF_INVALID')
  })

  it('are refused between two roots of one size', () => {
    const claim = consistencyClaim(5, 5)
    expect(() => verifyConsistency({ ...claim, secondRoot: tree.root(0, 4) })).toThrowCode('MERKLE_PROOF_INVALID')
  })

  it('are refused when a tree shrinks, a size is negative, or a hash has another length', () => {
    const claim = consistencyClaim(3, 7)
    const short = new Uint8Array(31)
    expect(() => verifyConsistency({ ...claim, firstSize: 8n })).toThrowCode('MERKLE_PROOF_INVALID')
    expect(() => verifyConsistency({ ...claim, firstSize: -1n })).toThrowCode('MERKLE_PROOF_INVALID')
    expect(() => verifyConsistency({ ...claim, secondSize: 1n << 63n })).toThrowCode('MERKLE_PROOF_INVALID')
    // Here the hashes would fit each other: nothing but the sizes is wrong.
    const hash = tree.leaves[0]!
    const fitting = { firstRoot: hash, secondRoot: hash, secondSize: 1n, proof: [hash], sha256 }
    expect(() => verifyConsistency({ ...fitting, firstSize: -1n })).toThrowCode('MERKLE_PROOF_INVALID')
    expect(() => verifyConsistency({ ...fitting, firstSize: 3n })).toThrowCode('MERKLE_PROOF_INVALID')
    expect(() => verifyConsistency({ ...claim, firstRoot: short })).toThrowCode('MERKLE_PROOF_INVALID')
    expect(() => verifyConsistency({ ...claim, secondRoot: short })).toThrowCode('MERKLE_PROOF_INVALID')
    expect(() => verifyConsistency({ ...claim, proof: [short] })).toThrowCode('MERKLE_PROOF_INVALID')
  })

  it('are not planned for a tree that shrinks', () => {
    expect(() => planConsistency(6n, 5n)).toThrowCode('MERKLE_RANGE_INVALID')
    expect(() => planConsistency(-1n, 5n)).toThrowCode('MERKLE_RANGE_INVALID')
  })
})

describe('rootPlan', () => {
  it('folds to the root', () => {
    for (const size of [1, 2, 3, 255, 256, 257, 65_537]) {
      const [root] = assembleProof([rootPlan(BigInt(size))], tree, sha256)
      expect(root).toEqual(tree.root(0, size))
    }
    expect(() => rootPlan(0n)).toThrowCode('MERKLE_RANGE_INVALID')
  })
})
