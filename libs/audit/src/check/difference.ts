import { hexEncode } from '@touchmark/encoding'
import { tilePath } from '@touchmark/tlog'

/** What is not as it should be. */
export type DifferenceKind =
  /** The signed checkpoint: its form, origin, key or signature, or its size and root against the row beside it. */
  | 'checkpoint'
  /** The signed tree head of a certificate log. */
  | 'tree-head'
  /** The key that the tree is bound to is not there. */
  | 'key'
  /** The root over all entries is not the one that was signed. */
  | 'root'
  | 'frontier'
  /** An entry is missing, or its bytes are not what the tree holds. */
  | 'entry'
  /** The leaf hash stored beside an entry is not that of its bytes. */
  | 'leaf-hash'
  /** An entry is not found by its hash. */
  | 'index'
  /** A tile is missing, short, or has another hash than what lies below it. */
  | 'tile'
  /** Something is stored beyond the end of the tree. */
  | 'extra'

/** Which side of a difference the rest of the tree speaks against. */
export type Blame = 'entry' | 'tile'

/** One difference, named as exactly as what is stored allows. */
export interface Difference {
  readonly kind: DifferenceKind
  /** One sentence. */
  readonly message: string
  /** Path of the tile or entry bundle, where one is concerned. */
  readonly path?: string
  /** Index of the entry; for a tile above level 0 the first entry below the hash. */
  readonly entry?: bigint
  /** Hashes in hex, or what else was expected and found. */
  readonly expected?: string
  readonly found?: string
  /** Missing while nothing above has been compared, and where the tree speaks against both. */
  readonly blame?: Blame
}

/** A difference inside a tile; the hash above it decides later whom to blame. */
export interface TileDifference extends Difference {
  readonly level: number
  readonly index: bigint
}

export function isInTile(difference: Difference): difference is TileDifference {
  return 'level' in difference
}

/** The hash at `slot` of a tile, as rebuilt from what is below it and as stored. */
export function hashDiffers(
  place: { level: number; index: bigint; width: number; slot: number },
  expected: Uint8Array,
  found: Uint8Array,
): TileDifference {
  const { level, index, width, slot } = place
  const path = tilePath(level, index, width)
  const entry = (index * 256n + BigInt(slot)) << BigInt(8 * level)
  const message =
    level === 0
      ? `entry ${entry} does not hash to its place in ${path} (hash ${slot})`
      : `hash ${slot} of ${path} is not that of ${tilePath(level - 1, index * 256n + BigInt(slot))}, below which lie the entries from ${entry}`
  const hashes = { expected: hexEncode(expected), found: hexEncode(found) }
  return { kind: level === 0 ? 'entry' : 'tile', message, path, entry, ...hashes, level, index }
}

/** A whole tile that is not there, or has another length. */
export function tileDiffers(
  place: { level: number; index: bigint; width: number },
  stored: Uint8Array | undefined,
): TileDifference | undefined {
  const { level, index, width } = place
  const path = tilePath(level, index, width)
  const at = { kind: 'tile', path, entry: (index * 256n) << BigInt(8 * level), level, index, blame: 'tile' } as const
  if (stored === undefined) return { ...at, message: `${path} is missing` }
  if (stored.length === width * 32) return undefined
  const counts = { expected: `${width * 32} bytes`, found: `${stored.length} bytes` }
  return { ...at, message: `${path} has ${stored.length / 32} hashes, not ${width}`, ...counts }
}
