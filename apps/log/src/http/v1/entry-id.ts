import { ENTRY_ID } from '@touchmark/entry'

/** An id as it was sent: with the tree it names, or with none. */
export interface SentId {
  /** Undefined in the form of 64 digits. */
  readonly treeId: bigint | undefined
  readonly leafHash: Uint8Array
}

const PATTERN = new RegExp(ENTRY_ID)
const TREE_DIGITS = 16
const FULL_DIGITS = 80

/** Reads 64 or 80 hexadecimal digits of either case; undefined for anything else. The tree's id may be one that no tree can have. */
export function parseEntryId(text: string): SentId | undefined {
  if (!PATTERN.test(text)) return undefined
  const full = text.length === FULL_DIGITS
  return {
    treeId: full ? BigInt(`0x${text.slice(0, TREE_DIGITS)}`) : undefined,
    leafHash: Buffer.from(full ? text.slice(TREE_DIGITS) : text, 'hex'),
  }
}

/** A tree's id is positive and fits 63 bits. */
export function isTreeId(id: bigint): boolean {
  return id > 0n && id < 1n << 63n
}
