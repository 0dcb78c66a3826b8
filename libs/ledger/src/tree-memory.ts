import { equalBytes } from '@touchmark/encoding'
import { KnownLeaves } from './append/known-leaves.js'
import type { TreeEdge } from './append/growth.js'
import type { TileNodes } from './append/tile-nodes.js'
import type { HeadSigner } from './append/sign-head.js'
import { LedgerError, isFatal } from './errors.js'
import type { HeadGuard } from './guard/head-guard.js'
import type { LedgerObserver } from './observe.js'
import { ByteCache } from './read/tile-cache.js'
import type { LogHead, LogState } from './types.js'

/** 64 MiB of full tiles with their nodes: half a million leaves' worth at level 0. */
const TILE_CACHE_BYTES = 64 * 1024 * 1024
/** Tiles and entry bundles as they are served. */
const FILE_CACHE_BYTES = 96 * 1024 * 1024
const TILE_BYTES = 511 * 32
const KNOWN_LEAVES_BYTES = 32 * 1024 * 1024

/** What is the same for a tree as long as it lives. */
export interface TreeIdentity extends HeadSigner {
  readonly id: bigint
  readonly keySha256: Uint8Array
  readonly guard: HeadGuard | undefined
  readonly observe: LedgerObserver | undefined
}

/**
 * What this process knows of a tree: only what was committed. Everything in it can be lost and read again;
 * it saves reading, and it is what a row that went back in time is recognised by.
 */
export class TreeMemory {
  readonly identity: TreeIdentity
  readonly fullTiles = new ByteCache<TileNodes>(TILE_CACHE_BYTES)
  readonly files = new ByteCache<Uint8Array>(FILE_CACHE_BYTES)
  /** Entries that are in the tree, so that equal ones need not be looked up. */
  readonly known = new KnownLeaves(KNOWN_LEAVES_BYTES)
  #state: LogState
  #edge: TreeEdge
  #newest: LogHead
  #failure: Error | undefined

  constructor(identity: TreeIdentity, state: LogState, edge: TreeEdge, head: LogHead) {
    this.identity = identity
    this.#state = state
    this.#edge = edge
    this.#newest = head
    identity.guard?.note(identity.origin, head)
  }

  get state(): LogState {
    return this.#state
  }

  /** A frozen tree stays frozen: a row that says otherwise was read before. */
  set state(state: LogState) {
    if (this.#state !== 'frozen') this.#state = state
  }

  /** The right edge as far as this process has followed the tree; may be behind {@link newest} while others append. */
  get edge(): TreeEdge {
    return this.#edge
  }

  /** The newest committed head this process has seen. */
  get newest(): LogHead {
    return this.#newest
  }

  get failure(): Error | undefined {
    return this.#failure
  }

  /** Stops the tree when the error is one of those that going on would make worse. */
  noteFailure(error: unknown): void {
    if (this.#failure || !isFatal(error)) return
    this.#failure = error
    this.identity.observe?.failed?.(error)
  }

  /** Takes over an edge whose head was committed. An edge that is behind what is known is left alone. */
  follow(edge: TreeEdge, completed: Iterable<TileNodes> = []): void {
    if (edge.range.size >= this.#edge.range.size) this.#edge = edge
    for (const tile of completed) this.keepFull(tile)
  }

  keepFull(tile: TileNodes): void {
    if (tile.isFull) this.fullTiles.put(tile.key, tile, TILE_BYTES)
  }

  /**
   * Takes note of a head that was read. `before` is what was known when the reading began: what became known meanwhile may be newer than what was read.
   * Throws LEDGER_ROLLED_BACK, and stops the tree, when the head is smaller than that one or is another head of its size:
   * the database went back in time, or it is not the one it was.
   */
  see(head: LogHead, before: LogHead): void {
    const { size } = before
    if (head.size < size || isOtherRoot(head, before) || isOtherRoot(head, this.#newest)) {
      const what = head.size < size ? `a tree of ${head.size} entries` : `another tree of ${head.size} entries`
      const error = new LedgerError('LEDGER_ROLLED_BACK', `the database holds ${what}; ${size} were committed`, {
        hint: 'stop every process, and find out which database is the newest before any of them starts again: see `touchmark log recover`',
      })
      this.noteFailure(error)
      throw error
    }
    this.committed(head)
  }

  /** Takes note of a head that is committed, here and in the guard: whoever is told of it is told afterwards. */
  committed(head: LogHead): void {
    if (head.size > this.#newest.size) this.identity.guard?.note(this.identity.origin, head)
    if (head.size >= this.#newest.size) this.#newest = head
  }
}

function isOtherRoot(a: LogHead, b: LogHead): boolean {
  return a.size === b.size && !equalBytes(a.root, b.root)
}
