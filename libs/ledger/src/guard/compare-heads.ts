import { nodeCrypto } from '@touchmark/crypto/node'
import type { PublicKey } from '@touchmark/crypto'
import { equalBytes, hexEncode } from '@touchmark/encoding'
import { verifyCheckpoint } from '@touchmark/tlog'
import type pg from 'pg'
import { LedgerError } from '../errors.js'
import { proveConsistent, type SizeAndRoot } from '../open/prove-consistent.js'
import type { TreeRow } from '../store/tree-row.js'
import type { GivenUpTree, GuardedHead, HeadGuard } from './head-guard.js'

/** Whose heads they must be. */
export interface HeadAuthority {
  readonly origin: string
  readonly logId: Uint8Array
  readonly signer: { readonly publicKey: PublicKey }
}

/** What the guard knows of a tree, verified. */
export interface KnownHeads {
  readonly heads: readonly SizeAndRoot[]
  readonly givenUp: GivenUpTree | undefined
}

type HeadSizes = Pick<KnownHeads, 'givenUp'> & { readonly heads: readonly Pick<GuardedHead, 'size'>[] }

const WAYS_ON =
  'do not start anything on this database. `touchmark log recover` shows what is missing and the ways on: restore the newest backup or standby there is; only if none has the entries, give the tree up'

/** What the guard holds of a tree, as it lies there. */
export interface GuardRecords {
  readonly heads: readonly GuardedHead[]
  readonly givenUp: GivenUpTree | undefined
}

/** Reads what the guard holds of a tree. Throws what the guard throws. */
export async function readGuard(guard: HeadGuard | undefined, origin: string): Promise<GuardRecords> {
  if (!guard) return { heads: [], givenUp: undefined }
  const [heads, givenUp] = await Promise.all([guard.newest(origin), guard.givenUp(origin)])
  return { heads, givenUp }
}

/**
 * A head counts when the tree's own key signed it: anything else is named as what it is, LEDGER_GUARD_FOREIGN, since neither to believe it nor to overlook it
 * would be right.
 */
export function verifyRecords({ heads, givenUp }: GuardRecords, by: HeadAuthority): KnownHeads {
  return { heads: heads.map((head) => verified(head, by)), givenUp }
}

/** Throws LEDGER_GUARD_FOREIGN. */
export function verified(head: GuardedHead, { origin, logId, signer }: HeadAuthority): SizeAndRoot {
  try {
    const checkpoint = verifyCheckpoint(head.note, { origin, key: signer.publicKey, logId }, nodeCrypto)
    if (checkpoint.size === head.size) return checkpoint
  } catch (cause) {
    throw foreign(origin, cause)
  }
  throw foreign(origin, undefined)
}

function foreign(origin: string, cause: unknown): LedgerError {
  return new LedgerError(
    'LEDGER_GUARD_FOREIGN',
    `the rollback guard of ${origin} holds a checkpoint that the key of this tree has not signed`,
    {
      cause,
      hint: 'the guard belongs to another instance, or somebody has written to it: find out which. `touchmark log recover` shows it, and can put it aside',
    },
  )
}

const AFTER_GIVING_UP =
  'the tree was given up: begin its successor, `touchmark log rollover --public-url URL` for a shard of API v2, `touchmark log rollover --v1` for a tree of API v1, and start then'

/** A tree is only begun when nobody has seen one: the same key must not sign a second history. Throws LEDGER_ROLLED_BACK. */
export function assertNothingKnown(origin: string, { heads, givenUp }: HeadSizes): void {
  const size = heads.reduce((most, head) => (head.size > most ? head.size : most), 0n)
  if (size === 0n && !givenUp) return
  throw new LedgerError('LEDGER_ROLLED_BACK', `the database has no tree ${origin}; the rollback guard has seen one`, {
    expected: givenUp ? 'the tree, or one that follows it' : `at least ${size} entries`,
    found: 'no tree',
    hint: givenUp ? AFTER_GIVING_UP : WAYS_ON,
  })
}

/** Invariant 7: the stored tree has everything that the guard has seen. Throws LEDGER_ROLLED_BACK, LEDGER_GIVEN_UP. */
export async function assertExtends(
  client: pg.ClientBase,
  row: TreeRow,
  { heads, givenUp }: KnownHeads,
): Promise<void> {
  if (givenUp && row.state !== 'frozen') {
    throw new LedgerError('LEDGER_GIVEN_UP', `the tree ${row.origin} lost entries and was given up on ${givenUp.at}`, {
      expected: 'a frozen tree',
      found: `an active one of ${row.head.size} entries`,
      hint: 'this database is older than that decision. `touchmark log recover` freezes the tree again',
    })
  }
  for (const head of heads) {
    const difference = await differenceOf(client, row, head)
    if (difference) throw rolledBack(row, head, difference)
  }
}

/** How the stored tree fails to extend a head; undefined when it does extend it. */
export async function differenceOf(
  client: pg.ClientBase,
  row: TreeRow,
  head: SizeAndRoot,
): Promise<'shorter' | 'forked' | undefined> {
  if (head.size > row.head.size) return 'shorter'
  if (head.size === row.head.size) return equalBytes(head.root, row.head.root) ? undefined : 'forked'
  try {
    await proveConsistent(client, row.id, head, row.head)
    return undefined
  } catch (error) {
    if (error instanceof LedgerError && error.code === 'LEDGER_CORRUPT') return 'forked'
    throw error
  }
}

/**
 * Under the tree's lock nothing larger than its row can have been committed: a larger head of another process means that the database went back while this
 * process was looking elsewhere. Throws LEDGER_ROLLED_BACK. A head that the key has not signed is left to the next start.
 */
export function assertNotBehind(by: HeadAuthority & { readonly guard: HeadGuard | undefined }, size: bigint): void {
  const ahead = by.guard?.ahead(by.origin, size)
  if (!ahead) return
  try {
    verified(ahead, by)
  } catch {
    return
  }
  throw new LedgerError(
    'LEDGER_ROLLED_BACK',
    `the database holds a tree of ${size} entries; ${ahead.size} were committed`,
    {
      expected: `at least ${ahead.size} entries`,
      found: `${size} entries`,
      hint: WAYS_ON,
    },
  )
}

function rolledBack(row: TreeRow, head: SizeAndRoot, difference: 'shorter' | 'forked'): LedgerError {
  const { size, root } = row.head
  const what =
    difference === 'shorter'
      ? `the database holds ${size} entries of ${row.origin}; a checkpoint of ${head.size} was shown: entries ${size} to ${head.size - 1n} are missing`
      : `the tree ${row.origin} of ${size} entries is not the one of which a checkpoint of ${head.size} entries was shown: the log is forked`
  return new LedgerError('LEDGER_ROLLED_BACK', what, {
    check: 'rollback guard',
    expected: `size ${head.size}, root ${hexEncode(head.root)}`,
    found: `size ${size}, root ${hexEncode(root)}`,
    hint: WAYS_ON,
  })
}
