import { equalBytes, hexEncode } from '@touchmark/encoding'
import { TILE_HEIGHT, TILE_WIDTH } from '@touchmark/tlog'
import { foldHashes, joinHashes } from '../hash/fold.js'
import { hashDiffers, tileDiffers, type Blame, type TileDifference } from './difference.js'

const HASH_BYTES = 32

/** Reads a stored tile above level 0. */
export type ReadTile = (level: number, index: bigint, width: number) => Promise<Uint8Array | undefined>

/** What the edge tells about differences. */
export interface EdgeReport {
  add(difference: TileDifference): void
  /** The hash above a tile has been compared: it speaks against the tile, or against what is below it. */
  blame(level: number, index: bigint, blame: Blame): void
}

/** A tile that is being filled; `stored` has the hashes that would be there if lower tiles were right as they are stored. */
export interface OpenTile {
  readonly hashes: Buffer
  count: number
  readonly stored: Map<number, Uint8Array>
}

/**
 * The right edge of a tree that is rebuilt from its level-0 tiles: one tile being filled for each level above. A tile that is full is compared with
 * the stored one, folded, and forgotten: what is held does not grow with the tree.
 */
export class UpperEdge {
  readonly #read: ReadTile
  readonly #report: EdgeReport
  /** levels[0] is level 1. */
  readonly levels: OpenTile[]
  /** Full level-0 tiles that were pushed. */
  tiles: bigint
  /** Tiles above level 0 that were compared. */
  compared = 0

  constructor(
    read: ReadTile,
    report: EdgeReport,
    at: { tiles: bigint; levels: OpenTile[] } = { tiles: 0n, levels: [] },
  ) {
    this.#read = read
    this.#report = report
    this.tiles = at.tiles
    this.levels = at.levels
  }

  /** Adds the root of the next full level-0 tile, and that of the tile as it is stored where it is another. */
  async push(root: Uint8Array, stored?: Uint8Array): Promise<void> {
    await this.#push(1, this.tiles, root, stored)
    this.tiles++
  }

  /**
   * Compares the partial tiles and makes the root of the tree. `leaves` are the hashes of the partial level-0 tile, none when the last one is full.
   * Gives the root and the frontier, largest subtree first.
   */
  async finish(
    leaves: Uint8Array,
    storedLeaves: Uint8Array | undefined,
    signedRoot: Uint8Array,
  ): Promise<{ root: Uint8Array; frontier: Uint8Array }> {
    const edge = [{ chosen: leaves, stored: storedLeaves }]
    for (const [i, open] of this.levels.entries()) {
      const { chosen, stored } =
        open.count === 0
          ? { chosen: new Uint8Array(0), stored: undefined }
          : await this.#compare(i + 1, this.#indexOf(i + 1), open)
      edge.push({ chosen, stored })
    }
    const rebuilt = rootOf(edge.map(({ chosen }) => chosen))
    if (equalBytes(rebuilt.root, signedRoot)) {
      this.#blameEdge(edge, 'tile')
      return rebuilt
    }
    // The signed root may be that of the tiles as they are stored: then it is what lies below them that was changed.
    const asStored = rootOf(edge.map(({ chosen, stored }) => stored ?? chosen))
    if (!equalBytes(asStored.root, signedRoot)) return rebuilt
    this.#blameEdge(edge, 'entry')
    return asStored
  }

  #blameEdge(edge: readonly { stored: Uint8Array | undefined }[], blame: Blame): void {
    for (const [level, { stored }] of edge.entries()) {
      if (stored === undefined) continue
      this.#report.blame(level, level === 0 ? this.tiles : this.#indexOf(level), blame)
      const open = this.levels[level - 1]
      for (const slot of open?.stored.keys() ?? []) {
        this.#report.blame(level - 1, this.#indexOf(level) * BigInt(TILE_WIDTH) + BigInt(slot), blame)
      }
    }
  }

  /** Index of the tile that is being filled at a level. */
  #indexOf(level: number): bigint {
    return this.tiles >> BigInt(TILE_HEIGHT * level)
  }

  async #push(level: number, place: bigint, hash: Uint8Array, stored: Uint8Array | undefined): Promise<void> {
    const open = (this.levels[level - 1] ??= {
      hashes: Buffer.alloc(TILE_WIDTH * HASH_BYTES),
      count: 0,
      stored: new Map(),
    })
    open.hashes.set(hash, open.count * HASH_BYTES)
    if (stored) open.stored.set(open.count, stored)
    open.count++
    if (open.count < TILE_WIDTH) return
    const index = place >> BigInt(TILE_HEIGHT)
    const compared = await this.#compare(level, index, open)
    open.count = 0
    open.stored.clear()
    const above = compared.stored && foldHashes(compared.stored, 0, TILE_WIDTH)
    await this.#push(level + 1, index, foldHashes(compared.chosen, 0, TILE_WIDTH), above)
  }

  /**
   * Compares a tile with the stored one. `chosen` are the hashes to go on with, `stored` those of the storage where they are others still.
   * A hash of the storage that is the root of a lower tile as it is stored is gone on with: one byte that was changed is then one difference, not one a level.
   */
  async #compare(
    level: number,
    index: bigint,
    open: OpenTile,
  ): Promise<{ chosen: Uint8Array; stored: Uint8Array | undefined }> {
    const width = open.count
    const chosen = open.hashes.subarray(0, width * HASH_BYTES)
    const found = await this.#read(level, index, width)
    this.compared++
    const lengthDiffers = tileDiffers({ level, index, width }, found)
    if (lengthDiffers) this.#report.add(lengthDiffers)
    const known = Math.min(width, Math.floor((found?.length ?? 0) / HASH_BYTES))
    const asStored = Buffer.from(chosen)
    for (const [slot, hash] of open.stored) asStored.set(hash, slot * HASH_BYTES)
    let same = open.stored.size === 0 || known === width
    for (let slot = 0; slot < known; slot++) {
      const at = slot * HASH_BYTES
      const stored = found!.subarray(at, at + HASH_BYTES)
      const lower = open.stored.get(slot)
      const below = [level - 1, index * BigInt(TILE_WIDTH) + BigInt(slot)] as const
      asStored.set(stored, at)
      if (equalBytes(stored, chosen.subarray(at, at + HASH_BYTES))) {
        if (lower) this.#report.blame(...below, 'tile')
      } else if (lower && equalBytes(stored, lower)) {
        this.#report.blame(...below, 'entry')
        chosen.set(stored, at)
      } else {
        same = false
        this.#report.add(hashDiffers({ level, index, width, slot }, chosen.subarray(at, at + HASH_BYTES), stored))
      }
    }
    return { chosen: Buffer.from(chosen), stored: same ? undefined : asStored }
  }
}

/** The root and the frontier of a tree out of the open tile of each level, level 0 first. */
function rootOf(levels: readonly Uint8Array[]): { root: Uint8Array; frontier: Uint8Array } {
  let root: Uint8Array | undefined
  const frontier: Uint8Array[] = []
  for (const hashes of levels) {
    let end = hashes.length / HASH_BYTES
    for (let count = 1; end > 0; count *= 2) {
      if ((end & count) === 0) continue
      end -= count
      const node = foldHashes(hashes, end, count)
      root = root === undefined ? node : joinHashes(node, root)
      frontier.unshift(node)
    }
  }
  return { root: root ?? new Uint8Array(0), frontier: Buffer.concat(frontier) }
}

/** The root that was signed is not that of the entries. */
export function rootDiffers(size: bigint, expected: Uint8Array, found: Uint8Array) {
  const message = `the signed root is not that of the ${size} entries`
  return { kind: 'root', message, expected: hexEncode(expected), found: hexEncode(found) } as const
}
