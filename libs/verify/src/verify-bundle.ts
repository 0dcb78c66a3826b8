import type { Bundle, TransparencyLogEntry } from '@touchmark/bundle'
import type { CryptoPort } from '@touchmark/crypto'
import { hexEncode } from '@touchmark/encoding'
import type { TrustedRoot } from '@touchmark/trust'
import { nameToString, type Certificate } from '@touchmark/x509'
import { ArtifactDigests, type Artifact } from './artifact.js'
import { checkWithinCertificate, couldBeIssuedBy, verifyPath, verifyScts } from './certificate.js'
import { verifySignature, verifyStatement } from './content.js'
import { verifyEntryBody, type EntrySubject } from './entry-body.js'
import { VerifyError } from './errors.js'
import { checkLogWindow, verifyLogEntry, type ProvenEntry } from './log-entry.js'
import { enforcePolicy, validatePolicy, type Policy } from './policy.js'
import type { PerformedCheck, VerificationResult, VerifiedContent } from './result.js'
import { claimedSigner, signerOf, type ClaimedSigner, type KeyTrust } from './signer.js'
import { distinctAuthorities } from './threshold.js'
import { verifyTimestamps, type ProvenTime } from './times.js'
import { trustMaterialOf, type TrustMaterial } from './trust-material.js'

export interface VerifyBundleInput {
  /** From `parseBundle`. */
  readonly bundle: Bundle
  readonly artifact: Artifact
  /** A trusted root, for bundles signed with a certificate; or the signer's key, with the root that its log entries are held against. */
  readonly trust: TrustedRoot | KeyTrust
  readonly policy: Policy
  readonly crypto: CryptoPort
}

/**
 * Verifies a bundle (contract/bundle-and-oci.md §2): every check, or an error. Pure, synchronous and offline; it knows no clock: the time of
 * signing is what authorities of the trusted root vouch for.
 *
 * In this order, so that the error is the one that helps most: policy well-formed, signer known, artifact and signature, timestamps, log entries (body,
 * promise, checkpoint, inclusion), certificate path and certificate logs at each proven time, windows, statement, and last what the policy wants.
 *
 * Throws VerifyError (the proof is bad) or PolicyError (the policy says no, or is none), both with check, expected, found and hint; nothing else.
 */
export function verifyBundle(input: VerifyBundleInput): VerificationResult {
  const { bundle, policy, crypto } = input
  const keys = 'tlogs' in input.trust ? undefined : input.trust
  const root = 'tlogs' in input.trust ? input.trust : input.trust.root
  validatePolicy(policy, keys === undefined ? 'certificate' : 'key')
  const material = root && trustMaterialOf(root)
  const claimed = claimedSigner(bundle, keys, crypto)
  if (claimed.kind === 'certificate') refuseOtherInstance(claimed.certificate, bundle, material!)

  const checks: PerformedCheck[] = []
  const artifact = new ArtifactDigests(input.artifact, crypto)
  if (claimed.kind === 'key') checks.push({ check: 'public key', subject: 'bundle', against: 'the key that was given' })
  const signed = verifySignature(bundle.content, claimed.key, artifact, crypto, checks)
  const stamped = verifyTimestamps(bundle.timestamps, signed.signature, material, crypto, checks)
  const entries = verifyEntries(
    bundle.tlogEntries,
    { content: signed, signer: claimed, crypto },
    material,
    policy,
    checks,
  )
  const times = [...stamped, ...entries.flatMap(timeOf)]
  if (claimed.kind === 'certificate')
    verifyCertificate(claimed.certificate, bundle, times, material!, policy, crypto, checks)
  checkLogWindows(entries, times, checks)
  checkTimes(times, claimed, policy, checks)

  const content: VerifiedContent = signed.envelope
    ? {
        kind: 'attestation',
        payload: signed.envelope.payload,
        statement: verifyStatement(signed.envelope, artifact, checks),
      }
    : { kind: 'message' }
  const signer = signerOf(claimed)
  checks.push(...enforcePolicy(policy, signer, content))
  return {
    signer,
    artifact: artifact.describe(signed.details.hash),
    content,
    times: times.map(({ verified }) => verified),
    logEntries: entries.map(({ verified }) => verified),
    checks,
  }
}

/** Unknown CA and only unknown logs: not a forgery to explain check by check, but a bundle of somewhere else. */
function refuseOtherInstance(leaf: Certificate, bundle: Bundle, material: TrustMaterial): void {
  if (couldBeIssuedBy(leaf, material)) return
  if (bundle.tlogEntries.some(({ logId }) => material.tlog(logId).found !== 'unknown')) return
  const logs = bundle.tlogEntries.map(({ logId }) => hexEncode(logId).slice(0, 16))
  throw new VerifyError(
    'VERIFY_OTHER_INSTANCE',
    'the bundle was made at another instance than the one that is trusted',
    {
      check: 'trusted root',
      expected: material.description,
      found: `a certificate by ${nameToString(leaf.issuer)}${logs.length > 0 ? `, log ${logs.join(', ')}` : ''}`,
    },
  )
}

function verifyEntries(
  entries: readonly TransparencyLogEntry[],
  subject: EntrySubject,
  material: TrustMaterial | undefined,
  policy: Policy,
  checks: PerformedCheck[],
): ProvenEntry[] {
  if (policy.skip?.includes('log') === true) {
    checks.push({ check: 'log skipped', subject: `${entries.length} entries`, against: 'nothing: the policy says so' })
    return []
  }
  if (entries.length === 0)
    throw refuse('VERIFY_ENTRY_MISSING', 'the bundle has no log entry', 'an entry of a transparency log', 'none')
  if (material === undefined)
    throw refuse(
      'VERIFY_TRUSTED_ROOT_MISSING',
      'there is no trusted root to hold the log entry against',
      'a trusted root',
      'none',
    )
  const proven: ProvenEntry[] = []
  for (const entry of entries) {
    const known = material.tlog(entry.logId)
    if (known.found === 'unknown') {
      checks.push({
        check: 'log entry ignored',
        subject: `log ${hexEncode(entry.logId)}`,
        against: 'not in the trusted root',
      })
      continue
    }
    if (known.found === 'unusable')
      throw refuse('VERIFY_LOG_KEY_UNUSABLE', `the log's key cannot be used: ${known.why}`, 'a usable key', known.why)
    // The cheap comparison first: an entry of another signature proves nothing, however well it is proven itself.
    verifyEntryBody(entry, subject, checks)
    if (subject.signer.kind === 'certificate' && entry.integratedTime !== undefined)
      checkEntryTime(entry.integratedTime, subject.signer.certificate, checks)
    proven.push(verifyLogEntry(entry, known.logs, subject.crypto, checks))
  }
  if (proven.length === 0)
    throw refuse(
      'VERIFY_LOG_UNKNOWN',
      'no log of the trusted root holds the signature',
      'a log of the trusted root',
      entries.map(({ logId }) => hexEncode(logId)).join(', '),
    )
  const threshold = policy.thresholds?.logs ?? 1
  const count = distinctAuthorities(proven.map(({ log }) => ({ name: log.name, keyHex: hexEncode(log.key.spki) })))
  if (count < threshold)
    throw refuse('VERIFY_LOG_THRESHOLD', 'too few logs hold the signature', `${threshold} distinct logs`, String(count))
  checks.push({ check: 'log threshold', subject: `${count} distinct`, against: `at least ${threshold}` })
  return proven
}

function refuse(
  code: ConstructorParameters<typeof VerifyError>[0],
  message: string,
  expected: string,
  found: string,
): VerifyError {
  return new VerifyError(code, message, { check: 'log entry', expected, found })
}

/** The log's own word for the time must fit the certificate, signed or not: nobody honest writes another. */
function checkEntryTime(seconds: bigint, certificate: Certificate, checks: PerformedCheck[]): void {
  // Beyond what a Date holds it is NaN, which lies in no validity.
  const time = new Date(Number(seconds) * 1000)
  checkWithinCertificate(
    'VERIFY_ENTRY_TIME',
    'log entry time',
    Number.isNaN(time.getTime()) ? new Date(8.64e15) : time,
    certificate,
  )
  checks.push({ check: 'log entry time', subject: time.toISOString(), against: 'validity of the certificate' })
}

function timeOf({ verified, log }: ProvenEntry): ProvenTime[] {
  const { integratedTime } = verified
  if (integratedTime === undefined) return []
  return [
    {
      verified: { time: integratedTime, source: 'transparency log', authority: log.name },
      authorityKeyHex: hexEncode(log.key.spki),
    },
  ]
}

function verifyCertificate(
  leaf: Certificate,
  bundle: Bundle,
  times: readonly ProvenTime[],
  material: TrustMaterial,
  policy: Policy,
  crypto: CryptoPort,
  checks: PerformedCheck[],
): void {
  if (times.length === 0)
    throw new VerifyError('VERIFY_TIME_MISSING', 'nobody who is trusted says when the signature was made', {
      check: 'timestamp',
      expected: 'a timestamp, or a time that the log promised',
      found: bundle.timestamps.length === 0 ? 'none' : `${bundle.timestamps.length} of unknown authorities`,
    })
  const issuers = new Set<Certificate>()
  for (const { verified } of times) issuers.add(verifyPath(leaf, verified.time, material, crypto, checks))
  if (policy.skip?.includes('certificate log') === true) {
    checks.push({ check: 'certificate log skipped', subject: 'certificate', against: 'nothing: the policy says so' })
    return
  }
  const threshold = policy.thresholds?.certificateLogs ?? 1
  for (const issuer of issuers) verifyScts(leaf, issuer, threshold, material, crypto, checks)
}

/** Entries without a promise have no time of their own: their log must have been in use at every proven time (reliability.md V4). */
function checkLogWindows(
  entries: readonly ProvenEntry[],
  times: readonly ProvenTime[],
  checks: PerformedCheck[],
): void {
  for (const { verified, log } of entries)
    if (verified.integratedTime === undefined) for (const time of times) checkLogWindow(log, time.verified.time, checks)
}

function checkTimes(
  times: readonly ProvenTime[],
  claimed: ClaimedSigner,
  policy: Policy,
  checks: PerformedCheck[],
): void {
  const threshold = policy.thresholds?.times ?? (claimed.kind === 'certificate' ? 1 : 0)
  if (threshold === 0) return
  const count = distinctAuthorities(
    times.map(({ verified, authorityKeyHex }) => ({ name: verified.authority, keyHex: authorityKeyHex })),
  )
  if (count < threshold)
    throw new VerifyError('VERIFY_TIME_THRESHOLD', 'too few authorities vouch for the time', {
      check: 'timestamp',
      expected: `${threshold} distinct authorities`,
      found: String(count),
    })
  checks.push({ check: 'time threshold', subject: `${count} distinct`, against: `at least ${threshold}` })
}
