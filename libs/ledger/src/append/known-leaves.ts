import { equalBytes } from '@touchmark/encoding'
import { ByteCache } from '../read/tile-cache.js'
import { anotherBody } from './refusals.js'
import type { WaitingEntry } from './waiting-entry.js'

/** What an entry takes in memory beside its body. */
const OVERHEAD_BYTES = 400

/** Entries that are in the tree: those that were seen last, up to a number of bytes. Only what was committed may be put here. */
export class KnownLeaves {
  readonly #leaves: ByteCache<{ index: bigint; body: Uint8Array }>

  constructor(maxBytes: number) {
    this.#leaves = new ByteCache(maxBytes)
  }

  /** The index of the equal entry, if it is known. Throws LEDGER_ENTRY_REFUSED when an entry with this hash has another body. */
  indexOf(item: WaitingEntry): bigint | undefined {
    const leaf = this.#leaves.get(item.leafHashHex)
    if (leaf === undefined) return undefined
    if (!equalBytes(leaf.body, item.entry.body)) throw anotherBody()
    return leaf.index
  }

  put(item: WaitingEntry, index: bigint): void {
    const { body } = item.entry
    this.#leaves.put(item.leafHashHex, { index, body }, body.length + OVERHEAD_BYTES)
  }
}
