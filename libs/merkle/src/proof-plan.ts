import { MerkleError } from './errors.js'
import { nodeHash, portableSha256, type Sha256 } from './hashing.js'

/** A complete subtree: the node at `level` (0 = leaves) that covers the leaves index·2^level up to (index+1)·2^level. */
export interface NodeId {
  readonly level: number
  readonly index: bigint
}

/**
 * Which nodes make a proof: each element is one hash of the proof, given by the complete subtrees it is folded from, left to right.
 * All but one of them name a single node; the right edge of the tree may need several.
 */
export type ProofPlan = readonly (readonly NodeId[])[]

/** Serves nodes by coordinate, most often out of tiles that were loaded after the plan had named them. */
export interface NodeSource {
  node(level: number, index: bigint): Uint8Array | undefined
}

/** The nodes of the inclusion proof of leaf `index` in the tree of `size` leaves (RFC 6962 §2.1.1), leaf side first. Throws MERKLE_RANGE_INVALID. */
export function planInclusion(index: bigint, size: bigint): ProofPlan {
  if (index < 0n || index >= size) {
    throw new MerkleError('MERKLE_RANGE_INVALID', `a tree of ${size} leaves has no leaf ${index}`)
  }
  const plan: NodeId[][] = []
  let begin = 0n
  let end = size
  while (end - begin > 1n) {
    const middle = begin + splitPoint(end - begin)
    if (index < middle) {
      plan.push(cover(middle, end))
      end = middle
    } else {
      plan.push(cover(begin, middle))
      begin = middle
    }
  }
  return plan.reverse()
}

/** The nodes of the consistency proof between two sizes (RFC 6962 §2.1.2); none when the sizes are equal or the first is 0. Throws MERKLE_RANGE_INVALID. */
export function planConsistency(first: bigint, second: bigint): ProofPlan {
  if (first < 0n || first > second) {
    throw new MerkleError('MERKLE_RANGE_INVALID', `a tree of ${second} leaves has no earlier size ${first}`)
  }
  if (first === 0n) return []
  const plan: NodeId[][] = []
  let begin = 0n
  let end = second
  // SUBPROOF(m, D[begin:end], whole): whole while the part that is left begins at the first leaf.
  let whole = true
  while (end !== first) {
    const middle = begin + splitPoint(end - begin)
    if (first <= middle) {
      plan.push(cover(middle, end))
      end = middle
    } else {
      plan.push(cover(begin, middle))
      begin = middle
      whole = false
    }
  }
  if (!whole) plan.push(cover(begin, end))
  return plan.reverse()
}

/** Turns a plan into the hashes of the proof. Throws MERKLE_NODE_MISSING, naming the node, when the source does not have it. */
export function assembleProof(plan: ProofPlan, source: NodeSource, sha256: Sha256 = portableSha256): Uint8Array[] {
  return plan.map((nodes) =>
    nodes.map((id) => nodeOf(source, id)).reduceRight((right, left) => nodeHash(left, right, sha256)),
  )
}

/** The root of the first `size` leaves out of nodes. Size 0 has no nodes and is refused. */
export function rootPlan(size: bigint): readonly NodeId[] {
  if (size < 1n) throw new MerkleError('MERKLE_RANGE_INVALID', `a tree of ${size} leaves has no nodes`)
  return cover(0n, size)
}

function nodeOf(source: NodeSource, { level, index }: NodeId): Uint8Array {
  const hash = source.node(level, index)
  if (hash === undefined) throw new MerkleError('MERKLE_NODE_MISSING', `node ${index} of level ${level} is missing`)
  return hash
}

/** The largest power of two below n, for n > 1. */
function splitPoint(n: bigint): bigint {
  return 1n << BigInt(bitLength(n - 1n) - 1)
}

function bitLength(n: bigint): number {
  return n.toString(2).length
}

/** The complete subtrees that tile [begin, end), largest first. `begin` must be a multiple of a power of two ≥ end - begin, as every split above makes it. */
function cover(begin: bigint, end: bigint): NodeId[] {
  const nodes: NodeId[] = []
  while (begin < end) {
    const level = bitLength(end - begin) - 1
    nodes.push({ level, index: begin >> BigInt(level) })
    begin += 1n << BigInt(level)
  }
  return nodes
}
