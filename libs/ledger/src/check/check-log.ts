import {
  checkTree,
  createHasher,
  type Difference,
  type LeafTile,
  type LogSource,
  type PackedEntries,
} from '@touchmark/audit'
import { nodeCrypto } from '@touchmark/crypto/node'
import { equalBytes } from '@touchmark/encoding'
import { assembleProof, rootPlan, verifyConsistency, verifyInclusion } from '@touchmark/merkle'
import {
  MAX_BUNDLE_ENTRY_BYTES,
  TILE_WIDTH,
  encodeEntryBundle,
  nodeInTile,
  placeOfNode,
  tilePath,
  tileWidth,
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
  const source = new ApiSource(log, head.size)
  const report = await checkTree({ source, hasher: createHasher(0), size: head.size, root: head.root })
  if (report.differences.length > 0) throw differs(report.differences[0]!)
  const proven = await checkInclusion(log, head, proofs)
  await checkConsistency(log, head)
  return { size: head.size, tiles: report.tiles, proofs: proven }
}

function checkHead(log: Log, head: LogHead): void {
  const { origin, publicKey: key, logId } = log
  const checkpoint = verifyCheckpoint(head.note, { origin, key, logId }, nodeCrypto)
  if (checkpoint.size !== head.size || !equalBytes(checkpoint.root, head.root)) {
    throw wrong('the checkpoint is of another size or root than the head it comes with')
  }
  if (log.kind === 'certificate') verifyTreeHead(key, head)
}

/** A log as its own API answers. Beside what the check compares: bundles hold the entries, and no tile is wider or narrower than it says. */
class ApiSource implements LogSource {
  readonly tilesPerRead = 1
  readonly parallelReads = 1
  readonly #log: Log
  readonly #size: bigint

  constructor(log: Log, size: bigint) {
    this.#log = log
    this.#size = size
  }

  async *read(first: bigint, count: number, lastWidth: number): AsyncGenerator<LeafTile> {
    for (let i = 0; i < count; i++) {
      const index = first + BigInt(i)
      const width = i === count - 1 ? lastWidth : TILE_WIDTH
      const entries = await readAll(this.#log, index * BigInt(TILE_WIDTH), width)
      await checkBundle(this.#log, index, entries)
      yield { entries: packed(entries), tile: await this.tile(0, index, width) }
    }
  }

  async tile(level: number, index: bigint, width: number): Promise<Uint8Array | undefined> {
    const tile = await this.#log.tile(level, index, width)
    const narrower = width > 1 ? await this.#log.tile(level, index, width - 1) : undefined
    if (tile && narrower && !equalBytes(narrower, tile.subarray(0, -32))) {
      throw wrong(`${tilePath(level, index, width - 1)} is not right`)
    }
    const atEdge = width < TILE_WIDTH && width === tileWidth(level, index, this.#size)
    if (atEdge && (await this.#log.tile(level, index, width + 1))) {
      throw wrong(`${tilePath(level, index, width + 1)} is beyond the tree`)
    }
    return tile
  }
}

async function readAll(log: Log, start: bigint, width: number): Promise<LeafData[]> {
  const entries: LeafData[] = []
  const end = start + BigInt(width)
  for (let next = start; next < end; next = start + BigInt(entries.length)) {
    const some = await log.entries(next, end)
    if (some[0]?.index !== next) throw wrong(`entry ${next} is missing`)
    for (const [i, entry] of some.entries()) {
      if (entry.index !== next + BigInt(i)) throw wrong(`entry ${next + BigInt(i)} is missing`)
      entries.push(entry)
    }
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

function packed(entries: readonly LeafData[]): PackedEntries {
  const parts = entries.flatMap(({ body }) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(body.length)
    return [length, body]
  })
  const leafHashes = Buffer.concat(entries.map(({ leafHash }) => leafHash))
  return { lengthBytes: 4, bytes: Buffer.concat(parts), leafHashes }
}

async function checkInclusion(log: Log, head: LogHead, count: number): Promise<number> {
  const indexes = [...spread(head.size, count)].map((n) => n - 1n)
  for (const index of indexes) {
    const [entry] = await log.entries(index, index + 1n)
    const leaf = entry!.leafHash
    const proof = await log.inclusionProof(index, head.size)
    verifyInclusion({ leafHash: leaf, index, size: head.size, root: head.root, proof, sha256 })
    if ((await log.indexOf(leaf)) !== index) throw wrong(`entry ${index} is not found by its hash`)
  }
  return indexes.length
}

async function checkConsistency(log: Log, head: LogHead): Promise<void> {
  for (const firstSize of spread(head.size, 12)) {
    const firstRoot = await rootOf(log, firstSize)
    const proof = await log.consistencyProof(firstSize, head.size)
    verifyConsistency({ firstSize, firstRoot, secondSize: head.size, secondRoot: head.root, proof, sha256 })
  }
}

/** The root of an earlier size, out of tiles that have been checked. */
async function rootOf(log: Log, size: bigint): Promise<Uint8Array> {
  const nodes = rootPlan(size)
  const places = nodes.map(placeOfNode)
  const tiles = await Promise.all(
    places.map(({ level, index, offset, count }) => log.tile(level, index, offset + count)),
  )
  const known = new Map(
    nodes.map(({ level, index }, i) => [`${level}/${index}`, nodeInTile(tiles[i]!, places[i]!, sha256)]),
  )
  const [root] = assembleProof([nodes], { node: (level, index) => known.get(`${level}/${index}`) }, sha256)
  return root!
}

/** Up to `count` numbers from 1 to `size`, the ends and the edges of tiles among them. */
function spread(size: bigint, count: number): Set<bigint> {
  const edges = [1n, size - 1n, size, 255n, 256n, 257n, 65_535n, 65_536n, 65_537n]
  const numbers = new Set(edges.filter((n) => n >= 1n && n <= size))
  const step = size / BigInt(count) || 1n
  for (let n = 1n; n <= size && numbers.size < count + edges.length; n += step) numbers.add(n)
  return numbers
}

function differs({ message, expected, found }: Difference): LedgerError {
  const details = { ...(expected === undefined ? {} : { expected }), ...(found === undefined ? {} : { found }) }
  return new LedgerError('LEDGER_CORRUPT', message, details)
}

function wrong(why: string): LedgerError {
  return new LedgerError('LEDGER_CORRUPT', why)
}
