import { nodeCrypto } from '@touchmark/crypto/node'
import { concatBytes, equalBytes } from '@touchmark/encoding'
import { CompactRange, leafHash, verifyConsistency, verifyInclusion } from '@touchmark/merkle'
import {
  MAX_BUNDLE_ENTRY_BYTES,
  TILE_WIDTH,
  encodeEntryBundle,
  rightEdge,
  tilePath,
  tileRoot,
  verifyCheckpoint,
} from '@touchmark/tlog'
import { LedgerError } from '../errors.js'
import { verifyTreeHead } from '../open/verify-head.js'
import { sha256 } from '../sha256.js'
import type { LeafData, Log, LogHead } from '../types.js'

export interface CheckOptions {
  /** Entries whose proof is asked for, spread evenly (default 300). Every entry is hashed in any case. */
  readonly proofs?: number
}

/** What was found to be right. */
export interface CheckReport {
  readonly size: bigint
  readonly tiles: number
  readonly proofs: number
}

/**
 * Reads a log through its public API, as a stranger would, and rebuilds it: every entry hashed, every tile and bundle compared, the root
 * compared with the signed checkpoint, proofs of inclusion and consistency verified. Throws LEDGER_CORRUPT naming the first thing that is wrong.
 */
export async function checkLog(log: Log, { proofs = 300 }: CheckOptions = {}): Promise<CheckReport> {
  const head = await log.checkpoint()
  checkHead(log, head)
  const hashes: Uint8Array[] = []
  const roots = new Map<bigint, Uint8Array>()
  const range = CompactRange.empty(sha256)
  const milestones = spread(head.size, 12)
  for (let start = 0n; start < head.size; start += BigInt(TILE_WIDTH)) {
    const end = start + BigInt(TILE_WIDTH) < head.size ? start + BigInt(TILE_WIDTH) : head.size
    const entries = await readAll(log, start, end)
    for (const entry of entries) {
      range.append(entry.leafHash)
      hashes.push(entry.leafHash)
      if (milestones.has(range.size)) roots.set(range.size, range.root())
    }
    await checkBundle(log, start / BigInt(TILE_WIDTH), entries)
  }
  if (!equalBytes(range.root(), head.root)) throw wrong('the root of the checkpoint is not that of the entries')
  const tiles = await checkTiles(log, head.size, hashes)
  const proven = await checkInclusion(log, head, hashes, proofs)
  await checkConsistency(log, head, roots)
  return { size: head.size, tiles, proofs: proven }
}

function checkHead(log: Log, head: LogHead): void {
  const { origin, publicKey: key, logId } = log
  const checkpoint = verifyCheckpoint(head.note, { origin, key, logId }, nodeCrypto)
  if (checkpoint.size !== head.size || !equalBytes(checkpoint.root, head.root)) {
    throw wrong('the checkpoint is of another size or root than the head it comes with')
  }
  if (log.kind === 'certificate') verifyTreeHead(key, head)
}

async function readAll(log: Log, start: bigint, end: bigint): Promise<LeafData[]> {
  const entries: LeafData[] = []
  for (let next = start; next < end;) {
    const some = await log.entries(next, end)
    if (some.length === 0) throw wrong(`entry ${next} is missing`)
    for (const entry of some) {
      if (entry.index !== next) throw wrong(`entry ${next} is missing`)
      if (!equalBytes(leafHash(entry.body, sha256), entry.leafHash)) throw wrong(`entry ${next} is not what was hashed`)
      next++
    }
    entries.push(...some)
  }
  return entries
}

async function checkBundle(log: Log, index: bigint, entries: readonly LeafData[]): Promise<void> {
  // A certificate log may hold entries that no bundle can.
  if (entries.some((entry) => entry.body.length > MAX_BUNDLE_ENTRY_BYTES)) return
  const bundle = await log.entryBundle(index, entries.length)
  const expected = encodeEntryBundle(entries.map((entry) => entry.body))
  if (!bundle || !equalBytes(bundle, expected)) {
    throw wrong(`${tilePath('entries', index, entries.length)} does not hold its entries`)
  }
}

/** Builds every level from the one below, and compares each tile, the partial ones at the edge included. */
async function checkTiles(log: Log, size: bigint, leaves: readonly Uint8Array[]): Promise<number> {
  let compared = 0
  let level = 0
  for (let hashes = leaves; hashes.length > 0; level++) {
    const above: Uint8Array[] = []
    for (let start = 0; start < hashes.length; start += TILE_WIDTH) {
      const expected = concatBytes(...hashes.slice(start, start + TILE_WIDTH))
      const index = BigInt(start / TILE_WIDTH)
      const width = expected.length / 32
      const stored = await log.tile(level, index, width)
      if (!stored || !equalBytes(stored, expected)) throw wrong(`${tilePath(level, index, width)} is not right`)
      if (width > 1 && !equalBytes((await log.tile(level, index, width - 1))!, expected.subarray(0, -32))) {
        throw wrong(`${tilePath(level, index, width - 1)} is not right`)
      }
      if (width < TILE_WIDTH && (await log.tile(level, index, width + 1))) {
        throw wrong(`${tilePath(level, index, width + 1)} is beyond the tree`)
      }
      if (width === TILE_WIDTH) above.push(tileRoot(expected, sha256))
      compared++
    }
    hashes = above
  }
  if (level !== rightEdge(size).length) throw wrong('the tree has another number of levels than its size')
  return compared
}

async function checkInclusion(log: Log, head: LogHead, hashes: readonly Uint8Array[], count: number): Promise<number> {
  const indexes = [...spread(head.size, count)].map((n) => n - 1n)
  for (const index of indexes) {
    const leaf = hashes[Number(index)]!
    const proof = await log.inclusionProof(index, head.size)
    verifyInclusion({ leafHash: leaf, index, size: head.size, root: head.root, proof, sha256 })
    if ((await log.indexOf(leaf)) !== index) throw wrong(`entry ${index} is not found by its hash`)
  }
  return indexes.length
}

async function checkConsistency(log: Log, head: LogHead, roots: ReadonlyMap<bigint, Uint8Array>): Promise<void> {
  for (const [firstSize, firstRoot] of roots) {
    const proof = await log.consistencyProof(firstSize, head.size)
    verifyConsistency({ firstSize, firstRoot, secondSize: head.size, secondRoot: head.root, proof, sha256 })
  }
}

/** Up to `count` numbers from 1 to `size`, the ends and the edges of tiles among them. */
function spread(size: bigint, count: number): Set<bigint> {
  const edges = [1n, size - 1n, size, 255n, 256n, 257n, 65_535n, 65_536n, 65_537n]
  const numbers = new Set(edges.filter((n) => n >= 1n && n <= size))
  const step = size / BigInt(count) || 1n
  for (let n = 1n; n <= size && numbers.size < count + edges.length; n += step) numbers.add(n)
  return numbers
}

function wrong(why: string): LedgerError {
  return new LedgerError('LEDGER_CORRUPT', why)
}
