import { equalBytes, hexEncode } from '@touchmark/encoding'
import { HASH_BYTES, leafHash } from '@touchmark/merkle'
import type { Database } from '@touchmark/postgres'
import { TILE_WIDTH, logIdOf, schemeOfLog, tilePath } from '@touchmark/tlog'
import type pg from 'pg'
import { signHead, type HeadSigner } from '../append/sign-head.js'
import { assertEntry } from '../append/waiting-entry.js'
import type { TreeEdge } from '../append/growth.js'
import { LedgerError } from '../errors.js'
import { assertExtends, assertNothingKnown, readGuard, verifyRecords, type KnownHeads } from '../guard/compare-heads.js'
import { PostgresLog } from '../postgres-log.js'
import { sha256 } from '../sha256.js'
import { readEntries } from '../store/read-tree.js'
import { findTreeRow, type TreeRow } from '../store/tree-row.js'
import { insertTree } from '../store/write-batch.js'
import { TreeMemory } from '../tree-memory.js'
import type { Log, OpenLogOptions } from '../types.js'
import { genesisEntry } from './genesis.js'
import { loadEdge } from './load-edge.js'
import { verifyHead } from './verify-head.js'

const DEFAULT_SIGN_DEADLINE_MS = 3_000
/** Below the server's limit on a silent transaction, so that it is we who give up. */
const MAX_SIGN_DEADLINE_MS = 4_000
/** All of the last tile's entries, whatever their size. */
const MAX_LAST_ENTRIES_BYTES = 256 * 1024 * 1024

/**
 * Opens a tree, creating it with its genesis entry where there is none. Many processes may do so at once.
 * The stored edge is hashed again and its checkpoint verified before anything is appended.
 * Throws LEDGER_KEY_MISMATCH, LEDGER_KEY_UNSUPPORTED, LEDGER_KIND_MISMATCH, LEDGER_GENESIS_MISSING, LEDGER_CORRUPT, and what the database throws; with a guard also
 * LEDGER_ROLLED_BACK when the database does not have, or does not extend, what the guard has seen, LEDGER_GIVEN_UP, LEDGER_GUARD_FOREIGN and what the guard throws.
 */
export async function openLog(options: OpenLogOptions): Promise<Log> {
  const { db, signer, origin } = options
  assertKey(options)
  const keySha256 = sha256(signer.publicKey.spki)
  const by: HeadSigner = {
    kind: options.kind,
    origin,
    logId: logIdOf(signer.publicKey, origin, sha256),
    signer,
    clock: options.clock,
    deadlineMs: Math.min(options.signDeadlineMs ?? DEFAULT_SIGN_DEADLINE_MS, MAX_SIGN_DEADLINE_MS),
  }
  // The guard is read before the database: what others commit meanwhile is then in both. It is believed after it: with another key nothing would be.
  const records = await readGuard(options.guard, origin)
  const existing = await db.withClient((client) => findTreeRow(client, origin))
  if (existing && !equalBytes(existing.keySha256, keySha256)) throw keyMismatch(origin, existing.keySha256, keySha256)
  const known = verifyRecords(records, by)
  if (!existing) {
    assertNothingKnown(origin, known)
    await createTree(db, by, keySha256, options)
  }
  const { row, edge } = await readVerified(db, by, keySha256, known)
  if (options.guard && known.heads.length === 0 && row.head.size > 1n) options.observe?.guardBegan?.(row.head.size)
  const identity = { ...by, id: row.id, keySha256, guard: options.guard, observe: options.observe }
  return new PostgresLog(options, new TreeMemory(identity, row.state, edge, row.head))
}

/** Creates row, genesis entry and first tile together; another process may be quicker, which is as good. */
async function createTree(db: Database, by: HeadSigner, keySha256: Uint8Array, options: OpenLogOptions): Promise<void> {
  const genesis = await genesisEntry(by.kind, by.signer, options.genesis)
  assertEntry(by.kind, genesis)
  const hash = leafHash(genesis.body, sha256)
  const head = await signHead(by, { size: 1n, root: hash, previous: undefined, added: [genesis.body] })
  await db.transaction((tx) =>
    insertTree(tx.client, { kind: by.kind, origin: by.origin, keySha256, head, leafHash: hash, ...genesis }),
  )
}

/** Reads row and edge as of one moment, and believes neither before they fit each other, the key and the entries below. */
async function readVerified(
  db: Database,
  by: HeadSigner,
  keySha256: Uint8Array,
  known: KnownHeads,
): Promise<{ row: TreeRow; edge: TreeEdge }> {
  return db.transaction(
    async ({ client }) => {
      const row = await findTreeRow(client, by.origin)
      if (!row) throw new LedgerError('LEDGER_CORRUPT', `the row of ${by.origin} is gone`)
      if (row.kind !== by.kind) {
        throw new LedgerError('LEDGER_KIND_MISMATCH', `${by.origin} is a ${row.kind} log, not a ${by.kind} log`)
      }
      if (!equalBytes(row.keySha256, keySha256)) throw keyMismatch(by.origin, row.keySha256, keySha256)
      const edge = await loadEdge(client, row)
      verifyHead(by, row.head)
      await checkLastEntries(client, row, edge)
      await assertExtends(client, row, known)
      return { row, edge }
    },
    { isolation: 'repeatable read', readOnly: true },
  )
}

/** The entries of the last tile hash to it: a crash or a careless hand shows most likely there. */
async function checkLastEntries(client: pg.ClientBase, row: TreeRow, edge: TreeEdge): Promise<void> {
  const tile = edge.tiles[0]!
  const start = tile.index * BigInt(TILE_WIDTH)
  const entries = await readEntries(client, row.id, start, row.head.size, MAX_LAST_ENTRIES_BYTES)
  const name = tilePath(0, tile.index, tile.width)
  const hashes = tile.hashes()
  for (let i = 0; i < tile.width; i++) {
    const entry = entries[i]
    const index = start + BigInt(i)
    if (entry?.index !== index) throw new LedgerError('LEDGER_CORRUPT', `entry ${index} is missing`)
    const found = leafHash(entry.body, sha256)
    const expected = hashes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)
    if (!equalBytes(found, expected) || !equalBytes(entry.leafHash, expected)) {
      throw new LedgerError('LEDGER_CORRUPT', `entry ${index} does not hash to its place in ${name}`, {
        expected: hexEncode(expected),
        found: hexEncode(found),
      })
    }
  }
}

function assertKey({ kind, origin, signer }: OpenLogOptions): void {
  // Throws TLOG_KEY_UNSUPPORTED for a key no log can have.
  schemeOfLog(signer.publicKey, origin)
  const { type } = signer.publicKey
  if (kind === 'certificate' && !(type.kind === 'ecdsa' && type.curve === 'P-256')) {
    throw new LedgerError('LEDGER_KEY_UNSUPPORTED', 'the key of a certificate log must be ECDSA P-256')
  }
}

function keyMismatch(origin: string, expected: Uint8Array, found: Uint8Array): LedgerError {
  return new LedgerError('LEDGER_KEY_MISMATCH', `the tree of ${origin} was begun with another key`, {
    check: 'SHA-256 of the public key (SPKI)',
    expected: hexEncode(expected),
    found: hexEncode(found),
    hint: 'bring back the key folder that belongs to this database, or begin a new shard with an origin of its own',
  })
}
