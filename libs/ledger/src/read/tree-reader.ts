import {
  HASH_BYTES,
  assembleProof,
  planConsistency,
  planInclusion,
  verifyInclusion,
  type ProofPlan,
} from '@touchmark/merkle'
import { placeOfNode } from '@touchmark/tlog'
import { PostgresError, type Database } from '@touchmark/postgres'
import { nodeSource, type TreeEdge } from '../append/growth.js'
import { TileNodes, tileKey } from '../append/tile-nodes.js'
import { LedgerError } from '../errors.js'
import { verifyHead } from '../open/verify-head.js'
import { sha256 } from '../sha256.js'
import { findIndex, readEntries, readTiles } from '../store/read-tree.js'
import { readTreeRow } from '../store/tree-row.js'
import type { TreeMemory } from '../tree-memory.js'
import { StaticFiles } from './static-files.js'
import { MAX_BYTES_PER_READ, MAX_ENTRIES_PER_READ, type LeafData, type LogHead } from '../types.js'

interface TileName {
  readonly level: number
  readonly index: bigint
}

/** Reads of one tree. Tiles come from memory where they are there, and once from the database where they are not. */
export class TreeReader {
  readonly #db: Database
  readonly #memory: TreeMemory
  readonly #files: StaticFiles
  #reading: Promise<LogHead> | undefined

  constructor(db: Database, memory: TreeMemory) {
    this.#db = db
    this.#memory = memory
    this.#files = new StaticFiles(db, memory)
  }

  /** The newest committed head; the one known when the database does not answer. */
  checkpoint(): Promise<LogHead> {
    this.#reading ??= this.#readHead().finally(() => (this.#reading = undefined))
    return this.#reading
  }

  tile(level: number, index: bigint, width: number): Promise<Uint8Array | undefined> {
    return this.#files.tile(level, index, width)
  }

  entryBundle(index: bigint, width: number): Promise<Uint8Array | undefined> {
    return this.#files.entryBundle(index, width)
  }

  async entries(start: bigint, end: bigint): Promise<LeafData[]> {
    if (start < 0n || end < start)
      throw new LedgerError('LEDGER_RANGE_INVALID', `there are no entries ${start} to ${end}`)
    const limit = start + BigInt(MAX_ENTRIES_PER_READ)
    const until = end < limit ? end : limit
    if (until === start || start >= 1n << 62n) return []
    return this.#db.withClient((client) =>
      readEntries(client, this.#memory.identity.id, start, until, MAX_BYTES_PER_READ),
    )
  }

  async indexOf(leafHash: Uint8Array): Promise<bigint | undefined> {
    return this.#db.withClient((client) => findIndex(client, this.#memory.identity.id, leafHash))
  }

  async inclusionProof(index: bigint, size: bigint): Promise<Uint8Array[]> {
    await this.#assertSize(size)
    if (index < 0n || index >= size) {
      throw new LedgerError('LEDGER_RANGE_INVALID', `a tree of ${size} entries has no entry ${index}`)
    }
    const [proof] = await this.#assemble(size, [planInclusion(index, size)])
    return proof!
  }

  async consistencyProof(first: bigint, second: bigint): Promise<Uint8Array[]> {
    await this.#assertSize(second)
    if (first < 0n || first > second) {
      throw new LedgerError('LEDGER_RANGE_INVALID', `a tree of ${second} entries has no earlier size ${first}`)
    }
    const [proof] = await this.#assemble(second, [planConsistency(first, second)])
    return proof!
  }

  /** Proofs of several entries under one committed head, each verified before it is given away. Throws LEDGER_CORRUPT. */
  async provenUnder(
    head: LogHead,
    entries: readonly { index: bigint; leafHash: Uint8Array }[],
  ): Promise<Uint8Array[][]> {
    const plans = entries.map(({ index }) => planInclusion(index, head.size))
    const proofs = await this.#assemble(head.size, plans)
    for (const [i, { index, leafHash }] of entries.entries()) {
      try {
        verifyInclusion({ leafHash, index, size: head.size, root: head.root, proof: proofs[i]!, sha256 })
      } catch (cause) {
        throw new LedgerError('LEDGER_CORRUPT', `the stored tiles do not prove entry ${index}`, { cause })
      }
    }
    return proofs
  }

  async #assemble(size: bigint, plans: readonly ProofPlan[]): Promise<Uint8Array[][]> {
    const wanted = new Map<string, TileName>()
    for (const id of plans.flat(2)) {
      const place = placeOfNode(id)
      wanted.set(tileKey(place.level, place.index), place)
    }
    const tiles = await this.#tiles([...wanted.values()], (edge) => edge.range.size >= size)
    const source = nodeSource(tiles.values())
    try {
      return plans.map((plan) => assembleProof(plan, source, sha256))
    } catch (cause) {
      throw new LedgerError('LEDGER_CORRUPT', `the stored tiles do not reach to size ${size}`, { cause })
    }
  }

  /** The tiles, from the edge when that reaches far enough, the cache or, all that is left in one statement, the database. */
  async #tiles(wanted: readonly TileName[], reaches: (edge: TreeEdge) => boolean): Promise<Map<string, TileNodes>> {
    const tiles = new Map<string, TileNodes>()
    const missing: TileName[] = []
    const { edge } = this.#memory
    for (const { level, index } of wanted) {
      const key = tileKey(level, index)
      const last = edge.tiles[level]
      const atEdge = last?.index === index && (last.isFull || reaches(edge)) ? last : undefined
      const tile = atEdge ?? this.#memory.fullTiles.get(key)
      if (tile) tiles.set(key, tile)
      else missing.push({ level, index })
    }
    if (missing.length === 0) return tiles
    const stored = await this.#db.withClient((client) => readTiles(client, this.#memory.identity.id, missing))
    for (const { level, index, hashes } of stored) {
      if (hashes.length === 0 || hashes.length % HASH_BYTES !== 0) {
        throw new LedgerError('LEDGER_CORRUPT', `the tile ${index} of level ${level} has ${hashes.length} bytes`)
      }
      const tile = TileNodes.fromHashes(level, index, hashes)
      this.#memory.keepFull(tile)
      tiles.set(tile.key, tile)
    }
    return tiles
  }

  async #assertSize(size: bigint): Promise<void> {
    if (size > this.#memory.newest.size) await this.checkpoint()
    if (size < 0n || size > this.#memory.newest.size) {
      throw new LedgerError('LEDGER_RANGE_INVALID', `the tree has ${this.#memory.newest.size} entries, not ${size}`)
    }
  }

  async #readHead(): Promise<LogHead> {
    const memory = this.#memory
    const before = memory.newest
    let row
    try {
      row = await this.#db.withClient((client) => readTreeRow(client, memory.identity.id))
    } catch (error) {
      // Writing needs the database; a commitment that was made stays one without it.
      if (error instanceof PostgresError) return memory.newest
      throw error
    }
    if (row.head.note !== memory.newest.note) verifyHead(memory.identity, row.head)
    memory.see(row.head, before)
    memory.state = row.state
    return memory.newest
  }
}
