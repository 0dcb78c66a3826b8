import { checkKeyStrength, parsePublicKeyDer } from '@touchmark/crypto'
import { parseJson, pemDecodeAll, type JsonValue } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { validatePolicy, type IdentityPolicy, type Thresholds } from '@touchmark/verify'
import type { FulcioExtensionValues } from '@touchmark/x509'
import { CliError } from '../../errors.js'
import { invalid, PolicyMembers } from './members.js'
import { whyNoPattern } from './patterns.js'
import { POLICY_FILE_LIMITS as LIMITS, type PolicyFile, type Rule } from './types.js'

type PolicySigner =
  { readonly kind: 'identity'; readonly identity: IdentityPolicy } | { readonly kind: 'key'; readonly spki: Uint8Array }

const CONTENT = { signature: 'message', attestation: 'attestation' } as const

/**
 * Reads a policy file (docs/policy-file.md): strict JSON, no unknown and no repeated member, everything that a rule names is there, every pattern,
 * key and threshold can be used. Pure. Throws CLI_POLICY_INVALID, never anything else.
 */
export function parsePolicyFile(bytes: Uint8Array): PolicyFile {
  if (bytes.length > LIMITS.bytes) throw invalid('', `at most ${LIMITS.bytes} bytes`, `${bytes.length} bytes`)
  const top = new PolicyMembers(readJson(bytes), '', ['version', 'signers', 'rules'])
  if (top.value('version') !== 1) throw invalid('version', '1', JSON.stringify(top.value('version') ?? null))
  const signers = readSigners(new PolicyMembers(top.value('signers'), 'signers'))
  const list = top.value('rules')
  if (!Array.isArray(list) || list.length === 0) throw invalid('rules', 'a list of at least one rule', 'none')
  if (list.length > LIMITS.rules) throw invalid('rules', `at most ${LIMITS.rules}`, `${list.length}`)
  const rules = (list as readonly JsonValue[]).map((rule, i) => readRule(rule, i, signers))
  const names = rules.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw invalid('rules', 'each name once', `"${twice}" twice`)
  return { rules }
}

function readJson(bytes: Uint8Array): JsonValue {
  try {
    return parseJson(bytes, { maxDepth: LIMITS.jsonDepth })
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw invalid('', 'one JSON object in UTF-8 without repeated members', cause.message, cause)
  }
}

function readSigners(members: PolicyMembers): ReadonlyMap<string, PolicySigner> {
  const { names } = members
  if (names.length === 0) throw invalid('signers', 'at least one signer', 'none')
  if (names.length > LIMITS.signers) throw invalid('signers', `at most ${LIMITS.signers}`, `${names.length}`)
  return new Map(names.map((name) => [name, readSigner(members.value(name), members.at(name))]))
}

function readSigner(value: JsonValue | undefined, path: string): PolicySigner {
  const signer = new PolicyMembers(value, path, ['identity', 'identityPattern', 'issuer', 'extensions', 'key'])
  const given = ['identity', 'identityPattern', 'key'].filter((name) => signer.has(name))
  if (given.length !== 1)
    throw invalid(path, 'one of identity, identityPattern and key', given.length === 0 ? 'none' : given.join(' and '))
  if (signer.has('key')) {
    const beside = ['issuer', 'extensions'].find((name) => signer.has(name))
    if (beside !== undefined) throw invalid(path, 'a key alone', `a key and ${beside}`)
    return { kind: 'key', spki: readKey(signer.text('key'), signer.at('key')) }
  }
  const subject = signer.has('identity')
    ? { exact: signer.text('identity') }
    : { pattern: signer.text('identityPattern') }
  const extensions = signer.has('extensions') ? { extensions: readExtensions(signer) } : {}
  const identity: IdentityPolicy = { subject, issuer: signer.text('issuer'), ...extensions }
  try {
    // Here and not at the first file: an expression that is none, an extension that no certificate has.
    validatePolicy({ identities: [identity] }, 'certificate')
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw invalid(path, cause.details.expected ?? cause.message, cause.details.found ?? cause.message, cause)
  }
  return { kind: 'identity', identity }
}

function readExtensions(signer: PolicyMembers): FulcioExtensionValues {
  const members = new PolicyMembers(signer.value('extensions'), signer.at('extensions'))
  const { names } = members
  if (names.length === 0 || names.length > LIMITS.extensions)
    throw invalid(members.path, `1 to ${LIMITS.extensions} extensions`, `${names.length}`)
  return Object.fromEntries(names.map((name) => [name, members.text(name)]))
}

function readKey(pem: string, path: string): Uint8Array {
  const expected = 'one public key in PEM (PUBLIC KEY)'
  try {
    const [block, ...others] = pemDecodeAll(pem, 2)
    if (block?.label !== 'PUBLIC KEY' || others.length > 0)
      throw invalid(path, expected, block?.label ?? 'no PEM block')
    const key = parsePublicKeyDer(block.bytes)
    // Under a weak key anybody signs: what it verifies proves nothing.
    checkKeyStrength(key)
    return key.spki
  } catch (cause) {
    if (!isCodedError(cause) || cause instanceof CliError) throw cause
    throw invalid(path, expected, cause.message, cause)
  }
}

function readRule(value: JsonValue, index: number, signers: ReadonlyMap<string, PolicySigner>): Rule {
  const path = `rules[${index}]`
  const rule = new PolicyMembers(value, path, ['name', 'files', 'signers', 'content', 'predicateTypes', 'thresholds'])
  const files = rule.texts('files', LIMITS.patterns, LIMITS.patternLength)
  files.forEach((pattern, i) => {
    const why = whyNoPattern(pattern)
    if (why !== undefined) throw invalid(`${rule.at('files')}[${i}]`, 'a pattern of *, ** and ?', `${pattern}: ${why}`)
  })
  const named = rule.texts('signers', LIMITS.signersOfRule).map((name, i) => {
    const signer = signers.get(name)
    if (signer === undefined) throw invalid(`${rule.at('signers')}[${i}]`, 'the name of a signer', `"${name}"`)
    return signer
  })
  const content = rule.has('content') ? CONTENT[rule.one('content', ['signature', 'attestation'])] : CONTENT.signature
  const types = rule.has('predicateTypes') ? rule.texts('predicateTypes', LIMITS.predicateTypes) : undefined
  if (types !== undefined && content !== 'attestation')
    throw invalid(rule.at('predicateTypes'), 'content "attestation" beside predicate types', 'content "signature"')
  const noUri = types?.find((type) => !/^[a-z][a-z0-9+.-]*:\S+$/i.test(type))
  if (noUri !== undefined) throw invalid(rule.at('predicateTypes'), 'URIs', `"${noUri}"`)
  const thresholds = rule.has('thresholds') ? { thresholds: readThresholds(rule) } : {}
  return {
    name: rule.has('name') ? rule.text('name') : `rule ${index + 1}`,
    files,
    identities: named.flatMap((signer) => (signer.kind === 'identity' ? [signer.identity] : [])),
    keys: named.flatMap((signer) => (signer.kind === 'key' ? [signer.spki] : [])),
    content,
    ...(types === undefined ? {} : { predicateTypes: types }),
    ...thresholds,
  }
}

const THRESHOLDS = ['logs', 'certificateLogs', 'times'] as const

function readThresholds(rule: PolicyMembers): Thresholds {
  const members = new PolicyMembers(rule.value('thresholds'), rule.at('thresholds'), THRESHOLDS)
  if (members.names.length === 0) throw invalid(members.path, 'at least one threshold', 'none')
  const thresholds: { -readonly [Name in keyof Thresholds]: number } = {}
  for (const name of THRESHOLDS) {
    const value = members.value(name)
    if (value === undefined) continue
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > 32)
      throw invalid(members.at(name), 'a whole number from 1 to 32', JSON.stringify(value))
    thresholds[name] = value
  }
  return thresholds
}
