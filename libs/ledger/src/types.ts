import type { Clock } from '@touchmark/clock'
import type { PublicKey, Signer } from '@touchmark/crypto'
import type { Database } from '@touchmark/postgres'
import type { HeadGuard } from './guard/head-guard.js'
import type { LedgerObserver } from './observe.js'

/** What a tree holds: entries of API v2, of API v1, or RFC 6962 leaves. */
export type LogKind = 'signature-v2' | 'signature-v1' | 'certificate'

/** A frozen tree is read only, for ever. */
export type LogState = 'active' | 'frozen'

/** An entry to append. */
export interface NewEntry {
  /** The leaf bytes: hashed, stored and served as they are. For a certificate log an RFC 6962 MerkleTreeLeaf. */
  readonly body: Uint8Array
  /** Kept beside the entry and not hashed: the chain of a certificate log. */
  readonly extra?: Uint8Array
}

/** An entry as it is stored. */
export interface LeafData {
  readonly index: bigint
  readonly leafHash: Uint8Array
  readonly body: Uint8Array
  readonly extra?: Uint8Array
}

/** An inclusion proof under a committed checkpoint. */
export interface EntryProof {
  readonly size: bigint
  readonly root: Uint8Array
  /** Leaf side first. */
  readonly hashes: readonly Uint8Array[]
  /** The signed note, of exactly this size and root. */
  readonly checkpoint: string
}

export interface AppendedEntry {
  readonly index: bigint
  /** The bytes that are stored. */
  readonly body: Uint8Array
  /** True when an equal entry was there before this one. */
  readonly duplicate: boolean
  readonly proof: EntryProof
}

/** RFC 6962 §3.5: what a certificate log signs beside its checkpoint, over the same size and root. */
export interface SignedTreeHead {
  /** Milliseconds since 1970; never goes back, and is no earlier than the SCT of any entry below it. */
  readonly timestamp: bigint
  /** DigitallySigned (RFC 5246 §4.7): 04 03, a u16 length, the DER signature. */
  readonly signature: Uint8Array
}

/** A committed head of the tree. */
export interface LogHead {
  readonly size: bigint
  readonly root: Uint8Array
  /** The signed checkpoint. */
  readonly note: string
  /** When it was signed. */
  readonly at: Date
  /** Certificate logs only. */
  readonly treeHead?: SignedTreeHead
}

export interface BatchLimits {
  /** Entries in one transaction (default 512). */
  readonly maxEntries: number
  /** Bytes of bodies and extras in one transaction (default 4 MiB); one entry may exceed it alone. */
  readonly maxBytes: number
  /** How long an entry may wait for company while others are known to come (default 3). A lone entry does not wait. */
  readonly maxAgeMs: number
}

export interface AppendOptions {
  /** Takes the entry out of the queue while it still waits for its batch. Once in a batch it is appended whatever happens to the caller. */
  readonly signal?: AbortSignal
}

export interface OpenLogOptions {
  readonly db: Database
  readonly kind: LogKind
  /** First line of every checkpoint; names the tree in the database. An API v1 log's is `<host name> - <tree id>`. */
  readonly origin: string
  readonly signer: Signer
  readonly clock: Clock
  readonly batch?: Partial<BatchLimits>
  /** Entries accepted and not yet answered (default 4,096); the next caller gets LEDGER_PUSHBACK. */
  readonly maxWaiting?: number
  /** The same in bytes (default 64 MiB). */
  readonly maxWaitingBytes?: number
  /** Entries that are in the tree already, accepted and not yet answered (default 4,096): a bound of their own, so that they take no place from new ones. */
  readonly maxDuplicates?: number
  /** How long the signer may take while the tree's row is locked (default 3,000; 4,000 at most). */
  readonly signDeadlineMs?: number
  /** The first entry of a new tree. A signature-v2 log makes its own when the key allows. */
  readonly genesis?: NewEntry
  /** Keeps the newest checkpoint outside of the database; without one, a database that went back while no process ran is not recognised. */
  readonly guard?: HeadGuard
  readonly observe?: LedgerObserver
}

/**
 * One tree. Any number of processes may have the same one open.
 */
export interface Log {
  readonly kind: LogKind
  readonly origin: string
  readonly publicKey: PublicKey
  /** 32 bytes; the first 4 are the key id in checkpoints. */
  readonly logId: Uint8Array

  /**
   * Appends an entry, or finds the equal one that is there, and proves it.
   * When it resolves the entry is durable and under the checkpoint that comes with it; callers MUST NOT answer before.
   * Throws LEDGER_ENTRY_TOO_LARGE, LEDGER_ENTRY_INVALID, LEDGER_PUSHBACK (with retryAfterSeconds), LEDGER_FROZEN, LEDGER_CLOSED, LEDGER_CANCELLED;
   * LEDGER_UNAVAILABLE or LEDGER_SIGNER_FAILED when nothing was stored; LEDGER_STATE_UNKNOWN when that could not be found out: a retry finds out.
   */
  append(entry: NewEntry, options?: AppendOptions): Promise<AppendedEntry>

  /** The newest committed head. Never older than one this process has answered with. */
  checkpoint(): Promise<LogHead>
  /** Signs the head that is there again, with the time of now: for readers who distrust an old signature. */
  resign(): Promise<LogHead>
  /** active or frozen, as last read. */
  readonly state: LogState
  /** The error that stopped this log, if one did. */
  readonly failure: Error | undefined

  /** Bytes of a tile, or undefined when the tree does not reach that far. A partial tile is a prefix of the current one. */
  tile(level: number, index: bigint, width: number): Promise<Uint8Array | undefined>
  /**
   * Bytes of an entry bundle, or undefined when the tree does not reach that far.
   * Throws TLOG_ENTRY_BUNDLE_INVALID for entries of a certificate log that are longer than a bundle can hold.
   */
  entryBundle(index: bigint, width: number): Promise<Uint8Array | undefined>
  /** Entries from `start` up to but not including `end`, at most {@link MAX_ENTRIES_PER_READ} and about {@link MAX_BYTES_PER_READ}; what is beyond the tree is left out. */
  entries(start: bigint, end: bigint): Promise<LeafData[]>
  indexOf(leafHash: Uint8Array): Promise<bigint | undefined>
  /** Leaf side first. Throws LEDGER_RANGE_INVALID. */
  inclusionProof(index: bigint, size: bigint): Promise<Uint8Array[]>
  /** Throws LEDGER_RANGE_INVALID. */
  consistencyProof(first: bigint, second: bigint): Promise<Uint8Array[]>

  /** Takes no more entries, answers every one it took, and lets go of the database. */
  close(): Promise<void>
}

/** Entries that one read gives at most. */
export const MAX_ENTRIES_PER_READ = 1000
/** Bytes after which one read stops, the entry that crosses it included. */
export const MAX_BYTES_PER_READ = 8 * 1024 * 1024
