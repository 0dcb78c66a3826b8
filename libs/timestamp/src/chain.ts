import type { CryptoPort, PublicKey } from '@touchmark/crypto'
import { equalBytes } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { buildChain, type Certificate } from '@touchmark/x509'
import { OID } from './algorithms.js'
import { TimestampError } from './errors.js'

const EXT_KEY_USAGE = '2.5.29.37'
const ANY_PURPOSE = '2.5.29.37.0'
const MIN_RSA_BITS = 2048

/** What {@link checkAuthorityChain} looks at. */
export interface AuthorityChainInput {
  /** Leaf first, anchor last. */
  readonly chain: readonly Certificate[]
  /** The key that will sign tokens. */
  readonly publicKey: PublicKey
  readonly at: Date
  readonly crypto: CryptoPort
  /** Demand the timeStamping purpose of every intermediate (the reference's `enforce-intermediate-eku`). Default true. */
  readonly enforceIntermediatePurpose?: boolean
}

/** True when the extended key usage extension of the certificate is critical. */
export function purposeIsCritical(certificate: Certificate): boolean {
  return certificate.extensions.get(EXT_KEY_USAGE)?.critical === true
}

/**
 * Refuses an authority's own chain at start (tsa.md §4), each fault with its code and the reference's text. The last certificate is the anchor,
 * self-signed or not; key usage and key identifiers of the leaf are not looked at.
 * Throws TIMESTAMP_CHAIN_*.
 */
export function checkAuthorityChain(input: AuthorityChainInput): void {
  const { chain, publicKey, at } = input
  const [leaf, ...issuers] = chain
  if (leaf === undefined || issuers.length === 0)
    refuse('TIMESTAMP_CHAIN_TOO_SHORT', 'certificate chain must contain at least two certificates')
  if (leaf.basicConstraints?.ca === true)
    refuse('TIMESTAMP_CHAIN_LEAF_IS_CA', 'leaf certificate must be an end-entity certificate, not a CA')
  checkPurposes(leaf, issuers, input.enforceIntermediatePurpose ?? true)
  for (const certificate of chain) checkKey(certificate)
  if (!equalBytes(leaf.spki, publicKey.spki))
    refuse('TIMESTAMP_CHAIN_KEY_MISMATCH', "the signing key is not the leaf certificate's key")
  for (const [index, certificate] of chain.entries())
    if (at < certificate.notBefore || at > certificate.notAfter)
      refuse(
        'TIMESTAMP_CHAIN_VALIDITY',
        `x509: certificate ${index + 1} of the chain has expired or is not yet valid: valid from ${certificate.notBefore.toISOString()} to ${certificate.notAfter.toISOString()}`,
      )
  checkOrder(input, leaf, issuers)
}

function refuse(code: ConstructorParameters<typeof TimestampError>[0], message: string, cause?: unknown): never {
  throw new TimestampError(code, message, { cause })
}

function checkPurposes(leaf: Certificate, issuers: readonly Certificate[], enforceIntermediates: boolean): void {
  const purposes = leaf.extKeyUsage ?? []
  if (purposes.length !== 1) refuse('TIMESTAMP_CHAIN_EKU_NOT_SINGLE', 'certificate should only contain one EKU')
  for (const { extKeyUsage } of [leaf, ...issuers])
    if (
      extKeyUsage !== undefined &&
      !extKeyUsage.includes(OID.timeStampingPurpose) &&
      !extKeyUsage.includes(ANY_PURPOSE)
    )
      refuse('TIMESTAMP_CHAIN_EKU_INCOMPATIBLE', 'x509: certificate specifies an incompatible key usage')
  if (purposes[0] !== OID.timeStampingPurpose)
    refuse('TIMESTAMP_CHAIN_EKU_INCOMPATIBLE', 'x509: certificate specifies an incompatible key usage')
  if (!purposeIsCritical(leaf)) refuse('TIMESTAMP_CHAIN_EKU_NOT_CRITICAL', 'certificate must set EKU to critical')
  if (!enforceIntermediates) return
  for (const { extKeyUsage = [] } of issuers.slice(0, -1))
    if (!extKeyUsage.includes(OID.timeStampingPurpose))
      refuse(
        'TIMESTAMP_CHAIN_INTERMEDIATE_EKU',
        'certificate must have extended key usage timestamping set to sign timestamping certificates',
      )
}

function checkKey(certificate: Certificate): void {
  let key: PublicKey
  try {
    key = certificate.publicKey
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    return refuse('TIMESTAMP_CHAIN_WEAK_KEY', `a key of the chain cannot be used: ${cause.message}`, cause)
  }
  if (key.type.kind === 'rsa' && key.type.modulusBits < MIN_RSA_BITS)
    refuse('TIMESTAMP_CHAIN_WEAK_KEY', `an RSA key of the chain has less than ${MIN_RSA_BITS} bits`)
}

function checkOrder(
  { at, crypto, chain }: AuthorityChainInput,
  leaf: Certificate,
  issuers: readonly Certificate[],
): void {
  const wrong = 'the chain must hold the leaf first, then each certificate followed by its issuer, and the root last'
  let path: readonly Certificate[]
  try {
    path = buildChain({
      leaf,
      intermediates: issuers.slice(0, -1),
      roots: issuers.slice(-1),
      at,
      purpose: 'timeStamping',
      crypto,
    })
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    return refuse('TIMESTAMP_CHAIN_ORDER', `${wrong}: ${cause.message}`, cause)
  }
  if (path.length !== chain.length || path.some((one, index) => !equalBytes(one.der, chain[index]!.der)))
    refuse('TIMESTAMP_CHAIN_ORDER', wrong)
}
