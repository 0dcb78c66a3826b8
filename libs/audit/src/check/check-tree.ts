import { equalBytes } from '@touchmark/encoding'
import { TILE_WIDTH } from '@touchmark/tlog'
import type { Hasher } from '../hash/hasher.js'
import type { LeafResult } from '../hash/leaf-tile.js'
import type { LogSource } from '../source/log-source.js'
import { isInTile, type Blame, type Difference } from './difference.js'
import { UpperEdge, rootDiffers, type OpenTile } from './upper-edge.js'

/** How far a check is. */
export interface CheckProgress {
  readonly entries: bigint
  readonly size: bigint
  readonly bytes: bigint
  readonly differences: number
}

/** A check that was interrupted: the right edge of what was rebuilt, and what was found. */
export interface CheckState {
  /** Full level-0 tiles that are done. */
  readonly tiles: bigint
  readonly levels: readonly OpenTile[]
  readonly bytes: bigint
  readonly tilesCompared: number
  readonly differences: readonly Difference[]
  readonly unlisted: number
}

export interface CheckTreeOptions {
  readonly source: LogSource
  readonly hasher: Hasher
  /** What the log's signed checkpoint says. */
  readonly size: bigint
  readonly root: Uint8Array
  readonly from?: CheckState
  /** Differences that are listed (default 1,000); the others are counted. */
  readonly maxDifferences?: number
  /** Called after every read; nothing goes on before it resolves. `state` gives what a later check can begin with. */
  onProgress?(progress: CheckProgress, state: () => CheckState): void | Promise<void>
  readonly signal?: AbortSignal
}

export interface TreeReport {
  readonly size: bigint
  readonly bytes: bigint
  /** Tiles that were compared, of every level. */
  readonly tiles: number
  /** Root and frontier as they follow from what is stored. */
  readonly root: Uint8Array
  readonly frontier: Uint8Array
  readonly differences: readonly Difference[]
  /** Differences beyond those that are listed. */
  readonly unlisted: number
}

/** Differences as they are found; whom they speak against is filled in when the tile above has been compared. */
class Differences {
  readonly listed: Difference[]
  readonly #max: number
  unlisted: number

  constructor(max: number, listed: readonly Difference[], unlisted: number) {
    this.#max = max
    this.listed = [...listed]
    this.unlisted = unlisted
  }

  add(difference: Difference): void {
    if (this.listed.length < this.#max) this.listed.push(difference)
    else this.unlisted++
  }

  blame(level: number, index: bigint, blame: Blame): void {
    for (const [i, known] of this.listed.entries()) {
      if (!isInTile(known) || known.level !== level || known.index !== index || known.blame !== undefined) continue
      if (known.kind === 'tile' || known.kind === 'entry') this.listed[i] = { ...known, blame }
    }
  }
}

/**
 * Rebuilds a tree from its entries and compares it, tile by tile, with what is stored and with the signed root. What differs is listed, not thrown;
 * what cannot be read is thrown. Memory is bounded: a window of reads, and one tile a level.
 */
export async function checkTree(options: CheckTreeOptions): Promise<TreeReport> {
  const { source, size, root, from, signal } = options
  const found = new Differences(options.maxDifferences ?? 1000, from?.differences ?? [], from?.unlisted ?? 0)
  const levels = (from?.levels ?? []).map(({ hashes, count, stored }) => ({
    hashes: Buffer.from(hashes),
    count,
    stored: new Map(stored),
  }))
  const edge = new UpperEdge((level, index, width) => source.tile(level, index, width), found, {
    tiles: from?.tiles ?? 0n,
    levels,
  })
  edge.compared = from?.tilesCompared ?? 0
  let bytes = from?.bytes ?? 0n
  const take = (result: LeafResult): void => {
    bytes += BigInt(result.bytes)
    edge.compared++
    for (const difference of result.differences) found.add(difference)
  }
  const state = (): CheckState => ({
    tiles: edge.tiles,
    levels: edge.levels,
    bytes,
    tilesCompared: edge.compared,
    differences: found.listed,
    unlisted: found.unlisted,
  })
  const progress = async (): Promise<void> => {
    const entries = edge.tiles * BigInt(TILE_WIDTH)
    await options.onProgress?.({ entries, size, bytes, differences: found.listed.length + found.unlisted }, state)
  }
  const full = size / BigInt(TILE_WIDTH)
  for await (const results of readAhead(options, edge.tiles, full)) {
    for (const result of results) {
      take(result)
      await edge.push(result.hashes, result.stored)
    }
    await progress()
    signal?.throwIfAborted()
  }
  const rest = Number(size % BigInt(TILE_WIDTH))
  const [last] = rest === 0 ? [] : await readAndHash(options, full, 1, rest)
  if (last) take(last)
  const rebuilt = await edge.finish(last?.hashes ?? new Uint8Array(0), last?.stored, root)
  if (!equalBytes(rebuilt.root, root)) found.add(rootDiffers(size, rebuilt.root, root))
  const { listed: differences, unlisted } = found
  return { size, bytes, tiles: edge.compared, ...rebuilt, differences, unlisted }
}

/** Reads and hashes ahead of who asks, so many reads at once, and gives the results in order. */
async function* readAhead(options: CheckTreeOptions, from: bigint, until: bigint): AsyncGenerator<LeafResult[]> {
  const { tilesPerRead, parallelReads } = options.source
  const running: Promise<LeafResult[]>[] = []
  let next = from
  while (next < until || running.length > 0) {
    while (next < until && running.length < parallelReads) {
      const count = Number(until - next < BigInt(tilesPerRead) ? until - next : BigInt(tilesPerRead))
      const reading = readAndHash(options, next, count, TILE_WIDTH)
      // Who fails first is heard when its turn comes; the others must not be unhandled meanwhile.
      reading.catch(() => undefined)
      running.push(reading)
      next += BigInt(count)
    }
    yield await running.shift()!
  }
}

async function readAndHash(
  { source, hasher }: CheckTreeOptions,
  first: bigint,
  count: number,
  lastWidth: number,
): Promise<LeafResult[]> {
  const results: Promise<LeafResult>[] = []
  let index = first
  for await (const leaf of source.read(first, count, lastWidth)) {
    const width = index === first + BigInt(count) - 1n ? lastWidth : TILE_WIDTH
    // One tile is hashed while the next is read; not more, so that memory stays bounded.
    if (results.length > 1) await results.at(-2)
    const checking = hasher.check({ ...leaf, index, width })
    checking.catch(() => undefined)
    results.push(checking)
    index++
  }
  return Promise.all(results)
}
