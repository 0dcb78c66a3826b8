import { leafHash } from '@touchmark/merkle'
import { LedgerError } from '../errors.js'
import { sha256 } from '../sha256.js'
import type { AppendedEntry, LogKind, NewEntry } from '../types.js'
import type { Batchable } from './batcher.js'
import { isCertificateLeaf } from './certificate-leaf.js'

/** Longest body: a tile bundle holds its length in 16 bits (log-v2.md §4); a certificate log serves no such bundles. */
const MAX_BODY_BYTES: Readonly<Record<LogKind, number>> = {
  'signature-v2': 65_535,
  'signature-v1': 65_535,
  certificate: 256 * 1024,
}
/** A chain is bounded as well: it is stored beside every entry. */
const MAX_EXTRA_BYTES = 256 * 1024

/** An accepted entry and the caller who waits for it. It is answered once. */
export class WaitingEntry implements Batchable {
  readonly entry: NewEntry
  readonly leafHash: Uint8Array
  readonly leafHashHex: string
  readonly bytes: number
  readonly arrivedAt = performance.now()
  readonly answered: Promise<AppendedEntry>
  readonly answer: (appended: AppendedEntry) => void
  readonly refuse: (error: unknown) => void

  constructor({ body, extra }: NewEntry) {
    // A copy: what the caller does with its buffer afterwards is its own affair.
    this.entry = { body: body.slice(), ...(extra ? { extra: extra.slice() } : {}) }
    const hash = leafHash(this.entry.body, sha256)
    this.leafHash = hash
    this.leafHashHex = Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('hex')
    this.bytes = body.length + (extra?.length ?? 0)
    const { promise, resolve, reject } = promiseParts<AppendedEntry>()
    this.answered = promise
    this.answer = resolve
    this.refuse = reject
  }
}

/** Refuses an entry that this kind of log cannot hold. Throws LEDGER_ENTRY_TOO_LARGE, LEDGER_ENTRY_INVALID. */
export function assertEntry(kind: LogKind, entry: NewEntry): void {
  const limit = MAX_BODY_BYTES[kind]
  if (entry.body.length > limit) {
    throw new LedgerError('LEDGER_ENTRY_TOO_LARGE', `the entry has ${entry.body.length} bytes; ${limit} are the most`)
  }
  if ((entry.extra?.length ?? 0) > MAX_EXTRA_BYTES) {
    throw new LedgerError('LEDGER_ENTRY_TOO_LARGE', `the chain of the entry has more than ${MAX_EXTRA_BYTES} bytes`)
  }
  if (entry.body.length === 0) throw new LedgerError('LEDGER_ENTRY_INVALID', 'the entry is empty')
  if (kind === 'certificate' && !isCertificateLeaf(entry.body)) {
    throw new LedgerError('LEDGER_ENTRY_INVALID', 'the entry is not an RFC 6962 MerkleTreeLeaf')
  }
}

function promiseParts<T>() {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
