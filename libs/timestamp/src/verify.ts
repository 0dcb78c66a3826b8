import type { CryptoPort, HashAlgorithm } from '@touchmark/crypto'
import { derInteger, DerReader, equalBytes, hexEncode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { buildChain, type Certificate } from '@touchmark/x509'
import { hashOfOid, OID, schemeFitsKey, schemeOfSignerInfo } from './algorithms.js'
import type { TimestampAuthority } from './authority.js'
import { purposeIsCritical } from './chain.js'
import { refusedAs, TimestampError, type TimestampErrorCode } from './errors.js'
import { parseTimestampResponse } from './response.js'
import type { SignerInfo, TimestampToken } from './signed-data.js'
import { signedAttribute, checkSigningCertificate } from './signed-attributes.js'
import { parseTstInfo, type TstInfo } from './tst-info.js'

export interface VerifyTimestampInput {
  /** The whole TimeStampResp, DER. */
  readonly response: Uint8Array
  /** What was timestamped: in a bundle the signature's bytes. */
  readonly message: Uint8Array
  readonly authorities: readonly TimestampAuthority[]
  readonly crypto: CryptoPort
  /** The nonce that was sent; a token without this one is refused. */
  readonly nonce?: bigint
}

export interface VerifiedTimestamp {
  readonly time: Date
  /** Index into the authorities that were given. */
  readonly authority: number
  readonly tstInfo: TstInfo
  /** Hash of the message imprint. */
  readonly hashAlgorithm: HashAlgorithm
}

/** The parts of a token that are proven to belong together by {@link verifyTimestamp}'s first half. */
interface Opened {
  readonly token: TimestampToken
  readonly signer: SignerInfo
  readonly tstInfo: TstInfo
}

/**
 * Verifies a timestamp response over `message` against trusted authorities (tsa.md §5). Exactly one signer, who must be the pinned leaf of an
 * authority: certificates inside the token are compared with the pinned ones and never used in their place. All certificates must be valid at genTime.
 * Throws TimestampError with one code for each check; TIMESTAMP_AUTHORITY_UNKNOWN when no given authority has signed.
 */
export function verifyTimestamp(input: VerifyTimestampInput): VerifiedTimestamp {
  const opened = open(input.response)
  const { signer, tstInfo } = opened
  const hashAlgorithm = checkImprint(tstInfo, input)
  if (input.nonce !== undefined) checkNonce(tstInfo, input.nonce)
  const candidates = input.authorities
    .map((authority, index) => ({ authority, index }))
    .filter(({ authority }) => isSigner(signer, authority.leaf))
  let first: unknown
  // More than one item can hold the same leaf, with different windows; one that fits is enough.
  for (const { authority, index } of candidates) {
    try {
      verifyWith(opened, authority, input.crypto)
      return { time: tstInfo.genTime, authority: index, tstInfo, hashAlgorithm }
    } catch (error) {
      if (!isCodedError(error)) throw error
      first ??= error
    }
  }
  if (first !== undefined) throw first
  throw new TimestampError(
    'TIMESTAMP_AUTHORITY_UNKNOWN',
    'the timestamp was signed by no trusted timestamp authority',
    {
      check: 'timestamp authority',
      expected: `one of ${input.authorities.length} trusted authorities`,
      found: `certificate with serial number ${hexEncode(signer.serialNumber)}`,
      hint: 'use the trusted root of the instance that made the timestamp',
    },
  )
}

function fail(code: TimestampErrorCode, message: string, expected?: string, found?: string): never {
  throw new TimestampError(code, message, {
    check: 'timestamp',
    ...(expected === undefined ? {} : { expected }),
    ...(found === undefined ? {} : { found }),
  })
}

function open(response: Uint8Array): Opened {
  const { status, token } = parseTimestampResponse(response)
  if (status !== 0)
    fail('TIMESTAMP_STATUS_NOT_GRANTED', 'the authority did not grant the timestamp', '0 (granted)', String(status))
  if (token === undefined) fail('TIMESTAMP_RESPONSE_INVALID', 'the response holds no token')
  const signer = token.signerInfos[0]
  if (signer === undefined || token.signerInfos.length !== 1)
    fail('TIMESTAMP_SIGNER_COUNT', 'a timestamp token must have one signer', '1', String(token.signerInfos.length))
  if (token.version !== 3n || signer.version !== 1n)
    fail('TIMESTAMP_RESPONSE_INVALID', 'SignedData is not version 3 or SignerInfo is not version 1')
  return { token, signer, tstInfo: parseTstInfo(token.tstInfoBytes) }
}

function checkImprint(tstInfo: TstInfo, { message, crypto }: VerifyTimestampInput): HashAlgorithm {
  const { hashAlgorithm, digest } = tstInfo
  if (hashAlgorithm === undefined)
    fail(
      'TIMESTAMP_ALGORITHM_UNSUPPORTED',
      'the imprint has an unsupported hash',
      'SHA-256, SHA-384 or SHA-512',
      tstInfo.imprintAlgorithm.oid,
    )
  const expected = crypto.hash(hashAlgorithm, message)
  if (!equalBytes(expected, digest))
    fail('TIMESTAMP_IMPRINT_MISMATCH', 'the timestamp is over other bytes', hexEncode(expected), hexEncode(digest))
  return hashAlgorithm
}

function checkNonce(tstInfo: TstInfo, nonce: bigint): void {
  const expected = new DerReader(derInteger(nonce)).integerBytes()
  if (tstInfo.nonce === undefined || !equalBytes(tstInfo.nonce, expected))
    fail('TIMESTAMP_NONCE_MISMATCH', 'the token does not carry the nonce that was sent')
}

function isSigner(signer: SignerInfo, leaf: Certificate): boolean {
  return equalBytes(signer.issuer, leaf.issuer) && equalBytes(signer.serialNumber, leaf.serialNumber)
}

function verifyWith(opened: Opened, authority: TimestampAuthority, crypto: CryptoPort): void {
  const { token, signer, tstInfo } = opened
  checkEmbedded(token, authority)
  checkLeaf(authority)
  checkTimes(tstInfo.genTime, authority)
  checkChain(tstInfo.genTime, authority, crypto)
  checkAttributes(opened, authority, crypto)
  checkSignature(signer, authority.leaf, crypto)
  checkName(tstInfo, authority.leaf)
}

/** reliability.md T3, CVE-2026-39984: nothing in the token may stand for, or beside, the pinned certificates. */
function checkEmbedded({ certificates = [] }: TimestampToken, { leaf, intermediates, root }: TimestampAuthority): void {
  if (certificates.length === 0) return
  if (!certificates.some((der) => equalBytes(der, leaf.der)))
    fail('TIMESTAMP_EMBEDDED_MISMATCH', "the token's certificate is not the authority's pinned leaf")
  const pinned = [leaf, ...intermediates, root]
  for (const [index, der] of certificates.entries()) {
    const known = pinned.some((certificate) => equalBytes(certificate.der, der))
    const repeated = certificates.some((other, at) => at < index && equalBytes(other, der))
    if (!known || repeated)
      fail('TIMESTAMP_EXTRA_CERTIFICATE', "the token holds a certificate that is not of the authority's chain")
  }
}

function checkLeaf({ leaf, root }: TimestampAuthority): void {
  if (equalBytes(leaf.der, root.der))
    fail(
      'TIMESTAMP_AUTHORITY_INVALID',
      'the trusted authority has one certificate only; a leaf and its root are needed',
    )
  if (leaf.basicConstraints?.ca === true) fail('TIMESTAMP_SIGNER_IS_CA', "the authority's leaf is a CA certificate")
  const purposes = leaf.extKeyUsage ?? []
  if (purposes.length !== 1 || purposes[0] !== OID.timeStampingPurpose)
    fail('TIMESTAMP_EKU_NOT_TIMESTAMPING', 'the leaf is not for timestamps alone', 'timeStamping', purposes.join(', '))
  if (!purposeIsCritical(leaf)) fail('TIMESTAMP_EKU_NOT_CRITICAL', "the leaf's extended key usage is not critical")
  const usage = leaf.keyUsage
  if (usage !== undefined && !usage.digitalSignature && !usage.contentCommitment)
    fail('TIMESTAMP_KEY_USAGE', "the leaf's key usage does not allow signatures")
}

function checkTimes(genTime: Date, { leaf, intermediates, root, validFor }: TimestampAuthority): void {
  for (const { notBefore, notAfter } of [leaf, ...intermediates, root])
    if (genTime < notBefore || genTime > notAfter)
      fail(
        'TIMESTAMP_OUTSIDE_CERTIFICATE_VALIDITY',
        'a certificate of the timestamp authority was not valid at the time it states',
        `${notBefore.toISOString()} to ${notAfter.toISOString()}`,
        genTime.toISOString(),
      )
  const { start, end } = validFor ?? {}
  if ((start !== undefined && genTime < start) || (end !== undefined && genTime > end))
    fail(
      'TIMESTAMP_OUTSIDE_VALID_FOR',
      'the trusted root does not trust the timestamp authority at that time',
      `${start?.toISOString() ?? 'any time'} to ${end?.toISOString() ?? 'any time'}`,
      genTime.toISOString(),
    )
}

// Whether pinned certificates make a chain does not depend on the token: their dates are checked above, for every token. A verifier keeps its
// authorities, and a P-384 signature costs more than all the rest.
const proven = new WeakMap<CryptoPort, WeakSet<TimestampAuthority>>()

function checkChain(genTime: Date, authority: TimestampAuthority, crypto: CryptoPort): void {
  if (proven.get(crypto)?.has(authority) === true) return
  const { leaf, intermediates, root } = authority
  refusedAs('TIMESTAMP_CHAIN_INVALID', "the timestamp authority's certificates", () =>
    buildChain({ leaf, intermediates, roots: [root], at: genTime, purpose: 'timeStamping', crypto }),
  )
  const known = proven.get(crypto)
  if (known === undefined) proven.set(crypto, new WeakSet([authority]))
  else known.add(authority)
}

function checkAttributes({ token, signer }: Opened, authority: TimestampAuthority, crypto: CryptoPort): void {
  const hash = hashOfOid(signer.digestAlgorithm.oid)
  if (hash === undefined)
    fail(
      'TIMESTAMP_ALGORITHM_UNSUPPORTED',
      'the signer uses an unsupported hash',
      undefined,
      signer.digestAlgorithm.oid,
    )
  const contentType = signedAttribute(signer, OID.contentType)
  if (contentType === undefined) fail('TIMESTAMP_ATTRIBUTES_INVALID', 'the attribute contentType is missing')
  if (contentType.readOid() !== OID.tstInfo)
    fail('TIMESTAMP_ATTRIBUTE_CONTENT_TYPE', 'the signed content type is not that of a TSTInfo')
  const messageDigest = signedAttribute(signer, OID.messageDigest)
  if (messageDigest === undefined) fail('TIMESTAMP_ATTRIBUTES_INVALID', 'the attribute messageDigest is missing')
  if (!equalBytes(messageDigest.readOctets(), crypto.hash(hash, token.tstInfoBytes)))
    fail('TIMESTAMP_MESSAGE_DIGEST_MISMATCH', 'the signature is over another TSTInfo')
  checkSigningCertificate(signer, authority, crypto)
}

function checkSignature(signer: SignerInfo, leaf: Certificate, crypto: CryptoPort): void {
  const hash = hashOfOid(signer.digestAlgorithm.oid)
  const scheme = hash === undefined ? undefined : schemeOfSignerInfo(signer.signatureAlgorithm, hash)
  if (scheme === undefined)
    fail(
      'TIMESTAMP_ALGORITHM_UNSUPPORTED',
      'the signature algorithm is not supported',
      undefined,
      signer.signatureAlgorithm.oid,
    )
  const key = refusedAs('TIMESTAMP_ALGORITHM_UNSUPPORTED', "the authority's key", () => leaf.publicKey)
  if (!schemeFitsKey(scheme, key) || ('hash' in scheme && scheme.hash !== hash))
    fail('TIMESTAMP_ALGORITHM_MISMATCH', "the token's algorithms do not fit each other or the authority's key")
  if (!crypto.verify(key, scheme, signer.signedBytes, signer.signature))
    fail('TIMESTAMP_SIGNATURE_INVALID', "the token's signature is not by the timestamp authority's key")
}

/** RFC 3161 §2.4.2: `tsa`, when present, must be a name of the certificate. Only a directoryName can be compared. */
function checkName({ tsa }: TstInfo, leaf: Certificate): void {
  if (tsa === undefined || tsa[0] !== 0xa4) return
  const name = new DerReader(tsa).any().content
  if (!equalBytes(name, leaf.subject))
    fail('TIMESTAMP_TSA_NAME_MISMATCH', "the token names another authority than its signer's certificate")
}
