import { isCodedError } from '@touchmark/errors'
import { pemDecodeAll } from '@touchmark/encoding'
import { parseCertificate } from '@touchmark/x509'
import { IdentityError } from '../errors.js'
import { goHostname, parseGoUrl, type GoUrl } from '../go/url.js'
import { parseTrustDomain } from '../spiffe-id.js'
import { ISSUER_TYPES, type CiProvider, type IssuerConfig } from './issuer-config.js'

/** A refusal at start, in Fulcio's words. */
export function validationError(text: string, cause?: unknown): IdentityError {
  return new IdentityError('IDENTITY_CONFIG_INVALID', `validate: ${text}`, cause === undefined ? {} : { cause })
}

/** The claim that `/api/v2/configuration` reports; empty for an unknown type that names none. */
export function challengeClaimOf(type: string, stated: string): string {
  if (stated !== '') return stated
  if (type === 'email') return 'email'
  return (ISSUER_TYPES as readonly string[]).includes(type) ? 'sub' : ''
}

/** What the file says about an issuer beside its configuration. */
export interface StatedIssuer {
  readonly issuerUrl: string
  readonly hasIssuerClaim: boolean
}

/** The checks of Fulcio's start, in its order and with its texts (ca.md §6). Throws IDENTITY_CONFIG_INVALID. */
export function validateIssuer(issuer: IssuerConfig, stated: StatedIssuer): void {
  if (issuer.caCert !== '' && !hasCertificate(issuer.caCert)) {
    const which = issuer.wildcard ? 'meta issuer' : 'issuer'
    throw validationError(`failed to parse CA certificate for ${which} ${stated.issuerUrl}`)
  }
  if (issuer.wildcard) {
    if (issuer.type === 'spiffe') throw validationError('SPIFFE meta issuers not supported')
  } else {
    if (stated.hasIssuerClaim && issuer.type !== 'email') {
      throw validationError('only email issuers can use issuer claim mapping')
    }
    if (issuer.type === 'spiffe') validateSpiffe(issuer)
    if (issuer.type === 'uri') validateUri(issuer, stated.issuerUrl)
    if (issuer.type === 'username') validateUsername(issuer, stated.issuerUrl)
  }
  if (issuer.challengeClaim === '') throw validationError('issuer missing challenge claim')
}

function hasCertificate(pem: string): boolean {
  try {
    return pemDecodeAll(pem).some((block) => {
      if (block.label !== 'CERTIFICATE') return false
      parseCertificate(block.bytes)
      return true
    })
  } catch (error) {
    if (isCodedError(error)) return false
    throw error
  }
}

function parseUrl(text: string): GoUrl {
  try {
    return parseGoUrl(text)
  } catch (cause) {
    if (cause instanceof IdentityError) throw validationError(cause.message, cause)
    throw cause
  }
}

function validateSpiffe(issuer: IssuerConfig): void {
  if (issuer.spiffeTrustDomain === '') throw validationError('spiffe issuer must have SPIFFETrustDomain set')
  if (parseTrustDomain(issuer.spiffeTrustDomain) === undefined) throw validationError('spiffe trust domain is invalid')
}

function validateUri(issuer: IssuerConfig, issuerUrl: string): void {
  if (issuer.subjectDomain === '') throw validationError('uri issuer must have SubjectDomain set')
  const subject = parseUrl(issuer.subjectDomain)
  if (subject.scheme === '') throw validationError('SubjectDomain for uri must contain scheme')
  const url = parseUrl(issuerUrl)
  if (url.scheme === '') throw validationError('issuer for uri must contain scheme')
  if (subject.scheme !== url.scheme) {
    throw validationError(`subject (${subject.scheme}) and issuer (${url.scheme}) URI schemes do not match`)
  }
  validateDomains(goHostname(subject), goHostname(url))
}

function validateUsername(issuer: IssuerConfig, issuerUrl: string): void {
  if (issuer.subjectDomain === '') throw validationError('username issuer must have SubjectDomain set')
  if (parseUrl(issuer.subjectDomain).scheme !== '') {
    throw validationError('SubjectDomain for username should not contain scheme')
  }
  const url = parseUrl(issuerUrl)
  if (url.scheme === '') throw validationError('issuer for username must contain scheme')
  validateDomains(issuer.subjectDomain, goHostname(url))
}

function validateDomains(subject: string, issuer: string): void {
  if (subject === issuer) return
  for (const host of [subject, issuer]) {
    if (host.split('.').length < 2) throw validationError(`URI hostname too short: ${host}`)
  }
  if (subject.split('.').slice(-2).join('.') !== issuer.split('.').slice(-2).join('.')) {
    throw validationError(`hostname top-level and second-level domains do not match: ${subject}, ${issuer}`)
  }
}

/** What Fulcio does not check at start, although no token can ever pass: worth telling the operator. */
export function warningsOf(issuers: readonly IssuerConfig[], ciProviders: ReadonlyMap<string, CiProvider>): string[] {
  return issuers.flatMap((issuer) => {
    const warnings: string[] = []
    const name = `${issuer.wildcard ? 'meta issuer' : 'issuer'} ${issuer.url}`
    if (issuer.clientId === '') warnings.push(`${name} has no client-id: none of its tokens will be accepted`)
    if (!(ISSUER_TYPES as readonly string[]).includes(issuer.type)) {
      warnings.push(`${name} is of unknown type "${issuer.type}": none of its tokens will be accepted`)
    }
    if (issuer.type !== 'ci-provider') return warnings
    const provider = ciProviders.get(issuer.ciProvider)
    if (provider === undefined) warnings.push(`${name}: there is no ci-issuer-metadata "${issuer.ciProvider}"`)
    else if (provider.subject === undefined) {
      warnings.push(`${name}: ci-issuer-metadata "${issuer.ciProvider}" has no subject-alternative-name-template`)
    }
    return warnings
  })
}
