import type { Clock } from '@touchmark/clock'
import type { Signer } from '@touchmark/crypto'
import { equalBytes, hexEncode } from '@touchmark/encoding'
import { logIdOf } from '@touchmark/tlog'
import type pg from 'pg'
import { signHead } from '../append/sign-head.js'
import { LedgerError } from '../errors.js'
import { loadEdge } from '../open/load-edge.js'
import { verifyHead } from '../open/verify-head.js'
import { sha256 } from '../sha256.js'
import { findTreeRow, lockTreeRow } from '../store/tree-row.js'
import { markFrozen, readFrozenAt } from '../store/freeze-row.js'
import type { LogHead } from '../types.js'
import { frozenLine } from './frozen-line.js'

const SIGN_DEADLINE_MS = 4_000

export interface FreezeOptions {
  readonly origin: string
  /** The tree's own key. */
  readonly signer: Signer
  readonly clock: Clock
}

export interface FrozenLog {
  /** The last head of the tree. */
  readonly head: LogHead
  readonly frozenAt: Date
  /** True when it was frozen before; then nothing was changed. */
  readonly before: boolean
}

/**
 * Freezes a tree inside the caller's transaction, under the lock of its row: every append that was answered is in it, and every later one, in every process,
 * gets LEDGER_FROZEN. The last head is checked against the tiles first. That of an API v2 log is signed once more with a line that says so (log-v2.md §10, step 6).
 * Nothing holds before the caller's COMMIT. Throws LEDGER_CORRUPT, LEDGER_KEY_MISMATCH, LEDGER_SIGNER_FAILED.
 */
export async function freezeLog(client: pg.ClientBase, options: FreezeOptions): Promise<FrozenLog> {
  const { origin, signer, clock } = options
  const found = await findTreeRow(client, origin)
  if (!found) throw new LedgerError('LEDGER_CORRUPT', `there is no row of ${origin}`)
  const row = await lockTreeRow(client, found.id)
  const keySha256 = sha256(signer.publicKey.spki)
  if (!equalBytes(row.keySha256, keySha256)) {
    throw new LedgerError('LEDGER_KEY_MISMATCH', `the tree of ${origin} was begun with another key`, {
      expected: hexEncode(row.keySha256),
      found: hexEncode(keySha256),
    })
  }
  if (row.state === 'frozen') return { head: row.head, frozenAt: await readFrozenAt(client, row.id), before: true }
  const by = {
    kind: row.kind,
    origin,
    logId: logIdOf(signer.publicKey, origin, sha256),
    signer,
    clock,
    deadlineMs: SIGN_DEADLINE_MS,
  }
  // What is signed for the last time is what was signed before it, and what the tiles hash to.
  verifyHead(by, row.head)
  await loadEdge(client, row)
  const frozenAt = clock.now()
  const extensions = row.kind === 'signature-v2' ? [frozenLine(frozenAt)] : []
  const head = await signHead(by, { ...row.head, previous: row.head, added: [], extensions })
  await markFrozen(client, row.id, head, frozenAt)
  return { head, frozenAt, before: false }
}
