import type { Clock } from '@touchmark/clock'
import type { PublicKey } from '@touchmark/crypto'
import type { Database } from '@touchmark/postgres'
import { logIdOf } from '@touchmark/tlog'
import type pg from 'pg'
import { LedgerError } from '../errors.js'
import { loadEdge } from '../open/load-edge.js'
import { verifyHead } from '../open/verify-head.js'
import { sha256 } from '../sha256.js'
import { markFrozen } from '../store/freeze-row.js'
import { findTreeRow, lockTreeRow, readOrigins, type TreeRow } from '../store/tree-row.js'
import type { LogKind, LogState } from '../types.js'
import { differenceOf, verified } from './compare-heads.js'
import type { GivenUpTree, GuardedHead, HeadGuard } from './head-guard.js'

/**
 * What the guard says of a tree, the worst first:
 * `absent`: it has seen the tree, and the database does not have it at all;
 * `forked`: it has seen another tree of that size; `behind`: it has seen entries that the database does not have; `active-again`: the tree was given up, and the database
 * has it active; `foreign`: it holds what the tree's key has not signed; `damaged`, `unavailable`: it cannot be read; `unknown`: it has never
 * seen the tree; `agrees`: the database extends all that it has seen.
 */
export type GuardVerdict =
  'absent' | 'forked' | 'behind' | 'active-again' | 'foreign' | 'damaged' | 'unavailable' | 'unknown' | 'agrees'

/** One tree as the database and the guard have it. */
export interface TreeSurvey {
  readonly origin: string
  readonly kind: LogKind
  /** `absent`: the database has no such tree. */
  readonly state: LogState | 'absent'
  /** Entries in the database. */
  readonly size: bigint
  /** Empty when the database has no such tree. */
  readonly checkpoint: string
  readonly verdict: GuardVerdict
  /** The largest head that the guard has seen, if one can be believed. */
  readonly guardSize: bigint | undefined
  /** Indexes of the entries that the database does not have; both ends included. */
  readonly missing: { readonly first: bigint; readonly last: bigint } | undefined
  /** The checkpoints that the database does not extend. */
  readonly lost: readonly string[]
  readonly givenUp: GivenUpTree | undefined
  /** What is wrong with the guard, in words. */
  readonly problem: string | undefined
}

/** The origins of all trees of the database. */
export function treeOrigins(db: Database): Promise<string[]> {
  return db.withClient(readOrigins)
}

/** The hash by which a tree names its key, so that the key can be found. Throws LEDGER_RECOVERY_REFUSED when there is no such tree. */
export async function treeKeySha256(db: Database, origin: string): Promise<Uint8Array> {
  return (await found(db, origin)).keySha256
}

/** Compares a tree with what the guard has seen of it; changes nothing. Throws LEDGER_CORRUPT when the stored tree contradicts itself, LEDGER_RECOVERY_REFUSED when there is none. */
export async function surveyTree(
  db: Database,
  guard: HeadGuard,
  origin: string,
  publicKey: PublicKey,
): Promise<TreeSurvey> {
  return db.transaction(
    async ({ client }) => {
      const row = await findTreeRow(client, origin)
      if (!row) throw noTree(origin)
      return survey(client, row, guard, publicKey)
    },
    { isolation: 'repeatable read', readOnly: true },
  )
}

async function survey(
  client: pg.ClientBase,
  row: TreeRow,
  guard: HeadGuard,
  publicKey: PublicKey,
): Promise<TreeSurvey> {
  const { origin, kind, state, head } = row
  const logId = logIdOf(publicKey, origin, sha256)
  const by = { kind, origin, logId, signer: { publicKey } }
  verifyHead(by, head)
  await loadEdge(client, row)
  const base = { origin, kind, state, size: head.size, checkpoint: head.note }
  const nothing = { guardSize: undefined, missing: undefined, lost: [], givenUp: undefined, problem: undefined }
  let heads: readonly GuardedHead[]
  let givenUp: GivenUpTree | undefined
  try {
    ;[heads, givenUp] = await Promise.all([guard.newest(origin), guard.givenUp(origin)])
    const lost: string[] = []
    let guardSize = 0n
    let forked = false
    for (const one of heads) {
      const signed = verified(one, by)
      if (signed.size > guardSize) guardSize = signed.size
      const difference = await differenceOf(client, row, signed)
      if (difference) lost.push(one.note)
      forked ||= difference === 'forked'
    }
    const missing = guardSize > head.size ? { first: head.size, last: guardSize - 1n } : undefined
    const verdict = verdictOf({ forked, lost, reborn: givenUp !== undefined && state !== 'frozen', heads })
    return { ...base, verdict, guardSize, missing, lost, givenUp, problem: undefined }
  } catch (error) {
    return { ...base, ...nothing, ...troubleOf(error) }
  }
}

const GUARD_TROUBLE = new Map<string, GuardVerdict>([
  ['LEDGER_GUARD_FOREIGN', 'foreign'],
  ['LEDGER_GUARD_DAMAGED', 'damaged'],
  ['LEDGER_GUARD_UNAVAILABLE', 'unavailable'],
])

/** What a guard that cannot be asked says of a tree. Throws every other error. */
export function troubleOf(error: unknown): { verdict: GuardVerdict; problem: string } {
  const verdict = error instanceof LedgerError ? GUARD_TROUBLE.get(error.code) : undefined
  if (verdict === undefined) throw error
  return { verdict, problem: (error as LedgerError).message }
}

function verdictOf(seen: {
  forked: boolean
  lost: readonly string[]
  reborn: boolean
  heads: readonly GuardedHead[]
}): GuardVerdict {
  if (seen.forked) return 'forked'
  if (seen.lost.length > 0) return 'behind'
  if (seen.reborn) return 'active-again'
  return seen.heads.length === 0 ? 'unknown' : 'agrees'
}

export interface RecoverOptions {
  readonly origin: string
  readonly publicKey: PublicKey
  /** Entries that the database holds, as the operator was shown them. */
  readonly size: bigint
  readonly clock: Clock
}

/**
 * Gives up a tree that lost entries: freezes it as it is, and keeps for ever what was lost. Nothing is signed: its key has vouched for a longer tree, and what it
 * signs from now on would contradict that. Frozen first, so that a crash leaves a tree that is refused and can be given up again.
 * Throws LEDGER_RECOVERY_REFUSED when nothing is missing, when the size is another, or when a process still keeps the record.
 */
export async function giveUpTree(db: Database, guard: HeadGuard, options: RecoverOptions): Promise<GivenUpTree> {
  const { origin, publicKey, size, clock } = options
  assertFree(guard, origin)
  const { id } = await found(db, origin)
  const at = clock.now()
  const { lost, kept } = await db.transaction(async ({ client }) => {
    const row = await lockTreeRow(client, id)
    assertSize(row, size)
    const now = await survey(client, row, guard, publicKey)
    if (!['forked', 'behind', 'active-again'].includes(now.verdict)) {
      throw refused(`nothing of ${origin} is known to be lost: the guard says "${now.verdict}"`)
    }
    if (row.state !== 'frozen') await markFrozen(client, row.id, row.head, at)
    return { lost: now.lost, kept: row.head.note }
  })
  const tree = { origin, kept, lost, at: at.toISOString() }
  await guard.giveUp(tree)
  return tree
}

/**
 * Replaces a record that cannot be believed by the head of the database: one that is damaged, or that the tree's key has not signed. Nothing vouches
 * then for the database being the newest but the operator. Throws LEDGER_RECOVERY_REFUSED for a record that can be believed.
 */
export async function replaceGuard(db: Database, guard: HeadGuard, options: RecoverOptions): Promise<void> {
  const { origin, publicKey, size } = options
  assertFree(guard, origin)
  const now = await surveyTree(db, guard, origin, publicKey)
  if (now.size !== size) throw otherSize(origin, now.size, size)
  if (now.verdict !== 'foreign' && now.verdict !== 'damaged') {
    throw refused(`the record of ${origin} can be believed, and is not replaced: the guard says "${now.verdict}"`)
  }
  await guard.replace(origin, { size: now.size, note: now.checkpoint })
}

function assertSize(row: TreeRow, size: bigint): void {
  if (row.head.size !== size) throw otherSize(row.origin, row.head.size, size)
}

/** Throws LEDGER_RECOVERY_REFUSED while a process keeps the tree's record. */
export function assertFree(guard: HeadGuard, origin: string): void {
  const why = guard.inUse(origin)
  if (why === undefined) return
  throw new LedgerError('LEDGER_RECOVERY_REFUSED', `the log seems to run: ${why}`, {
    hint: 'stop every process of the instance first. If that process has nothing to do with Touchmark, its number was used again: wait until it has ended',
  })
}

async function found(db: Database, origin: string): Promise<TreeRow> {
  const row = await db.withClient((client) => findTreeRow(client, origin))
  if (!row) throw noTree(origin)
  return row
}

function noTree(origin: string): LedgerError {
  return refused(`the database has no tree ${origin}`)
}

export function otherSize(origin: string, found: bigint, given: bigint): LedgerError {
  return refused(`the tree ${origin} has ${found} entries, not ${given}`)
}

export function refused(message: string): LedgerError {
  return new LedgerError('LEDGER_RECOVERY_REFUSED', message, {
    hint: 'run `touchmark log recover` without further flags to see how things are',
  })
}
