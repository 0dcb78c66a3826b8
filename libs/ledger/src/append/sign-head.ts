import type { Clock } from '@touchmark/clock'
import type { Signer } from '@touchmark/crypto'
import { concatBytes, equalBytes } from '@touchmark/encoding'
import { signCheckpoint } from '@touchmark/tlog'
import { LedgerError } from '../errors.js'
import type { LogHead, LogKind, SignedTreeHead } from '../types.js'
import { sctTimestamp } from './certificate-leaf.js'

/** Who signs, and under which name. */
export interface HeadSigner {
  readonly kind: LogKind
  readonly origin: string
  readonly logId: Uint8Array
  readonly signer: Signer
  readonly clock: Clock
  readonly deadlineMs: number
}

/** The head to sign, and the one it must extend. */
export interface HeadProposal {
  readonly size: bigint
  readonly root: Uint8Array
  /** The newest committed head; undefined for the genesis entry alone. */
  readonly previous: LogHead | undefined
  /** Bodies that are new under this head. */
  readonly added: readonly Uint8Array[]
  /** Lines after the root; none unless the tree ends with this head. */
  readonly extensions?: readonly string[]
}

/**
 * Signs a head: the checkpoint, and for a certificate log the tree head of RFC 6962 §3.5 over the same size and root.
 * Refuses, with LEDGER_CORRUPT, a head that is smaller than the last, or that has its size and another root.
 * Throws LEDGER_SIGNER_FAILED when the signer fails or does not answer in time.
 */
export async function signHead(by: HeadSigner, proposal: HeadProposal): Promise<LogHead> {
  const { size, root, previous, extensions = [] } = proposal
  if (previous && size < previous.size) {
    throw new LedgerError('LEDGER_CORRUPT', `a head of size ${size} was to be signed after one of ${previous.size}`)
  }
  if (previous && size === previous.size && !equalBytes(root, previous.root)) {
    throw new LedgerError('LEDGER_CORRUPT', `a second root of size ${size} was to be signed`)
  }
  const at = by.clock.now()
  const [note, treeHead] = await inTime(
    by.deadlineMs,
    Promise.all([
      signCheckpoint({ origin: by.origin, size, root, extensions }, by.logId, by.signer),
      by.kind === 'certificate' ? signTreeHead(by.signer, proposal, at) : undefined,
    ]),
  )
  return { size, root, note, at, ...(treeHead ? { treeHead } : {}) }
}

async function signTreeHead(signer: Signer, proposal: HeadProposal, at: Date): Promise<SignedTreeHead> {
  const { size, root, previous, added } = proposal
  // RFC 6962 §3.5: more recent than the one before, and than every entry below it.
  let timestamp = BigInt(at.getTime())
  if (previous?.treeHead && timestamp <= previous.treeHead.timestamp) timestamp = previous.treeHead.timestamp + 1n
  for (const body of added) {
    const time = sctTimestamp(body)
    if (time > timestamp) timestamp = time
  }
  const der = await signer.sign(treeHeadBytes(timestamp, size, root))
  // DigitallySigned: sha256(4), ecdsa(3), opaque signature<0..2^16-1>.
  return { timestamp, signature: concatBytes(Uint8Array.of(4, 3, der.length >> 8, der.length & 0xff), der) }
}

/** TreeHeadSignature of RFC 6962 §3.5: version 0, signature type 1, timestamp, size, root. */
export function treeHeadBytes(timestamp: bigint, size: bigint, root: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(18 + root.length)
  const view = new DataView(bytes.buffer)
  view.setUint8(1, 1)
  view.setBigUint64(2, timestamp)
  view.setBigUint64(10, size)
  bytes.set(root, 18)
  return bytes
}

async function inTime<T>(deadlineMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new LedgerError('LEDGER_SIGNER_FAILED', `the signer did not answer within ${deadlineMs} ms`)),
      deadlineMs,
    )
  })
  try {
    return await Promise.race([work, late])
  } catch (cause) {
    if (cause instanceof LedgerError) throw cause
    throw new LedgerError('LEDGER_SIGNER_FAILED', 'the signer could not sign the new head', {
      cause,
      retryAfterSeconds: 2,
    })
  } finally {
    clearTimeout(timer)
  }
}
