import { equalBytes } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import type { CryptoPort, PublicKey, Signer } from '@touchmark/crypto'
import { algorithmIdentifier, PURPOSE_OID, verifyCertificateSignature } from '@touchmark/x509'
import type { Certificate } from '@touchmark/x509'
import { IssuanceError } from './errors.js'

function refuse(message: string, cause?: unknown): never {
  throw new IssuanceError('CA_CONFIG_INVALID', message, { cause })
}

/**
 * Checks that a CA can be made of these parts (ca.md §9), so that it refuses to start rather than to issue: the signer is the
 * issuing CA's key, each certificate was signed by the next, the root by itself, each is a CA that may have what is below it,
 * an intermediate is for code signing, the key kinds are ones that clients take. Dates are looked at for each certificate
 * issued. Throws CA_CONFIG_INVALID.
 */
export function checkIssuingChain(
  chain: readonly Certificate[],
  signer: Signer,
  logKey: PublicKey,
  crypto: CryptoPort,
): asserts chain is readonly [Certificate, ...Certificate[]] {
  const [issuing] = chain
  if (issuing === undefined) refuse('there is no CA certificate')
  if (!equalBytes(issuing.spki, signer.publicKey.spki)) refuse("the signer is not the issuing CA's key")
  const { kind } = signer.publicKey.type
  if (kind !== 'ecdsa' && kind !== 'rsa') refuse(`sigstore-python takes no SCT below a CA with an ${kind} key`)
  const { type } = logKey
  if (type.kind !== 'ecdsa' || type.curve !== 'P-256') refuse("the certificate log's key must be ECDSA P-256")
  try {
    algorithmIdentifier(signer.scheme)
    chain.forEach((certificate, i) => checkCa(certificate, chain[i + 1] ?? certificate, i, crypto))
  } catch (error) {
    if (error instanceof IssuanceError || !isCodedError(error)) throw error
    refuse(`the CA's chain does not hold: ${error.message}`, error)
  }
  if (chain.length > 1 && !issuing.extKeyUsage?.includes(PURPOSE_OID.codeSigning))
    refuse('the intermediate CA is not for code signing')
  if (issuing.ski === undefined) refuse('the issuing CA has no subject key identifier')
}

function checkCa(certificate: Certificate, issuer: Certificate, depth: number, crypto: CryptoPort): void {
  const { basicConstraints, keyUsage } = certificate
  if (basicConstraints?.ca !== true) refuse(`certificate ${depth + 1} of the chain is not a CA`)
  if (keyUsage?.keyCertSign !== true) refuse(`certificate ${depth + 1} of the chain may not sign certificates`)
  if (basicConstraints.pathLength !== undefined && basicConstraints.pathLength < depth)
    refuse(`certificate ${depth + 1} of the chain allows ${basicConstraints.pathLength} CAs below it`)
  if (!equalBytes(certificate.issuer, issuer.subject))
    refuse(`certificate ${depth + 1} names another issuer than the next`)
  verifyCertificateSignature(certificate, issuer.publicKey, crypto)
}
