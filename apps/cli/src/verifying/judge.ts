import { parseBundle, type Bundle } from '@touchmark/bundle'
import { parsePublicKeyDer, type PublicKey } from '@touchmark/crypto'
import { nodeCrypto } from '@touchmark/crypto/node'
import { base64Encode } from '@touchmark/encoding'
import { CodedError, isCodedError } from '@touchmark/errors'
import { verifyBundle, type Artifact, type VerificationResult } from '@touchmark/verify'
import { CliError } from '../errors.js'
import { NamedArtifact } from './artifact.js'
import type { Demand } from './demand.js'
import { policyOf, ruleFor } from './policy-file/rules.js'
import type { Rule } from './policy-file/types.js'
import { lookNow, notThere, readNow } from './read-now.js'
import type { Subject } from './subjects.js'

/** More than the parser takes: it is the one that says what is wrong with a file that is too large. */
const BUNDLE_READ_LIMIT_BYTES = 64 << 20

/** A bundle that proves what was asked for. */
export interface Proof {
  readonly bundle: string
  readonly result: VerificationResult
}

/** A bundle that was looked at and does not. */
export interface PassedOver {
  readonly bundle: string
  readonly error: CodedError
}

/** One artifact that holds: at least one proof. */
export interface Judgement {
  readonly rule: Rule
  readonly proofs: readonly [Proof, ...Proof[]]
  readonly passedOver: readonly PassedOver[]
}

/**
 * Verifies one artifact, offline: a signature by its one bundle; attestations by all that lie beside the file, of which one at least must hold and be what was
 * asked for. Throws the refusal, as a CodedError; anything else is a fault of ours.
 */
export async function judge(subject: Subject, demand: Demand): Promise<Judgement> {
  const rule = ruleOf(subject, demand)
  if (subject.refused !== undefined)
    throw new CliError('CLI_FILE_UNREADABLE', `${subject.named} cannot be read`, {
      found: subject.refused,
      hint: 'Only files are verified: name the one that it stands for, or leave this out with --exclude.',
    })
  const artifact = new NamedArtifact(subject)
  const proofs: Proof[] = []
  const passedOver: PassedOver[] = []
  for (const bundle of subject.bundles) {
    try {
      proofs.push({ bundle, result: await proofOf(bundle, artifact, subject, rule, demand) })
    } catch (error) {
      if (!isCodedError(error)) throw error
      passedOver.push({ bundle, error })
    }
  }
  const [first, ...others] = proofs
  if (first === undefined) throw mostTelling(passedOver)
  return { rule, proofs: [first, ...others], passedOver }
}

/** The rule that decides about an artifact. Throws CLI_POLICY_NO_RULE. */
export function ruleOf({ path }: Subject, { byName, rules, ask }: Demand): Rule {
  return byName ? ruleFor(rules, path, ask) : rules[0]!
}

/** Of several bundles the refusal of the one that came closest: not one about another file, or of another type. */
function mostTelling(passedOver: readonly PassedOver[]): CodedError {
  const rank = ({ code }: CodedError): number =>
    ['VERIFY_SUBJECT_MISMATCH', 'POLICY_CONTENT_MISMATCH', 'POLICY_PREDICATE_TYPE_MISMATCH', ''].indexOf(code)
  const ranked = passedOver.map(({ error }) => ({ error, rank: rank(error) < 0 ? 3 : rank(error) }))
  return ranked.reduce((best, one) => (one.rank > best.rank ? one : best)).error
}

async function proofOf(
  path: string,
  artifact: NamedArtifact,
  subject: Subject,
  rule: Rule,
  demand: Demand,
): Promise<VerificationResult> {
  const bundle = parseBundle(readBundle(path, subject))
  return verifyByRule(bundle, await artifact.for(bundle), rule, demand)
}

function readBundle(path: string, subject: Subject): Uint8Array {
  const found = lookNow(path)
  if (found === undefined) throw missingBundle(path, subject)
  return readNow(path, found, BUNDLE_READ_LIMIT_BYTES, subject.bundleNamed ? 'named' : 'found')
}

function missingBundle(path: string, { named, bundleNamed, chosen }: Subject): CliError {
  if (!bundleNamed && lookNow(named) === undefined) return notThere(named)
  const orElse =
    chosen === 'found' ? '; if it is never signed, leave it out with --exclude' : ', or name it with --bundle'
  const looksLikeBundle = /\.sigstore(\.json)?$/.test(named)
  return new CliError('CLI_BUNDLE_MISSING', bundleNamed ? 'there is no such bundle' : 'the file has no bundle', {
    check: 'bundle',
    expected: path,
    found: 'there is no such file',
    hint: looksLikeBundle
      ? 'This looks like a bundle itself: name the file that was signed.'
      : `Get the bundle from where the file was published${orElse}. A file without one is not signed, as far as anybody here can tell.`,
  })
}

/** Verifies a bundle as one rule wants it; the bundle's own way of signing chooses between identities and keys. */
export function verifyByRule(bundle: Bundle, artifact: Artifact, rule: Rule, demand: Demand): VerificationResult {
  const byKey = bundle.signer.kind === 'publicKey'
  if (byKey && rule.keys.length > 0) return verifyByKeys(bundle, artifact, rule, demand)
  // With nothing of the kind in the rule the verifier says which of the two it got and which it was asked for.
  const useIdentities = byKey || rule.identities.length > 0
  const policy = policyOf(rule, useIdentities ? 'certificate' : 'key', demand.ask, demand.predicateTypes)
  const trust = useIdentities ? demand.trust : { root: demand.trust }
  try {
    return verifyBundle({ bundle, artifact, trust, policy, crypto: nodeCrypto })
  } catch (error) {
    throw matchesInPart(error, rule) ? withHint(error, PART_HINT) : error
  }
}

const PART_HINT =
  'The pattern matches a part of the name, and it must match the whole name: write .* where anything may stand.'

/** A pattern that would have matched somewhere in the signer's name. */
function matchesInPart(error: unknown, { identities }: Rule): error is CodedError {
  if (!isCodedError(error) || error.code !== 'POLICY_IDENTITY_MISMATCH') return false
  const name = error.details.found ?? ''
  return identities.some(({ subject }) => 'pattern' in subject && new RegExp(subject.pattern, 'u').test(name))
}

/** The same refusal with other advice. */
function withHint({ code, message, details }: CodedError, hint: string): CodedError {
  return new CodedError(code, message, { ...details, hint })
}

/** What another key than the signer's leads to. */
const OTHER_KEY = ['VERIFY_SIGNATURE_INVALID', 'VERIFY_DIGEST_ALGORITHM', 'VERIFY_KEY_UNSUPPORTED']

/** The hint in a bundle is not signed: it says which key to try first and no more. */
function verifyByKeys(bundle: Bundle, artifact: Artifact, rule: Rule, demand: Demand): VerificationResult {
  const hint = bundle.signer.kind === 'publicKey' ? bundle.signer.hint : ''
  const isHinted = ({ spki }: PublicKey): boolean => base64Encode(nodeCrypto.hash('SHA2_256', spki)) === hint
  const keys = rule.keys.map((spki) => parsePublicKeyDer(spki))
  const policy = policyOf(rule, 'key', demand.ask, demand.predicateTypes)
  let refusal: CodedError | undefined
  for (const key of [...keys.filter(isHinted), ...keys.filter((one) => !isHinted(one))]) {
    try {
      return verifyBundle({ bundle, artifact, trust: { key, root: demand.trust }, policy, crypto: nodeCrypto })
    } catch (error) {
      if (!isCodedError(error) || !OTHER_KEY.includes(error.code)) throw error
      if (refusal?.code !== 'VERIFY_SIGNATURE_INVALID') refusal = error
    }
  }
  // Nothing of the hint is proven, and yet it is what most often tells why.
  throw keys.some(isHinted) ? refusal! : withHint(refusal!, otherKeyHint(hint))
}

function otherKeyHint(hint: string): string {
  return `The file or the bundle was changed after signing, or it is another key than the signer's: the bundle names a key with the hint "${hint.slice(0, 100)}".`
}
