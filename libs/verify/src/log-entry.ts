import type { InclusionProof, TransparencyLogEntry } from '@touchmark/bundle'
import type { CryptoPort, PublicKey, SignatureScheme } from '@touchmark/crypto'
import { base64Encode, equalBytes, hexEncode, utf8Encode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { leafHash, verifyInclusion } from '@touchmark/merkle'
import { isV1Origin, parseCheckpoint, parseSignedNote, verifyCheckpoint, type Checkpoint } from '@touchmark/tlog'
import { isWithin } from '@touchmark/trust'
import { isV2Kind } from './entry-body.js'
import { VerifyError, type VerifyErrorCode } from './errors.js'
import type { PerformedCheck, VerifiedLogEntry } from './result.js'
import type { TrustedLog } from './trust-material.js'

/** An entry that a trusted log vouches for. */
export interface ProvenEntry {
  readonly verified: VerifiedLogEntry
  readonly log: TrustedLog
}

/**
 * Checks what ties an entry to a log: the log's promise (API v1), the signed checkpoint, and the path from the leaf to its root.
 * Both must hold when both are there; a bundle of version 0.1 may have the promise alone. Tries each instance of the trusted root with this id,
 * since one log may stand there with several periods. Throws VERIFY_PROMISE_INVALID, VERIFY_LOG_WINDOW, VERIFY_PROOF_MISSING, VERIFY_CHECKPOINT_*,
 * VERIFY_INCLUSION_PROOF.
 */
export function verifyLogEntry(
  entry: TransparencyLogEntry,
  logs: readonly TrustedLog[],
  crypto: CryptoPort,
  checks: PerformedCheck[],
): ProvenEntry {
  let first: unknown
  for (const log of logs) {
    const own: PerformedCheck[] = []
    try {
      const verified = verifyWith(entry, log, crypto, own)
      checks.push(...own)
      return { verified, log }
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error
      first ??= error
    }
  }
  throw first
}

function verifyWith(
  entry: TransparencyLogEntry,
  log: TrustedLog,
  crypto: CryptoPort,
  checks: PerformedCheck[],
): VerifiedLogEntry {
  const { inclusionPromise, inclusionProof } = entry
  const what = `entry ${entry.logIndex} of ${log.name}`
  const integratedTime = inclusionPromise && verifyPromise(entry, inclusionPromise, log, crypto, what, checks)
  const checkpoint = inclusionProof && verifyProof(entry, inclusionProof, log, crypto, what, checks)
  if (integratedTime === undefined && checkpoint === undefined)
    throw refuse('VERIFY_PROOF_MISSING', `${what} is not proven`, 'an inclusion proof with a checkpoint', 'none')
  return {
    log: log.name,
    logIdHex: log.logIdHex,
    // What nobody signed is not passed on: without a promise the outer index of an API v1 entry is only the bundle's word.
    logIndex: integratedTime || !inclusionProof ? entry.logIndex : inclusionProof.logIndex,
    kind: entry.kindVersion.kind,
    version: entry.kindVersion.version,
    ...(integratedTime ? { integratedTime } : {}),
    ...(checkpoint
      ? { checkpoint: { origin: checkpoint.origin, size: checkpoint.size, rootHex: hexEncode(checkpoint.root) } }
      : {}),
  }
}

function refuse(code: VerifyErrorCode, message: string, expected: string, found: string, cause?: unknown): VerifyError {
  const check = code.startsWith('VERIFY_PROMISE')
    ? 'inclusion promise'
    : code.startsWith('VERIFY_CHECKPOINT')
      ? 'checkpoint'
      : 'inclusion proof'
  return new VerifyError(code, message, { cause, check, expected, found: found.slice(0, 200) })
}

/** API v1 signs with SHA-256 whatever the curve (contract/log-v1.md §4). */
function promiseScheme(key: PublicKey): SignatureScheme {
  if (key.type.kind === 'ed25519') return { kind: 'ed25519' }
  return { kind: key.type.kind === 'rsa' ? 'rsa-pkcs1' : 'ecdsa', hash: 'SHA2_256' }
}

/** Latest time that a Date can hold, in seconds. */
const MAX_SECONDS = 8_640_000_000_000n

/** The signed entry timestamp, over RFC 8785 JSON of these four members; they hold nothing that JSON would escape. */
function verifyPromise(
  entry: TransparencyLogEntry,
  promise: Uint8Array,
  log: TrustedLog,
  crypto: CryptoPort,
  what: string,
  checks: PerformedCheck[],
): Date {
  const { integratedTime, logIndex } = entry
  if (integratedTime === undefined || integratedTime > MAX_SECONDS)
    throw refuse(
      'VERIFY_PROMISE_INVALID',
      `the promise of ${what} has no time`,
      'an integrated time',
      String(integratedTime ?? 'none'),
    )
  const body = base64Encode(entry.canonicalizedBody)
  const signed = `{"body":"${body}","integratedTime":${integratedTime},"logID":"${log.logIdHex}","logIndex":${logIndex}}`
  if (!crypto.verify(log.key, promiseScheme(log.key), utf8Encode(signed), promise))
    throw refuse(
      'VERIFY_PROMISE_INVALID',
      `the promise of ${what} is not signed by the log`,
      `a signature by the key of ${log.name}`,
      'one that does not verify',
    )
  const time = new Date(Number(integratedTime) * 1000)
  checks.push({
    check: 'inclusion promise',
    subject: `${what} at ${time.toISOString()}`,
    against: `key of ${log.name}`,
  })
  checkLogWindow(log, time, checks)
  return time
}

/** The log's key must have been in use at a proven time. Throws VERIFY_LOG_WINDOW. */
export function checkLogWindow(log: TrustedLog, time: Date, checks: PerformedCheck[]): void {
  const { start, end } = log.instance.publicKey.validFor
  const period = `${start.toISOString()} to ${end?.toISOString() ?? 'now'}`
  if (!isWithin(time, log.instance.publicKey.validFor))
    throw new VerifyError('VERIFY_LOG_WINDOW', `the key of ${log.name} was not in use at that time`, {
      check: 'log key period',
      expected: period,
      found: time.toISOString(),
    })
  checks.push({ check: 'log key period', subject: time.toISOString(), against: `${log.name}: ${period}` })
}

function verifyProof(
  entry: TransparencyLogEntry,
  proof: InclusionProof,
  log: TrustedLog,
  crypto: CryptoPort,
  what: string,
  checks: PerformedCheck[],
): Checkpoint {
  const checkpoint = verifiedCheckpoint(proof.checkpoint, log, crypto)
  if (proof.treeSize !== checkpoint.size)
    throw refuse(
      'VERIFY_CHECKPOINT_MISMATCH',
      `the proof of ${what} is for another tree size`,
      String(checkpoint.size),
      String(proof.treeSize),
    )
  if (!equalBytes(proof.rootHash, checkpoint.root))
    throw refuse(
      'VERIFY_CHECKPOINT_MISMATCH',
      `the proof of ${what} is for another root`,
      hexEncode(checkpoint.root),
      hexEncode(proof.rootHash),
    )
  checks.push({
    check: 'checkpoint',
    subject: `${checkpoint.origin}, size ${checkpoint.size}, root ${hexEncode(checkpoint.root)}`,
    against: `key of ${log.name}`,
  })
  // Go proves with the outer index, Python and JS with the inner one: a v2 entry for which they differ would be two entries.
  if (isV2Kind(entry) && entry.logIndex !== proof.logIndex)
    throw refuse(
      'VERIFY_INCLUSION_PROOF',
      `the bundle gives two indexes for ${what}`,
      String(entry.logIndex),
      String(proof.logIndex),
    )
  const sha256 = (bytes: Uint8Array): Uint8Array => crypto.hash('SHA2_256', bytes)
  try {
    verifyInclusion({
      leafHash: leafHash(entry.canonicalizedBody, sha256),
      index: proof.logIndex,
      size: checkpoint.size,
      proof: proof.hashes,
      root: checkpoint.root,
      sha256,
    })
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    const { expected = `a path to root ${hexEncode(checkpoint.root)}`, found = cause.message } = cause.details
    throw refuse(
      'VERIFY_INCLUSION_PROOF',
      `${what} is not proven to be in the log: ${cause.message}`,
      expected,
      found,
      cause,
    )
  }
  checks.push({
    check: 'inclusion proof',
    subject: `leaf ${proof.logIndex}`,
    against: `root ${hexEncode(checkpoint.root)} of size ${checkpoint.size}`,
  })
  return checkpoint
}

/**
 * Root and size come from nothing but a checkpoint with the log's own signature. An origin `<host> - <tree id>` is one of API v1, whose tree id no
 * trusted root names; every other must be the host name of the log's URL (contract/bundle-and-oci.md §2.5).
 */
function verifiedCheckpoint(note: string, log: TrustedLog, crypto: CryptoPort): Checkpoint {
  let origin: string
  try {
    origin = parseCheckpoint(parseSignedNote(note).text).origin
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw refuse('VERIFY_CHECKPOINT_INVALID', cause.message, 'a signed checkpoint', note.slice(0, 80), cause)
  }
  const expected = isV1Origin(origin) ? undefined : hostNameOf(log)
  try {
    return verifyCheckpoint(
      note,
      { ...(expected === undefined ? {} : { origin: expected }), key: log.key, logId: log.instance.logId },
      crypto,
    )
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    const { expected: wanted = `a checkpoint by the key of ${log.name}`, found = origin } = cause.details
    throw refuse('VERIFY_CHECKPOINT_SIGNATURE', cause.message, wanted, found, cause)
  }
}

function hostNameOf(log: TrustedLog): string {
  const { baseUrl } = log.instance
  const host = URL.canParse(baseUrl) ? new URL(baseUrl).hostname : ''
  if (host === '')
    throw new VerifyError('VERIFY_LOG_KEY_UNUSABLE', 'the trusted root does not name the host of the log', {
      check: 'checkpoint',
      expected: 'a base URL with a host name',
      found: baseUrl || 'none',
    })
  return host
}
