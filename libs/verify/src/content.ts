import {
  IN_TOTO_PAYLOAD_TYPE,
  pae,
  parseStatement,
  type Bundle,
  type BundleContent,
  type DsseEnvelope,
  type MessageSignature,
  type Statement,
} from '@touchmark/bundle'
import type { CryptoPort, HashAlgorithm, KeyDetails, PublicKey } from '@touchmark/crypto'
import { equalBytes } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { digestText, type ArtifactDigests } from './artifact.js'
import { VerifyError } from './errors.js'
import type { PerformedCheck } from './result.js'
import { acceptedDetails } from './signer.js'

/** The signed thing, once its signature has been found to be by the claimed key. */
export interface SignedContent {
  /** Raw signature bytes: what timestamps are over. */
  readonly signature: Uint8Array
  /** How it was signed. */
  readonly details: KeyDetails
  readonly message?: MessageSignature
  readonly envelope?: DsseEnvelope
  /** Digest of what was signed, the artifact or the envelope's PAE: what a hashedrekord entry holds. */
  digest(algorithm: HashAlgorithm): Uint8Array
}

const HASHES_OF_STATEMENT: readonly [string, HashAlgorithm][] = [
  ['sha256', 'SHA2_256'],
  ['sha384', 'SHA2_384'],
  ['sha512', 'SHA2_512'],
]

const ALL_HASHES = HASHES_OF_STATEMENT.map(([, algorithm]) => algorithm)

/**
 * The digests that a verification of this bundle needs, at least one, for callers that hash a large artifact themselves and pass digests: with all of them
 * the verdict is the one over the artifact itself. Comes from unverified parts, which is of no harm: another digest than the right one verifies nothing.
 * Pure Ed25519 messages, which no log takes, need the artifact itself.
 */
export function digestAlgorithmsOf({ content }: Bundle): readonly HashAlgorithm[] {
  if (content.kind === 'message') {
    const { messageDigest } = content.message
    return messageDigest === undefined ? ALL_HASHES : [messageDigest.algorithm]
  }
  let statement: Statement
  try {
    statement = parseStatement(content.envelope.payload)
  } catch (error) {
    if (!isCodedError(error)) throw error
    // The verifier says what is wrong with it.
    return ['SHA2_256']
  }
  const named = HASHES_OF_STATEMENT.filter(([name]) => statement.subjects.some(({ digest }) => digest.has(name)))
  return named.length === 0 ? ['SHA2_256'] : named.map(([, algorithm]) => algorithm)
}

/** Checks the signature by the claimed key. Throws VERIFY_ARTIFACT_CHANGED, VERIFY_DIGEST_ALGORITHM, VERIFY_SIGNATURE_INVALID. */
export function verifySignature(
  content: BundleContent,
  key: PublicKey,
  artifact: ArtifactDigests,
  crypto: CryptoPort,
  checks: PerformedCheck[],
): SignedContent {
  return content.kind === 'message'
    ? verifyMessage(content.message, key, artifact, checks)
    : verifyEnvelope(content.envelope, key, crypto, checks)
}

function verifyMessage(
  message: MessageSignature,
  key: PublicKey,
  artifact: ArtifactDigests,
  checks: PerformedCheck[],
): SignedContent {
  const { messageDigest, signature } = message
  const accepted = acceptedDetails(key)
  const candidates = messageDigest ? accepted.filter((one) => one.hash === messageDigest.algorithm) : accepted
  if (messageDigest !== undefined) {
    if (candidates.length === 0)
      throw new VerifyError('VERIFY_DIGEST_ALGORITHM', `such a key does not sign ${messageDigest.algorithm} digests`, {
        check: 'artifact digest',
        expected: [...new Set(accepted.map((one) => one.hash))].join(' or '),
        found: messageDigest.algorithm,
      })
    // An unsigned hint, yet the one place where a changed file can be told from a bad signature.
    const { algorithm, digest } = messageDigest
    const own = artifact.digest(algorithm)
    if (!equalBytes(own, digest))
      throw new VerifyError('VERIFY_ARTIFACT_CHANGED', 'the artifact is not the one that was signed', {
        check: 'artifact digest',
        expected: digestText(algorithm, digest),
        found: digestText(algorithm, own),
      })
    checks.push({
      check: 'artifact digest',
      subject: digestText(algorithm, own),
      against: 'the bundle’s message digest',
    })
  }
  // Without a hint and with a digest in hand, only the ways of signing with that digest can be tried.
  const possible = candidates.filter((one) => artifact.optional(one.hash) !== undefined)
  if (possible.length === 0) artifact.digest(candidates[0]!.hash)
  const details = possible.find((one) => artifact.isSignedBy(key, one, signature))
  if (details === undefined) throw badSignature('the artifact')
  checks.push({ check: 'signature', subject: 'message signature', against: `${details.name} key over the artifact` })
  return { signature, details, message, digest: (algorithm) => artifact.digest(algorithm) }
}

function verifyEnvelope(
  envelope: DsseEnvelope,
  key: PublicKey,
  crypto: CryptoPort,
  checks: PerformedCheck[],
): SignedContent {
  const signed = pae(envelope.payloadType, envelope.payload)
  const signature = envelope.signature.sig
  const details = acceptedDetails(key).find((one) => crypto.verify(key, one.scheme, signed, signature))
  if (details === undefined) throw badSignature('the envelope')
  checks.push({
    check: 'signature',
    subject: 'envelope signature',
    against: `${details.name} key over the DSSE encoding`,
  })
  return { signature, details, envelope, digest: (algorithm) => crypto.hash(algorithm, signed) }
}

function badSignature(over: string): VerifyError {
  return new VerifyError('VERIFY_SIGNATURE_INVALID', `the signature is not by the signer's key over ${over}`, {
    check: 'signature',
    expected: `a signature over ${over}`,
    found: 'one that does not verify',
  })
}

/**
 * Reads the statement of an envelope whose signature holds, and ties it to the artifact: one of its subjects must have a digest equal to the artifact's,
 * and none of that subject's other digests that can be computed may differ. Throws VERIFY_STATEMENT_INVALID, VERIFY_SUBJECT_MISMATCH.
 */
export function verifyStatement(
  envelope: DsseEnvelope,
  artifact: ArtifactDigests,
  checks: PerformedCheck[],
): Statement {
  const statement = readStatement(envelope)
  for (const { name, digest } of statement.subjects) {
    const compared = HASHES_OF_STATEMENT.flatMap(([inToto, algorithm]) => {
      const claimed = digest.get(inToto)
      const own = claimed && artifact.optional(algorithm)
      return claimed && own ? [{ algorithm, own, equal: equalBytes(claimed, own) }] : []
    })
    if (compared.length === 0 || compared.some(({ equal }) => !equal)) continue
    const { algorithm, own } = compared[0]!
    checks.push({ check: 'statement subject', subject: digestText(algorithm, own), against: `subject "${name}"` })
    return statement
  }
  const claims = statement.subjects.flatMap(({ digest }) =>
    HASHES_OF_STATEMENT.flatMap(([inToto, algorithm]) => {
      const claimed = digest.get(inToto)
      return claimed === undefined ? [] : [digestText(algorithm, claimed)]
    }),
  )
  const { algorithm, digest } = artifact.describe('SHA2_256')
  throw new VerifyError('VERIFY_SUBJECT_MISMATCH', 'the attestation is not about this artifact', {
    check: 'statement subject',
    expected:
      (claims.slice(0, 3).join(', ') || 'no digest that is known') +
      (claims.length > 3 ? `, … (${claims.length} subjects)` : ''),
    found: digestText(algorithm, digest),
  })
}

function readStatement(envelope: DsseEnvelope): Statement {
  const refuse = (message: string, found: string, cause?: unknown): never => {
    throw new VerifyError('VERIFY_STATEMENT_INVALID', message, {
      cause,
      check: 'statement',
      expected: `an in-toto statement (${IN_TOTO_PAYLOAD_TYPE})`,
      found,
    })
  }
  if (envelope.payloadType !== IN_TOTO_PAYLOAD_TYPE)
    refuse('the envelope holds no in-toto statement', envelope.payloadType)
  try {
    return parseStatement(envelope.payload)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    return refuse(cause.message, 'a payload that is none', cause)
  }
}
