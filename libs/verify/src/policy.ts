import { FULCIO_EXTENSIONS, type FulcioExtensionName, type FulcioExtensionValues } from '@touchmark/x509'
import { PolicyError } from './errors.js'
import type { PerformedCheck, VerifiedContent, VerifiedSigner } from './result.js'

/** One signer that is accepted: a name, and the OIDC issuer that vouches for it. Both are needed. */
export interface IdentityPolicy {
  /** The certificate's subject alternative name: exactly this text, or a regular expression that must match all of it. */
  readonly subject: { readonly exact: string } | { readonly pattern: string }
  /** Exactly this issuer. */
  readonly issuer: string
  /** Values that the certificate must have, exactly. */
  readonly extensions?: Readonly<FulcioExtensionValues>
}

export interface Thresholds {
  /** Distinct transparency logs that must hold the signature. */
  readonly logs?: number
  /** Distinct certificate logs that must have seen the certificate. */
  readonly certificateLogs?: number
  /** Distinct authorities that must vouch for the time. */
  readonly times?: number
}

/** What is wanted of a signature beside that it is right. */
export interface Policy {
  /** Who may have signed; any one is enough. Needed for certificates, and refused for keys, which are their own identity. */
  readonly identities?: readonly IdentityPolicy[]
  /** Each 1 unless given; 0 is refused: leaving a check out is said by `skip`. */
  readonly thresholds?: Thresholds
  /** Checks to leave out, for private set-ups without them. Weakens the result, and is recorded in it. */
  readonly skip?: readonly ('log' | 'certificate log')[]
  readonly content?: 'message' | 'attestation'
  /** Any of these; implies an attestation. */
  readonly predicateTypes?: readonly string[]
}

const MAX_THRESHOLD = 32

function refuse(message: string, expected: string, found: string): never {
  throw new PolicyError('POLICY_INVALID', message, { check: 'policy', expected, found })
}

/** Checks the policy itself, before anything is verified. Throws POLICY_EMPTY or POLICY_INVALID. */
export function validatePolicy(policy: Policy, trust: 'certificate' | 'key'): void {
  const { identities, thresholds = {}, predicateTypes } = policy
  for (const [name, value] of Object.entries(thresholds) as [string, number | undefined][])
    if (value !== undefined && !(Number.isInteger(value) && value >= 1 && value <= MAX_THRESHOLD))
      refuse(`the threshold "${name}" is no count`, `1 to ${MAX_THRESHOLD}`, String(value))
  if (predicateTypes !== undefined) {
    if (predicateTypes.length === 0) refuse('the list of predicate types is empty', 'at least one', 'none')
    if (policy.content === 'message') refuse('a message has no predicate type', 'content "attestation"', 'message')
  }
  if (trust === 'key') {
    if (identities !== undefined)
      refuse('an identity cannot be checked for a key', 'no identity beside a key', `${identities.length} identities`)
    return
  }
  if (identities === undefined || identities.length === 0)
    throw new PolicyError('POLICY_EMPTY', 'the policy does not say who may have signed', {
      check: 'policy',
      expected: 'an identity and its issuer',
      found: 'nothing',
    })
  identities.forEach(validateIdentity)
}

function validateIdentity({ subject, issuer, extensions = {} }: IdentityPolicy): void {
  const text = 'exact' in subject ? subject.exact : subject.pattern
  if (text === '' || issuer === '')
    throw new PolicyError('POLICY_EMPTY', 'the policy names no signer', {
      check: 'policy',
      expected: 'an identity and its issuer',
      found: issuer === '' ? 'an empty issuer' : 'an empty identity',
    })
  if ('pattern' in subject) compile(subject.pattern)
  for (const name of Object.keys(extensions))
    if (!FULCIO_EXTENSIONS.some((known) => known.name === name) || name.startsWith('issuer'))
      refuse(`"${name}" is no extension of a signing certificate`, 'a name such as sourceRepositoryUri', name)
}

/**
 * The pattern as one that must match the whole text (Fulcio CVE-2026-22772). It is compiled alone first: what is no expression by itself,
 * such as `a)|(b`, could break out of the group around it.
 */
function compile(pattern: string): RegExp {
  try {
    new RegExp(pattern, 'u')
    return new RegExp(`^(?:${pattern})$`, 'u')
  } catch (cause) {
    throw new PolicyError('POLICY_INVALID', `the identity pattern is no regular expression`, {
      cause,
      check: 'policy',
      expected: 'a regular expression',
      found: pattern.slice(0, 200),
    })
  }
}

/** Compares signer and content with the policy; everything has been verified before. Throws a PolicyError. */
export function enforcePolicy(policy: Policy, signer: VerifiedSigner, content: VerifiedContent): PerformedCheck[] {
  return [...enforceIdentity(policy.identities ?? [], signer), ...enforceContent(policy, content)]
}

function enforceIdentity(identities: readonly IdentityPolicy[], signer: VerifiedSigner): PerformedCheck[] {
  if (signer.kind === 'key') return []
  const refusals: PolicyError[] = []
  for (const identity of identities) {
    const judged = judge(identity, signer)
    if (!(judged instanceof PolicyError)) return judged
    refusals.push(judged)
  }
  // One that fits but for its issuer or an extension was meant; else all that would have been accepted are named.
  const [first, ...others] = refusals
  throw refusals.find(({ code }) => code !== 'POLICY_IDENTITY_MISMATCH') ?? anyOf(first!, others)
}

const MOST_NAMED = 5

function anyOf(first: PolicyError, others: readonly PolicyError[]): PolicyError {
  if (others.length === 0) return first
  const wanted = [first, ...others].map(({ details }) => details.expected!)
  const rest = wanted.length > MOST_NAMED ? `, or one of ${wanted.length - MOST_NAMED} more` : ''
  return new PolicyError('POLICY_IDENTITY_MISMATCH', first.message, {
    check: 'identity',
    expected: `${wanted.slice(0, MOST_NAMED).join(' or ')}${rest}`,
    found: first.details.found!,
  })
}

type CertificateSigner = Extract<VerifiedSigner, { kind: 'certificate' }>

function judge(identity: IdentityPolicy, signer: CertificateSigner): PerformedCheck[] | PolicyError {
  const { subject, issuer, extensions = {} } = identity
  const matches =
    'exact' in subject ? subject.exact === signer.subject.value : compile(subject.pattern).test(signer.subject.value)
  const wanted = 'exact' in subject ? subject.exact : `/${subject.pattern}/`
  if (!matches)
    return new PolicyError('POLICY_IDENTITY_MISMATCH', `the signer is ${signer.subject.value}`, {
      check: 'identity',
      expected: wanted,
      found: signer.subject.value,
    })
  if (signer.issuer !== issuer)
    return new PolicyError('POLICY_ISSUER_MISMATCH', `the signer's identity comes from ${signer.issuer}`, {
      check: 'issuer',
      expected: issuer,
      found: signer.issuer,
    })
  const checks: PerformedCheck[] = [
    { check: 'identity', subject: signer.subject.value, against: wanted },
    { check: 'issuer', subject: signer.issuer, against: issuer },
  ]
  for (const [name, value] of Object.entries(extensions) as [FulcioExtensionName, string][]) {
    const found = signer.extensions[name]
    if (found !== value)
      return new PolicyError('POLICY_EXTENSION_MISMATCH', `the certificate's ${name} is ${found ?? 'not there'}`, {
        check: `extension ${name}`,
        expected: value,
        found: found ?? 'nothing',
      })
    checks.push({ check: 'extension', subject: `${name} ${found}`, against: value })
  }
  return checks
}

function enforceContent(policy: Policy, content: VerifiedContent): PerformedCheck[] {
  const { predicateTypes } = policy
  const wanted = policy.content ?? (predicateTypes === undefined ? undefined : 'attestation')
  if (wanted === undefined) return []
  if (content.kind !== wanted)
    throw new PolicyError('POLICY_CONTENT_MISMATCH', `the bundle holds a ${content.kind}`, {
      check: 'content',
      expected: wanted,
      found: content.kind,
    })
  const checks: PerformedCheck[] = [{ check: 'content', subject: content.kind, against: wanted }]
  if (predicateTypes === undefined || content.kind !== 'attestation') return checks
  const { predicateType } = content.statement
  if (!predicateTypes.includes(predicateType))
    throw new PolicyError('POLICY_PREDICATE_TYPE_MISMATCH', `the attestation is of type ${predicateType}`, {
      check: 'predicate type',
      expected: predicateTypes.join(' or '),
      found: predicateType,
    })
  return [...checks, { check: 'predicate type', subject: predicateType, against: predicateTypes.join(' or ') }]
}
