import type { Log } from '@touchmark/ledger'

/** Makes a signature without checking it: its receiver does. Throws when the key cannot be used. */
export type SignEntry = (message: Uint8Array) => Uint8Array | Promise<Uint8Array>

/** A tree of API v1. */
export interface V1Tree {
  /** Positive, below 2^63; also the end of its origin. */
  readonly treeId: bigint
  readonly log: Log
  /** Signs the timestamps of its entries, with the key of the log. */
  readonly signEntry: SignEntry
}

/** The trees of API v1 that are served together: one active, the rest read only. Which there are may change while requests run. */
export interface V1Trees {
  /** Oldest first; the last one takes entries. Never empty. */
  trees(): readonly V1Tree[]
  /** Finds out now which trees there are; never rejects. Left out where they do not change. */
  refresh?(): Promise<void>
}

const ORIGIN = / - ([1-9][0-9]{0,18})$/
const MAX_TREE_ID = (1n << 63n) - 1n

/** The id of a new tree with this log id: no two keys have the same, and no process has to be asked for it. */
export function treeIdOf(logId: Uint8Array): bigint {
  const bytes = new DataView(logId.buffer, logId.byteOffset, logId.byteLength)
  return bytes.getBigUint64(0) & MAX_TREE_ID || 1n
}

/** The first line of a tree's checkpoints (log-v1.md §5). */
export function v1Origin(hostName: string, treeId: bigint): string {
  return `${hostName} - ${treeId}`
}

/** The tree id in an origin; undefined when it is none of API v1. */
export function treeIdOfOrigin(origin: string): bigint | undefined {
  const text = ORIGIN.exec(origin)?.[1]
  const id = text === undefined ? undefined : BigInt(text)
  return id !== undefined && id <= MAX_TREE_ID ? id : undefined
}
