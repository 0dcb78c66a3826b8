/** The entries of one tile, packed behind each other: a big-endian length of 2 or 4 bytes, then the body. */
export interface PackedEntries {
  readonly lengthBytes: 2 | 4
  readonly bytes: Uint8Array
  /** True for what was cut from more than was asked for: what follows is not looked at. */
  readonly mayHaveMore?: boolean
  /** Where entries are missing between others: the place of each that is there. Else they are 0, 1, 2 … */
  readonly places?: readonly number[]
  /** The leaf hashes stored beside them, 32 bytes each, in the same order. */
  readonly leafHashes?: Uint8Array
  /** Places of the entries that the index of leaf hashes does not lead to. */
  readonly unindexed?: readonly number[]
}

/** What is stored for up to 256 entries. The bytes are handed over: whoever gives them MUST NOT use them again. */
export interface LeafTile {
  readonly entries: PackedEntries | undefined
  readonly tile: Uint8Array | undefined
}

/** A log to be checked: its tiles and entries, as some storage or service has them. What is not there is undefined; what cannot be asked throws. */
export interface LogSource {
  /** Tiles that one read should ask for. */
  readonly tilesPerRead: number
  /** Reads that may run at once. */
  readonly parallelReads: number
  /** The level-0 tiles from `first` on with their entries, in order; the last has `lastWidth` hashes. */
  read(first: bigint, count: number, lastWidth: number): AsyncIterable<LeafTile>
  /** A tile above level 0. */
  tile(level: number, index: bigint, width: number): Promise<Uint8Array | undefined>
}
