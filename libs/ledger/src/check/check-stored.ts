import {
  checkTree,
  headWentBack,
  type CheckedHead,
  type CheckProgress,
  type CheckState,
  type Difference,
  type Hasher,
  type TreeReport,
} from '@touchmark/audit'
import type { PublicKey } from '@touchmark/crypto'
import { nodeCrypto } from '@touchmark/crypto/node'
import { equalBytes, hexEncode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import type { Database } from '@touchmark/postgres'
import { logIdOf, rightEdge, tilePath, verifyCheckpoint } from '@touchmark/tlog'
import { LedgerError } from '../errors.js'
import { verifyTreeHead } from '../open/verify-head.js'
import { sha256 } from '../sha256.js'
import { entriesBeyond, hasLeafIndex, listTrees, tilesBeyond } from '../store/beyond-tree.js'
import { findTreeRow, type TreeRow } from '../store/tree-row.js'
import { StoredSource } from './stored-source.js'

export interface CheckStoredOptions {
  readonly db: Database
  readonly origin: string
  /** Keys of the instance; the row of the tree says which is its own. */
  readonly keys: readonly PublicKey[]
  readonly hasher: Hasher
  /** Reads that run at once (default 2). */
  readonly parallelReads?: number
  /** What a check that was interrupted had, asked for once the tree's key is known. */
  readonly resume?: (logId: Uint8Array) => Promise<{ head: CheckedHead; state: CheckState } | undefined>
  onProgress?(
    progress: CheckProgress,
    at: { logId: Uint8Array; head: CheckedHead; state: () => CheckState },
  ): void | Promise<void>
  readonly signal?: AbortSignal
}

export interface StoredReport extends TreeReport {
  readonly origin: string
  readonly kind: string
}

/** Origin, kind and size of every tree in the database, oldest first. */
export async function storedTrees(db: Database): Promise<{ origin: string; kind: string; size: bigint }[]> {
  return db.withClient(listTrees)
}

/**
 * Checks one tree as it is stored: row, frontier, checkpoint, every entry with its leaf hash and its place in the index, every tile, and that there is
 * nothing beyond. Nothing is locked; the tree may be appended to meanwhile. Throws LEDGER_RANGE_INVALID when there is no such tree, and what the database throws.
 */
export async function checkStored(options: CheckStoredOptions): Promise<StoredReport> {
  const { db, origin, hasher, signal } = options
  const row = await db.withClient((client) => findTreeRow(client, origin))
  if (!row) throw new LedgerError('LEDGER_RANGE_INVALID', `the database holds no tree ${origin}`)
  const differences: Difference[] = []
  const { head, logId } = checkRow(row, options.keys, differences)
  const resumed = await options.resume?.(logId)
  const wentBack = resumed && headWentBack(resumed.head, head)
  if (wentBack) differences.push(wentBack)
  // A state that is beyond the tree has nothing to go on with.
  const from = resumed && resumed.state.tiles <= head.size >> 8n ? resumed.state : undefined
  const report = await checkTree({
    source: new StoredSource(db, row.id, options.parallelReads),
    hasher,
    ...head,
    ...(from ? { from } : {}),
    ...(signal ? { signal } : {}),
    onProgress: (progress, state) => options.onProgress?.(progress, { logId, head, state }),
  })
  if (!equalBytes(report.frontier, row.frontier)) differences.push(frontierDiffers(row, report.frontier))
  differences.push(...(await checkEnd(db, row, head)))
  return { ...report, differences: [...report.differences, ...differences], origin, kind: row.kind }
}

/** Everything that the row of a tree says about itself. Gives the head that the tree has to lead to: the signed one where there is one. */
function checkRow(
  row: TreeRow,
  keys: readonly PublicKey[],
  differences: Difference[],
): { head: CheckedHead; logId: Uint8Array } {
  const { size, root, note } = row.head
  const key = keys.find(({ spki }) => equalBytes(sha256(spki), row.keySha256))
  if (key === undefined) {
    const message = `none of the keys that are here is the one that ${row.origin} was begun with`
    differences.push({ kind: 'key', message, expected: hexEncode(row.keySha256) })
    return { head: { size, root }, logId: row.keySha256 }
  }
  const logId = logIdOf(key, row.origin, sha256)
  try {
    const signed = verifyCheckpoint(note, { origin: row.origin, key, logId }, nodeCrypto)
    if (signed.size !== size) {
      const message = 'the checkpoint is of another size than the row it is in'
      differences.push({ kind: 'checkpoint', message, expected: String(signed.size), found: String(size) })
    } else if (!equalBytes(signed.root, root)) {
      const message = 'the root in the row is not the one of the signed checkpoint beside it'
      differences.push({ kind: 'root', message, expected: hexEncode(signed.root), found: hexEncode(root) })
    }
    if (row.kind === 'certificate') checkTreeHead(key, row, differences)
    return { head: { size: signed.size, root: signed.root }, logId }
  } catch (error) {
    if (!isCodedError(error)) throw error
    const { expected, found } = error.details
    const message = `the stored checkpoint is not one that this log signed: ${error.message}`
    differences.push({ kind: 'checkpoint', message, ...(expected ? { expected } : {}), ...(found ? { found } : {}) })
    return { head: { size, root }, logId }
  }
}

function checkTreeHead(key: PublicKey, row: TreeRow, differences: Difference[]): void {
  try {
    verifyTreeHead(key, row.head)
  } catch (error) {
    if (!isCodedError(error)) throw error
    differences.push({ kind: 'tree-head', message: error.message })
  }
}

/** As of one moment: nothing is stored behind the end of the tree, the head did not go back, and the index of leaf hashes is whole. */
async function checkEnd(db: Database, { id, origin }: TreeRow, head: CheckedHead): Promise<Difference[]> {
  return db.transaction(
    async ({ client }) => {
      const row = await findTreeRow(client, origin)
      if (!row) return [{ kind: 'checkpoint', message: `the row of ${origin} is gone` }]
      const differences: Difference[] = []
      const wentBack = row.head.size < head.size ? headWentBack(head, row.head) : undefined
      if (wentBack) differences.push(wentBack)
      const { size } = row.head.size < head.size ? head : row.head
      for (const entry of await entriesBeyond(client, id, size)) {
        differences.push({ kind: 'extra', message: `entry ${entry} is beyond the tree of ${size} entries`, entry })
      }
      for (const { level, index, bytes } of await tilesBeyond(client, id, rightEdge(size))) {
        const path = tilePath(level, index)
        const message = `${path} with ${bytes / 32} hashes is beyond the tree of ${size} entries`
        differences.push({ kind: 'extra', message, path })
      }
      if (!(await hasLeafIndex(client))) {
        differences.push({ kind: 'index', message: 'the unique index of leaf hashes is missing or not valid' })
      }
      return differences
    },
    { isolation: 'repeatable read', readOnly: true, statementTimeoutMs: 60_000 },
  )
}

function frontierDiffers(row: TreeRow, expected: Uint8Array): Difference {
  const message = 'the frontier in the row is not that of the entries'
  return { kind: 'frontier', message, expected: hexEncode(expected), found: hexEncode(row.frontier) }
}
