import type { Clock } from '@touchmark/clock'
import type { PublicKey } from '@touchmark/crypto'
import { nodeCrypto } from '@touchmark/crypto/node'
import type { Database } from '@touchmark/postgres'
import { logIdOf, verifyCheckpoint } from '@touchmark/tlog'
import { sha256 } from '../sha256.js'
import { findTreeRow } from '../store/tree-row.js'
import type { LogKind } from '../types.js'
import { assertNothingKnown, readGuard } from './compare-heads.js'
import type { GivenUpTree, HeadGuard } from './head-guard.js'
import { assertFree, otherSize, refused, treeOrigins, troubleOf, type TreeSurvey } from './recover.js'

/** A tree that the database does not have; `keys` are those of the instance, one of which may have signed it. */
export interface AbsentTree {
  readonly origin: string
  readonly kind: LogKind
  readonly keys: readonly PublicKey[]
}

/**
 * What the guard has seen of a tree that is not in the database; undefined when it has seen nothing. `foreign` when none of the keys signed what it has seen. Of a tree that was
 * given up already the verdict is `absent` with `givenUp`.
 */
export async function surveyAbsentTree(
  guard: HeadGuard,
  { origin, kind, keys }: AbsentTree,
): Promise<TreeSurvey | undefined> {
  const base = { origin, kind, state: 'absent' as const, size: 0n, checkpoint: '' }
  const nothing = { guardSize: undefined, missing: undefined, lost: [], givenUp: undefined, problem: undefined }
  try {
    const { heads, givenUp } = await readGuard(guard, origin)
    if (heads.length === 0 && !givenUp) return undefined
    const lost = [...new Set([...heads.map(({ note }) => note), ...(givenUp?.lost ?? [])])]
    if (!lost.every((note) => keys.some((key) => isSignedBy(note, origin, key)))) {
      const problem = `no key of this instance has signed what the guard holds of ${origin}`
      return { ...base, ...nothing, givenUp, verdict: 'foreign', problem }
    }
    const guardSize = heads.reduce((most, { size }) => (size > most ? size : most), 0n)
    const missing = guardSize > 0n ? { first: 0n, last: guardSize - 1n } : undefined
    return { ...base, verdict: 'absent', guardSize, missing, lost, givenUp, problem: undefined }
  } catch (error) {
    return { ...base, ...nothing, ...troubleOf(error) }
  }
}

/**
 * Gives up a tree that the database does not have: the guard keeps for ever what was lost, so the tree is never begun again under its key, and another one may follow it.
 * Throws LEDGER_RECOVERY_REFUSED when the database has the tree, when the guard knows of none that the keys signed, for a certificate log, which nothing can follow, or when a process
 * still keeps the record.
 */
export async function giveUpAbsentTree(
  db: Database,
  guard: HeadGuard,
  options: AbsentTree & { readonly size: bigint; readonly clock: Clock },
): Promise<GivenUpTree> {
  const { origin, kind, size, clock } = options
  assertFree(guard, origin)
  if (size !== 0n) throw otherSize(origin, 0n, size)
  if (await db.withClient((client) => findTreeRow(client, origin))) throw refused(`the database has the tree ${origin}`)
  const now = await surveyAbsentTree(guard, options)
  if (now?.verdict !== 'absent') {
    throw refused(`nothing of ${origin} is known to be lost: the guard says "${now?.verdict ?? 'unknown'}"`)
  }
  if (kind === 'certificate') throw refused('a certificate log has no successor: to give it up would help nobody')
  const tree = { origin, kept: '', lost: now.lost, at: clock.now().toISOString() }
  await guard.giveUp(tree)
  return tree
}

/** True when the tree was given up without being in the database, so that another one may take its place. Throws what the guard throws. */
export async function isGivenUpAndAbsent(db: Database, guard: HeadGuard | undefined, origin: string): Promise<boolean> {
  if (guard === undefined || (await guard.givenUp(origin)) === undefined) return false
  return (await db.withClient((client) => findTreeRow(client, origin))) === undefined
}

/** A tree that the database does not have may be begun: the guard has seen none of this origin. Throws LEDGER_ROLLED_BACK, and what the guard throws. */
export async function assertNeverSeen(db: Database, guard: HeadGuard, origin: string): Promise<void> {
  const records = await readGuard(guard, origin)
  if ((await db.withClient((client) => findTreeRow(client, origin))) === undefined) assertNothingKnown(origin, records)
}

/**
 * True when the guard has seen this key sign a tree that the database does not have: it must not sign another one. `asked`: origins that the guard may know and
 * not be able to list. Throws what the guard throws.
 */
export async function hasSignedAbsentTree(
  db: Database,
  guard: HeadGuard,
  key: PublicKey,
  asked: readonly string[],
): Promise<boolean> {
  const there = new Set(await treeOrigins(db))
  for (const origin of new Set([...asked, ...(await guard.origins())])) {
    if (there.has(origin)) continue
    const { heads, givenUp } = await readGuard(guard, origin)
    const notes = [...heads.map(({ note }) => note), ...(givenUp?.lost ?? [])]
    if (notes.some((note) => isSignedBy(note, origin, key))) return true
  }
  return false
}

function isSignedBy(note: string, origin: string, key: PublicKey): boolean {
  try {
    verifyCheckpoint(note, { origin, key, logId: logIdOf(key, origin, sha256) }, nodeCrypto)
    return true
  } catch {
    // A key of another kind, or another key.
    return false
  }
}
