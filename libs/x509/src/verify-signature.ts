import type { CryptoPort, PublicKey } from '@touchmark/crypto'
import { schemeFitsKey } from './algorithms.js'
import type { Certificate } from './certificate.js'
import { X509Error } from './errors.js'

/**
 * Checks that `issuerKey` made the certificate's signature; names, dates and usages are not looked at.
 * Throws X509_ALGORITHM_UNSUPPORTED when the algorithm is not taken or is not one of this key, X509_SIGNATURE_INVALID.
 */
export function verifyCertificateSignature(certificate: Certificate, issuerKey: PublicKey, crypto: CryptoPort): void {
  const { scheme, name } = certificate.signatureAlgorithm
  if (scheme === undefined)
    throw new X509Error('X509_ALGORITHM_UNSUPPORTED', `signature algorithm ${name ?? 'unknown'} is not accepted`)
  if (!schemeFitsKey(scheme, issuerKey))
    throw new X509Error('X509_ALGORITHM_UNSUPPORTED', `an issuer's ${issuerKey.type.kind} key cannot make ${name}`)
  if (!crypto.verify(issuerKey, scheme, certificate.tbs, certificate.signature))
    throw new X509Error('X509_SIGNATURE_INVALID', 'the certificate was not signed by this issuer')
}
