import { equalBytes, hexEncode } from '@touchmark/encoding'
import { TILE_WIDTH, tilePath } from '@touchmark/tlog'
import { hashDiffers, tileDiffers, type TileDifference } from '../check/difference.js'
import type { LeafTile, PackedEntries } from '../source/log-source.js'
import { foldHashes, hashInto } from './fold.js'

export interface LeafTask extends LeafTile {
  /** Index of the tile. */
  readonly index: bigint
  /** Hashes it should have. */
  readonly width: number
}

/** Hashes rebuilt from entries, and those of the tile where they differ: whole up to the edge, folded to one when the tile is full. */
export interface LeafResult {
  readonly hashes: Uint8Array
  readonly stored?: Uint8Array
  readonly differences: readonly TileDifference[]
  readonly bytes: number
}

const HASH_BYTES = 32

/** Hashes every entry of a tile and compares with it. The bytes of the entries are written over. */
export function checkLeafTile(task: LeafTask): LeafResult {
  const { index, width, entries } = task
  const hashes = Buffer.alloc(width * HASH_BYTES)
  const differences: TileDifference[] = []
  const lengthDiffers = tileDiffers({ level: 0, index, width }, task.tile)
  if (lengthDiffers) differences.push(lengthDiffers)
  const tile = task.tile?.subarray(0, width * HASH_BYTES) ?? new Uint8Array(0)
  const found = entries === undefined ? new Set<number>() : hashEntries(entries, hashes, task, differences)
  const known = Math.min(width, Math.floor(tile.length / HASH_BYTES))
  let same = true
  const asStored = found.size === width && tile.length === hashes.length && hashes.equals(tile)
  for (let slot = 0; slot < width && !asStored; slot++) {
    const at = slot * HASH_BYTES
    const stored = slot < known ? tile.subarray(at, at + HASH_BYTES) : undefined
    if (!found.has(slot)) {
      differences.push(missing(task, slot))
      // The tile is all that is known of it: taken over, so that one missing entry is one difference.
      if (stored) hashes.set(stored, at)
      continue
    }
    const hash = hashes.subarray(at, at + HASH_BYTES)
    if (stored === undefined || equalBytes(hash, stored)) continue
    same = false
    differences.push(hashDiffers({ level: 0, index, width, slot }, hash, stored))
  }
  const bytes = entries?.bytes.length ?? 0
  const fold = (all: Uint8Array): Uint8Array => (width === TILE_WIDTH ? foldHashes(all, 0, TILE_WIDTH) : all.slice())
  return { hashes: fold(hashes), differences, bytes, ...(same || known < width ? {} : { stored: fold(tile) }) }
}

/** Hashes what is there into its places; says which those are. */
function hashEntries(
  entries: PackedEntries,
  hashes: Buffer,
  task: LeafTask,
  differences: TileDifference[],
): Set<number> {
  const { bytes, lengthBytes, places } = entries
  const unindexed = new Set(entries.unindexed)
  const found = new Set<number>()
  let at = 0
  let n = 0
  for (; n < task.width && at < bytes.length; n++) {
    const end = at + lengthBytes
    if (end > bytes.length) break
    const length = lengthBytes === 2 ? (bytes[at]! << 8) | bytes[at + 1]! : readUint32(bytes, at)
    if (end + length > bytes.length) break
    // The last byte of the length becomes the prefix of a leaf (RFC 6962 §2.1): nothing has to be copied.
    bytes[end - 1] = 0
    const slot = places === undefined ? n : places[n]!
    hashInto(bytes.subarray(end - 1, end + length), hashes, slot * HASH_BYTES)
    found.add(slot)
    const hash = hashes.subarray(slot * HASH_BYTES, (slot + 1) * HASH_BYTES)
    const beside = entries.leafHashes?.subarray(n * HASH_BYTES, (n + 1) * HASH_BYTES)
    if (beside && !equalBytes(beside, hash)) differences.push(besideDiffers(task, slot, hash, beside))
    if (unindexed.has(slot)) differences.push(notIndexed(task, slot, hash))
    at = end + length
  }
  if (at < bytes.length && !(n === task.width && entries.mayHaveMore === true)) differences.push(badBundle(task, n))
  return found
}

function readUint32(bytes: Uint8Array, at: number): number {
  return bytes[at]! * 2 ** 24 + ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!)
}

function placeOf(task: LeafTask, slot: number): { entry: bigint; level: 0; index: bigint } {
  return { entry: task.index * BigInt(TILE_WIDTH) + BigInt(slot), level: 0, index: task.index }
}

function placeInBundle(task: LeafTask, slot: number): ReturnType<typeof placeOf> & { path: string } {
  return { ...placeOf(task, slot), path: tilePath('entries', task.index, task.width) }
}

function missing(task: LeafTask, slot: number): TileDifference {
  const place = placeInBundle(task, slot)
  return { kind: 'entry', message: `entry ${place.entry} is missing (${place.path})`, blame: 'entry', ...place }
}

function badBundle(task: LeafTask, read: number): TileDifference {
  const place = placeInBundle(task, read)
  if (read < task.width) {
    return { kind: 'entry', message: `${place.path} ends inside entry ${place.entry}`, blame: 'entry', ...place }
  }
  return { kind: 'extra', message: `${place.path} goes on behind its last entry`, blame: 'entry', ...place }
}

function besideDiffers(task: LeafTask, slot: number, hash: Uint8Array, beside: Uint8Array): TileDifference {
  const place = placeOf(task, slot)
  const message = `the leaf hash stored beside entry ${place.entry} is not that of its bytes`
  const inTile = task.tile?.subarray(slot * HASH_BYTES, (slot + 1) * HASH_BYTES)
  // Beside and tile agree: it is the bytes that were changed.
  const blame = inTile && equalBytes(inTile, beside) ? ({ blame: 'entry' } as const) : {}
  return { kind: 'leaf-hash', message, expected: hexEncode(hash), found: hexEncode(beside), ...blame, ...place }
}

function notIndexed(task: LeafTask, slot: number, hash: Uint8Array): TileDifference {
  const place = placeOf(task, slot)
  return {
    kind: 'index',
    message: `entry ${place.entry} is not found by its leaf hash`,
    found: hexEncode(hash),
    ...place,
  }
}
