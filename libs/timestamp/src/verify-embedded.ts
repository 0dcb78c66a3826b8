import type { CryptoPort } from '@touchmark/crypto'
import { equalBytes, hexEncode } from '@touchmark/encoding'
import { parseCertificate, type Certificate } from '@touchmark/x509'
import { hashOfOid, OID, schemeFitsKey, schemeOfSignerInfo } from './algorithms.js'
import { refusedAs, TimestampError } from './errors.js'
import { signedAttribute } from './signed-attributes.js'
import type { SignerInfo, TimestampToken } from './signed-data.js'

/**
 * Checks that each signer of a token made its signature with the key of a certificate that the token brings. This says nothing about who that is:
 * a log takes tokens this way (log-v1.md §6), a verifier MUST use verifyTimestamp.
 * Throws TIMESTAMP_EMBEDDED_MISMATCH when there is no such certificate, TIMESTAMP_SIGNER_COUNT, TIMESTAMP_SIGNATURE_INVALID, TIMESTAMP_MESSAGE_DIGEST_MISMATCH,
 * TIMESTAMP_ATTRIBUTES_INVALID, TIMESTAMP_ALGORITHM_UNSUPPORTED, TIMESTAMP_ALGORITHM_MISMATCH.
 */
export function verifyEmbeddedSigners(token: TimestampToken, crypto: CryptoPort): void {
  if (token.signerInfos.length === 0) throw new TimestampError('TIMESTAMP_SIGNER_COUNT', 'the token has no signer')
  const certificates = (token.certificates ?? []).map((der) =>
    refusedAs('TIMESTAMP_EMBEDDED_MISMATCH', 'a certificate of the token', () => parseCertificate(der)),
  )
  for (const signer of token.signerInfos) verifySigner(token, signer, certificates, crypto)
}

function verifySigner(
  token: TimestampToken,
  signer: SignerInfo,
  certificates: readonly Certificate[],
  crypto: CryptoPort,
): void {
  const certificate = certificates.find(
    ({ issuer, serialNumber }) => equalBytes(issuer, signer.issuer) && equalBytes(serialNumber, signer.serialNumber),
  )
  if (certificate === undefined) {
    const serial = hexEncode(signer.serialNumber)
    throw new TimestampError('TIMESTAMP_EMBEDDED_MISMATCH', `certificate missing from signedData: serial=${serial}`)
  }
  const hash = hashOfOid(signer.digestAlgorithm.oid)
  const scheme = hash === undefined ? undefined : schemeOfSignerInfo(signer.signatureAlgorithm, hash)
  if (hash === undefined || scheme === undefined) {
    throw new TimestampError('TIMESTAMP_ALGORITHM_UNSUPPORTED', "the signer's algorithms are not supported")
  }
  const contentType = signedAttribute(signer, OID.contentType)
  const messageDigest = signedAttribute(signer, OID.messageDigest)
  if (contentType?.readOid() !== OID.tstInfo || messageDigest === undefined) {
    throw new TimestampError('TIMESTAMP_ATTRIBUTES_INVALID', 'the signed attributes are not those of a TSTInfo')
  }
  if (!equalBytes(messageDigest.readOctets(), crypto.hash(hash, token.tstInfoBytes))) {
    throw new TimestampError('TIMESTAMP_MESSAGE_DIGEST_MISMATCH', 'the signature is over another TSTInfo')
  }
  const key = refusedAs('TIMESTAMP_ALGORITHM_UNSUPPORTED', "the signer's key", () => certificate.publicKey)
  if (!schemeFitsKey(scheme, key)) {
    throw new TimestampError('TIMESTAMP_ALGORITHM_MISMATCH', "the token's algorithms do not fit its signer's key")
  }
  if (!crypto.verify(key, scheme, signer.signedBytes, signer.signature)) {
    const name = { ecdsa: 'ECDSA', rsa: 'RSA', ed25519: 'Ed25519' }[key.type.kind]
    throw new TimestampError('TIMESTAMP_SIGNATURE_INVALID', `${name} verification failed`)
  }
}
