import type { CryptoPort } from '@touchmark/crypto'
import { equalBytes, hexEncode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { isWithin } from '@touchmark/trust'
import {
  buildChain,
  embeddedScts,
  nameToString,
  precertEntryOf,
  verifySct,
  type Certificate,
  type CtEntry,
  type SignedCertificateTimestamp,
} from '@touchmark/x509'
import { VerifyError, type VerifyErrorCode } from './errors.js'
import type { PerformedCheck } from './result.js'
import { distinctAuthorities, type Voucher } from './threshold.js'
import type { TrustedCa, TrustedLog, TrustMaterial } from './trust-material.js'

/** Throws when the time lies outside the certificate's validity; both ends belong to it (RFC 5280 §4.1.2.5). */
export function checkWithinCertificate(
  code: VerifyErrorCode,
  check: string,
  time: Date,
  certificate: Certificate,
): void {
  const { notBefore, notAfter } = certificate
  if (time.getTime() >= notBefore.getTime() && time.getTime() <= notAfter.getTime()) return
  throw new VerifyError(code, 'the certificate was not valid at the time of signing', {
    check,
    expected: `${notBefore.toISOString()} to ${notAfter.toISOString()}`,
    found: time.toISOString(),
  })
}

/**
 * Finds a path from the certificate to an authority of the trusted root, valid as a whole at the proven time. Returns the certificate of the issuer.
 * Throws VERIFY_CERTIFICATE_EXPIRED, VERIFY_AUTHORITY_WINDOW, VERIFY_CHAIN_*.
 */
export function verifyPath(
  leaf: Certificate,
  time: Date,
  material: TrustMaterial,
  crypto: CryptoPort,
  checks: PerformedCheck[],
): Certificate {
  checkWithinCertificate('VERIFY_CERTIFICATE_EXPIRED', 'certificate validity', time, leaf)
  let failure: VerifyError | undefined
  for (const ca of material.certificateAuthorities) {
    try {
      const path = buildChain({
        leaf,
        intermediates: ca.intermediates,
        roots: [ca.anchor],
        at: time,
        purpose: 'codeSigning',
        crypto,
      })
      checkAuthorityWindow(ca, time)
      checks.push({
        check: 'certificate path',
        subject: path.map(({ subject }) => nameToString(subject) || 'leaf').join(' < '),
        against: `${ca.name} at ${time.toISOString()}`,
      })
      return path[1]!
    } catch (error) {
      const refused = error instanceof VerifyError ? error : pathFailure(error, ca, time)
      if (failure === undefined || rank(refused) > rank(failure)) failure = refused
    }
  }
  throw failure ?? unknownIssuer(leaf, material.description)
}

/** Of the failures with several authorities, the one that came furthest is worth telling. */
function rank({ code }: VerifyError): number {
  return [
    'VERIFY_CHAIN_UNKNOWN_ISSUER',
    'VERIFY_CHAIN_INVALID',
    'VERIFY_CHAIN_EXPIRED',
    'VERIFY_AUTHORITY_WINDOW',
  ].indexOf(code)
}

function checkAuthorityWindow({ name, validFor }: TrustedCa, time: Date): void {
  if (isWithin(time, validFor)) return
  throw new VerifyError('VERIFY_AUTHORITY_WINDOW', `${name} is not trusted at the time of signing`, {
    check: 'certificate authority period',
    expected: `${validFor?.start.toISOString() ?? 'any time'} to ${validFor?.end?.toISOString() ?? 'now'}`,
    found: time.toISOString(),
  })
}

function unknownIssuer(leaf: Certificate, authority: string, cause?: unknown): VerifyError {
  return new VerifyError('VERIFY_CHAIN_UNKNOWN_ISSUER', 'the certificate was not issued by a CA of the trusted root', {
    cause,
    check: 'certificate path',
    expected: authority,
    found: nameToString(leaf.issuer),
  })
}

const TIME_CODES = ['X509_CHAIN_EXPIRED', 'X509_CHAIN_NOT_YET_VALID']

function pathFailure(error: unknown, ca: TrustedCa, time: Date): VerifyError {
  if (!isCodedError(error)) throw error
  const code: VerifyErrorCode =
    error.code === 'X509_CHAIN_UNKNOWN_ISSUER' || error.code === 'X509_CHAIN_SIGNATURE'
      ? 'VERIFY_CHAIN_UNKNOWN_ISSUER'
      : TIME_CODES.includes(error.code)
        ? 'VERIFY_CHAIN_EXPIRED'
        : 'VERIFY_CHAIN_INVALID'
  return new VerifyError(code, `no path to ${ca.name}: ${error.message}`, {
    cause: error,
    check: 'certificate path',
    expected: `a path to ${ca.name} that is valid at ${time.toISOString()}`,
    found: error.message,
  })
}

/** The SCTs that the certificate carries. Throws VERIFY_SCT_MISSING, VERIFY_SCT_INVALID. */
export function sctsOf(leaf: Certificate): SignedCertificateTimestamp[] {
  try {
    return embeddedScts(leaf)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw sctError(
      cause.code === 'X509_SCT_MISSING' ? 'VERIFY_SCT_MISSING' : 'VERIFY_SCT_INVALID',
      cause.message,
      'a list of SCTs',
      'none',
      cause,
    )
  }
}

function sctError(
  code: VerifyErrorCode,
  message: string,
  expected: string,
  found: string,
  cause?: unknown,
): VerifyError {
  return new VerifyError(code, message, { cause, check: 'certificate log', expected, found })
}

/**
 * Checks that `threshold` distinct certificate logs of the trusted root have seen exactly this certificate, by this issuer (RFC 6962 §3.2).
 * An SCT of an unknown log counts for nothing; one of a known log must be right. Throws VERIFY_SCT_*.
 */
export function verifyScts(
  leaf: Certificate,
  issuer: Certificate,
  threshold: number,
  material: TrustMaterial,
  crypto: CryptoPort,
  checks: PerformedCheck[],
): void {
  const scts = sctsOf(leaf)
  const entry = precertEntry(leaf, issuer, crypto)
  const vouchers: Voucher[] = []
  for (const sct of scts) {
    const known = material.ctlog(sct.logId)
    if (known.found === 'unknown') continue
    if (known.found === 'unusable')
      throw sctError('VERIFY_LOG_KEY_UNUSABLE', known.why, 'a usable key', hexEncode(sct.logId))
    const log = verifyWithAny(sct, entry, known.logs, crypto)
    const time = new Date(sct.timestampMs)
    checks.push({ check: 'certificate log', subject: `SCT of ${time.toISOString()}`, against: `key of ${log.name}` })
    vouchers.push({ name: log.name, keyHex: hexEncode(log.key.spki) })
  }
  if (vouchers.length === 0)
    throw sctError(
      'VERIFY_SCT_LOG_UNKNOWN',
      'no certificate log of the trusted root has seen the certificate',
      'a log of the trusted root',
      scts.map(({ logId }) => hexEncode(logId)).join(', '),
    )
  const count = distinctAuthorities(vouchers)
  if (count < threshold)
    throw sctError(
      'VERIFY_SCT_THRESHOLD',
      'too few certificate logs have seen the certificate',
      `${threshold} distinct logs`,
      String(count),
    )
  checks.push({ check: 'certificate log threshold', subject: `${count} distinct`, against: `at least ${threshold}` })
}

function precertEntry(leaf: Certificate, issuer: Certificate, crypto: CryptoPort): CtEntry {
  try {
    return precertEntryOf(leaf, issuer, crypto)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw sctError('VERIFY_SCT_INVALID', cause.message, 'a certificate with one SCT list', 'another', cause)
  }
}

function verifyWithAny(
  sct: SignedCertificateTimestamp,
  entry: CtEntry,
  logs: readonly TrustedLog[],
  crypto: CryptoPort,
): TrustedLog {
  let first: VerifyError | undefined
  for (const log of logs) {
    const refused = sctProblem(sct, entry, log, crypto)
    if (refused === undefined) return log
    first ??= refused
  }
  throw first!
}

function sctProblem(
  sct: SignedCertificateTimestamp,
  entry: CtEntry,
  log: TrustedLog,
  crypto: CryptoPort,
): VerifyError | undefined {
  try {
    verifySct({ sct, entry, logKey: log.key, crypto })
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    return sctError(
      'VERIFY_SCT_INVALID',
      cause.message,
      `a signature by ${log.name} over this certificate`,
      'one that does not verify',
      cause,
    )
  }
  const time = new Date(sct.timestampMs)
  const { validFor } = log.instance.publicKey
  if (isWithin(time, validFor)) return undefined
  const period = `${validFor.start.toISOString()} to ${validFor.end?.toISOString() ?? 'now'}`
  return sctError(
    'VERIFY_SCT_WINDOW',
    `the key of ${log.name} was not in use at the time of the SCT`,
    period,
    time.toISOString(),
  )
}

/** True when a CA of the trusted root could have issued the certificate, by name and key identifier. Proves nothing. */
export function couldBeIssuedBy(leaf: Certificate, material: TrustMaterial): boolean {
  return material.certificateAuthorities.some(({ anchor, intermediates }) =>
    [...intermediates, anchor].some(
      (ca) =>
        equalBytes(ca.subject, leaf.issuer) &&
        (ca.ski === undefined || leaf.aki === undefined || equalBytes(ca.ski, leaf.aki)),
    ),
  )
}
