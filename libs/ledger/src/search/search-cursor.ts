import { LedgerError } from '../errors.js'

/**
 * Where a search goes on: the tree and the first index of it that is not answered yet, and, for every tree of the search, the size up to which its first page
 * answered. Later pages answer up to the same sizes, so that all pages together are one answer, whatever is appended meanwhile.
 */
export interface SearchCursor {
  readonly logId: bigint
  readonly index: bigint
  /** By row id of the tree. */
  readonly sizes: ReadonlyMap<bigint, bigint>
}

const NUMBER = '(?:0|[1-9][0-9]{0,18})'
const FORM = new RegExp(`^${NUMBER}\\.${NUMBER}(?:_${NUMBER}\\.${NUMBER}){1,100}$`)
/** A hundred trees need less. */
export const MAX_CURSOR_CHARACTERS = 4096
const MAX_BIGINT = (1n << 63n) - 1n

/** `<tree>.<index>_<tree>.<size>…`: opaque to clients. */
export function encodeCursor({ logId, index, sizes }: SearchCursor): string {
  return [`${logId}.${index}`, ...[...sizes].map(([id, size]) => `${id}.${size}`)].join('_')
}

/** Throws LEDGER_SEARCH_INVALID. What a client changed in it changes what it is shown, and nothing else. */
export function decodeCursor(text: string): SearchCursor {
  if (text.length > MAX_CURSOR_CHARACTERS || !FORM.test(text)) throw malformed()
  const [position, ...sizes] = text.split('_').map(pair)
  const [logId, index] = position!
  return { logId, index, sizes: new Map(sizes) }
}

function pair(text: string): [bigint, bigint] {
  const [left, right] = text.split('.').map(BigInt) as [bigint, bigint]
  if (left > MAX_BIGINT || right > MAX_BIGINT) throw malformed()
  return [left, right]
}

function malformed(): LedgerError {
  return new LedgerError('LEDGER_SEARCH_INVALID', 'the place to go on from is not one that a search gave')
}
