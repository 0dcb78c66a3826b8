import type { CryptoPort } from '@touchmark/crypto'
import { hexEncode } from '@touchmark/encoding'
import { isCodedError, type CodedError } from '@touchmark/errors'
import { verifyTimestamp } from '@touchmark/timestamp'
import { VerifyError, type VerifyErrorCode } from './errors.js'
import type { PerformedCheck, VerifiedTime } from './result.js'
import type { TrustMaterial } from './trust-material.js'

/** A time and who vouches for it: two items with one key or one address are one authority. */
export interface ProvenTime {
  readonly verified: VerifiedTime
  readonly authorityKeyHex: string
}

const WINDOW_CODES = ['TIMESTAMP_OUTSIDE_CERTIFICATE_VALIDITY', 'TIMESTAMP_OUTSIDE_VALID_FOR']

/**
 * Verifies the timestamps over the signature. One of an authority that the root does not know is passed over (and counts for nothing); one that claims to be
 * of a known authority must be right in everything, since no honest bundle has a broken one. Throws VERIFY_TIMESTAMP_*.
 */
export function verifyTimestamps(
  timestamps: readonly Uint8Array[],
  signature: Uint8Array,
  material: TrustMaterial | undefined,
  crypto: CryptoPort,
  checks: PerformedCheck[],
): ProvenTime[] {
  const trusted = material?.timestampAuthorities ?? []
  return timestamps.flatMap((response, i) => {
    const what = `timestamp ${i + 1}`
    try {
      const authorities = trusted.map(({ authority }) => authority)
      const { time, authority } = verifyTimestamp({ response, message: signature, authorities, crypto })
      const { name } = trusted[authority]!
      checks.push({
        check: 'timestamp',
        subject: `${what}: ${time.toISOString()}`,
        against: `${name}, over the signature`,
      })
      return [
        {
          verified: { time, source: 'timestamp authority' as const, authority: name },
          authorityKeyHex: hexEncode(authorities[authority]!.leaf.spki),
        },
      ]
    } catch (cause) {
      if (!isCodedError(cause)) throw cause
      if (cause.code !== 'TIMESTAMP_AUTHORITY_UNKNOWN') throw refusal(cause, what)
      checks.push({ check: 'timestamp ignored', subject: what, against: 'no authority of the trusted root made it' })
      return []
    }
  })
}

function refusal(cause: CodedError, what: string): VerifyError {
  const code: VerifyErrorCode =
    cause.code === 'TIMESTAMP_IMPRINT_MISMATCH'
      ? 'VERIFY_TIMESTAMP_OTHER_BYTES'
      : WINDOW_CODES.includes(cause.code)
        ? 'VERIFY_TIMESTAMP_WINDOW'
        : 'VERIFY_TIMESTAMP_INVALID'
  const { expected = 'a timestamp over the signature by a trusted authority', found = cause.message } = cause.details
  return new VerifyError(code, `${what}: ${cause.message}`, { cause, check: 'timestamp', expected, found })
}
