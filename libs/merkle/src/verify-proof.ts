import { equalBytes, hexEncode } from '@touchmark/encoding'
import { MerkleError } from './errors.js'
import { HASH_BYTES, emptyRoot, nodeHash, portableSha256, type Sha256 } from './hashing.js'

/** Sizes are 63-bit on every wire they come from. */
const MAX_SIZE = 1n << 63n

export interface InclusionClaim {
  readonly leafHash: Uint8Array
  readonly index: bigint
  readonly size: bigint
  /** Sibling hashes, leaf side first. */
  readonly proof: readonly Uint8Array[]
  readonly sha256?: Sha256
}

export interface ConsistencyClaim {
  readonly firstSize: bigint
  readonly firstRoot: Uint8Array
  readonly secondSize: bigint
  readonly secondRoot: Uint8Array
  readonly proof: readonly Uint8Array[]
  readonly sha256?: Sha256
}

/** The root that an inclusion proof leads to (RFC 9162 §2.1.3.2). Throws MERKLE_PROOF_INVALID when index, size and length of the proof do not fit each other. */
export function rootFromInclusionProof({
  leafHash,
  index,
  size,
  proof,
  sha256 = portableSha256,
}: InclusionClaim): Uint8Array {
  checkHash('leaf hash', leafHash)
  checkSize(size)
  if (index < 0n) throw invalid(`the index ${index} is negative`)
  if (index >= size) throw invalid(`the index ${index} is not inside a tree of ${size} leaves`)
  checkProof(proof)
  let fn = index
  let sn = size - 1n
  let root = leafHash
  for (const hash of proof) {
    if (sn === 0n) throw invalid('the proof is longer than the path to the root')
    if ((fn & 1n) === 1n || fn === sn) {
      root = nodeHash(hash, root, sha256)
      while ((fn & 1n) === 0n && fn !== 0n) {
        fn >>= 1n
        sn >>= 1n
      }
    } else {
      root = nodeHash(root, hash, sha256)
    }
    fn >>= 1n
    sn >>= 1n
  }
  if (sn !== 0n) throw invalid('the proof is shorter than the path to the root')
  return root
}

/** Checks that the leaf is at `index` in the tree with this root. Throws MERKLE_PROOF_INVALID. */
export function verifyInclusion(claim: InclusionClaim & { readonly root: Uint8Array }): void {
  checkHash('root', claim.root)
  const found = rootFromInclusionProof(claim)
  if (!equalBytes(found, claim.root)) throw mismatch('root of the tree', claim.root, found)
}

/** Checks that the second tree begins with exactly the leaves of the first (RFC 9162 §2.1.4.2). Throws MERKLE_PROOF_INVALID. */
export function verifyConsistency(claim: ConsistencyClaim): void {
  const { firstSize, firstRoot, secondSize, secondRoot, proof, sha256 = portableSha256 } = claim
  checkHash('first root', firstRoot)
  checkHash('second root', secondRoot)
  if (firstSize < 0n) throw invalid(`the first size ${firstSize} is negative`)
  checkSize(secondSize)
  if (firstSize > secondSize) throw invalid(`the first size ${firstSize} is larger than the second, ${secondSize}`)
  checkProof(proof)
  if (firstSize === secondSize || firstSize === 0n) {
    if (proof.length !== 0) throw invalid('a proof between equal sizes, or from the empty tree, is empty')
    if (firstSize === secondSize) {
      if (!equalBytes(firstRoot, secondRoot)) throw mismatch('root of one size', firstRoot, secondRoot)
    } else if (!equalBytes(firstRoot, emptyRoot(sha256))) {
      throw mismatch('root of the empty tree', emptyRoot(sha256), firstRoot)
    }
    return
  }
  // Where the first tree is one complete subtree, its root is not repeated in the proof.
  const path = (firstSize & (firstSize - 1n)) === 0n ? [firstRoot, ...proof] : proof
  // Step 1 of the clause.
  if (proof.length === 0) throw invalid('a proof between different sizes is not empty')
  walkConsistency(claim, path, sha256)
}

function walkConsistency(claim: ConsistencyClaim, path: readonly Uint8Array[], sha256: Sha256): void {
  let fn = claim.firstSize - 1n
  let sn = claim.secondSize - 1n
  while ((fn & 1n) === 1n) {
    fn >>= 1n
    sn >>= 1n
  }
  let first = path[0]!
  let second = path[0]!
  for (const hash of path.slice(1)) {
    if (sn === 0n) throw invalid('the proof is longer than the path to the root')
    if ((fn & 1n) === 1n || fn === sn) {
      first = nodeHash(hash, first, sha256)
      second = nodeHash(hash, second, sha256)
      while ((fn & 1n) === 0n && fn !== 0n) {
        fn >>= 1n
        sn >>= 1n
      }
    } else {
      second = nodeHash(second, hash, sha256)
    }
    fn >>= 1n
    sn >>= 1n
  }
  if (sn !== 0n) throw invalid('the proof is shorter than the path to the root')
  if (!equalBytes(first, claim.firstRoot)) throw mismatch('first root', claim.firstRoot, first)
  if (!equalBytes(second, claim.secondRoot)) throw mismatch('second root', claim.secondRoot, second)
}

function checkHash(what: string, hash: Uint8Array): void {
  if (hash.length !== HASH_BYTES) throw invalid(`the ${what} has ${hash.length} bytes, not ${HASH_BYTES}`)
}

function checkSize(size: bigint): void {
  if (size < 0n || size >= MAX_SIZE) throw invalid(`${size} is not the size of a tree`)
}

function checkProof(proof: readonly Uint8Array[]): void {
  for (const hash of proof) checkHash('proof hash', hash)
}

function invalid(why: string): MerkleError {
  return new MerkleError('MERKLE_PROOF_INVALID', why)
}

function mismatch(what: string, expected: Uint8Array, found: Uint8Array): MerkleError {
  return new MerkleError('MERKLE_PROOF_INVALID', `the ${what} is not what the proof leads to`, {
    expected: hexEncode(expected),
    found: hexEncode(found),
  })
}
