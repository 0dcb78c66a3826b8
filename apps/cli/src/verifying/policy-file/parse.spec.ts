import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { pemEncode, utf8Encode } from '@touchmark/encoding'
import { generateSigner } from '@touchmark/crypto/node'
import { CliError } from '../../errors.js'
import { parsePolicyFile } from './parse.js'
import { POLICY_FILE_LIMITS, type PolicyFile } from './types.js'

type Json = Record<string, unknown>

const { publicKey } = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
const PEM = pemEncode('PUBLIC KEY', publicKey.spki)
const ISSUER = 'https://login.example.com'
const SIGNERS = {
  release: {
    identity: 'ci@example.com',
    issuer: ISSUER,
    extensions: { sourceRepositoryUri: 'https://git.example.com/a' },
  },
  people: { identityPattern: '[a-z]+@example\\.com', issuer: ISSUER },
  offline: { key: PEM },
}
const RULES = [
  {
    name: 'archives',
    files: ['*.tar.gz', 'dist/**'],
    signers: ['release', 'offline'],
    thresholds: { logs: 2, times: 1 },
  },
  { files: ['**'], signers: ['people'], content: 'attestation', predicateTypes: ['https://slsa.dev/provenance/v1'] },
]
const DOCUMENT = { version: 1, signers: SIGNERS, rules: RULES }
const parse = (value: unknown): PolicyFile => parsePolicyFile(utf8Encode(JSON.stringify(value)))
const withRule = (change: Json): Json => ({ ...DOCUMENT, rules: [{ files: ['*'], signers: ['people'], ...change }] })
const withSigner = (signer: unknown): Json => ({
  ...DOCUMENT,
  signers: { people: SIGNERS.people, x: signer },
  rules: [{ files: ['*'], signers: ['people'] }],
})

describe('parsePolicyFile', () => {
  it('reads signers and rules', () => {
    expect(parse(DOCUMENT).rules).toEqual([
      {
        name: 'archives',
        files: ['*.tar.gz', 'dist/**'],
        identities: [{ subject: { exact: 'ci@example.com' }, issuer: ISSUER, extensions: SIGNERS.release.extensions }],
        keys: [publicKey.spki],
        content: 'message',
        thresholds: { logs: 2, times: 1 },
      },
      {
        name: 'rule 2',
        files: ['**'],
        identities: [{ subject: { pattern: '[a-z]+@example\\.com' }, issuer: ISSUER }],
        keys: [],
        content: 'attestation',
        predicateTypes: ['https://slsa.dev/provenance/v1'],
      },
    ])
  })

  it.each<[string, unknown]>([
    ['no object', []],
    ['no version', { signers: SIGNERS, rules: RULES }],
    ['another version', { ...DOCUMENT, version: 2 }],
    ['a version in words', { ...DOCUMENT, version: '1' }],
    ['an unknown member', { ...DOCUMENT, rule: [] }],
    ['no signers', { ...DOCUMENT, signers: {} }],
    ['signers that are a list', { ...DOCUMENT, signers: [] }],
    ['no rules', { ...DOCUMENT, rules: [] }],
    ['rules that are null', { ...DOCUMENT, rules: null }],
    ['too many rules', { ...DOCUMENT, rules: Array.from({ length: POLICY_FILE_LIMITS.rules + 1 }, () => RULES[0]) }],
    ['two rules of one name', { ...DOCUMENT, rules: [RULES[0], RULES[0]] }],
    [
      'a rule that is named like another without a name',
      { ...DOCUMENT, rules: [{ ...RULES[0], name: 'rule 2' }, RULES[1]] },
    ],
    ['a rule with an unknown member', withRule({ file: ['*'] })],
    ['a rule without files', withRule({ files: [] })],
    ['a rule whose files are a text', withRule({ files: '*' })],
    ['an empty pattern', withRule({ files: [''] })],
    ['a pattern that means something elsewhere', withRule({ files: ['*.{a,b}'] })],
    ['a pattern twice', withRule({ files: ['*', '*'] })],
    ['a pattern that is too long', withRule({ files: ['a'.repeat(513)] })],
    ['a rule without signers', withRule({ signers: [] })],
    ['a signer that is not there', withRule({ signers: ['nobody'] })],
    ['a signer by a name of every object', withRule({ signers: ['constructor'] })],
    ['another content', withRule({ content: 'message' })],
    ['predicate types of signatures', withRule({ predicateTypes: ['https://slsa.dev/provenance/v1'] })],
    ['a predicate type that is no URI', withRule({ content: 'attestation', predicateTypes: ['slsaprovenance1'] })],
    ['no predicate type', withRule({ content: 'attestation', predicateTypes: [] })],
    ['an unknown threshold', withRule({ thresholds: { log: 1 } })],
    ['no threshold', withRule({ thresholds: {} })],
    ...[0, -1, 1.5, 33, '1', null, true].map((logs): [string, unknown] => [
      `a threshold of ${JSON.stringify(logs)}`,
      withRule({ thresholds: { logs } }),
    ]),
    ['a signer that is nobody', withSigner({ issuer: ISSUER })],
    ['a signer with two names', withSigner({ identity: 'a', identityPattern: 'a', issuer: ISSUER })],
    ['an identity without issuer', withSigner({ identity: 'a' })],
    ['an empty identity', withSigner({ identity: '', issuer: ISSUER })],
    ['an empty issuer', withSigner({ identity: 'a', issuer: '' })],
    ['an unknown member of a signer', withSigner({ identity: 'a', issuer: ISSUER, email: 'a' })],
    ['a pattern that is no expression', withSigner({ identityPattern: '(', issuer: ISSUER })],
    ['a pattern that breaks out of its group', withSigner({ identityPattern: 'a)|(b', issuer: ISSUER })],
    [
      'an extension that no certificate has',
      withSigner({ identity: 'a', issuer: ISSUER, extensions: { repository: 'x' } }),
    ],
    ['the issuer as an extension', withSigner({ identity: 'a', issuer: ISSUER, extensions: { issuerV2: 'x' } })],
    ['no extensions', withSigner({ identity: 'a', issuer: ISSUER, extensions: {} })],
    ['an extension that is a number', withSigner({ identity: 'a', issuer: ISSUER, extensions: { buildTrigger: 1 } })],
    ['a key with an issuer', withSigner({ key: PEM, issuer: ISSUER })],
    ['a key that is none', withSigner({ key: 'x' })],
    ['two keys in one', withSigner({ key: PEM + PEM })],
    ['a private key', withSigner({ key: PEM.replaceAll('PUBLIC', 'PRIVATE') })],
    ['a broken key', withSigner({ key: pemEncode('PUBLIC KEY', publicKey.spki.subarray(1)) })],
  ])('refuses %s', (_name, value) => {
    expect(() => parse(value)).toThrowCode('CLI_POLICY_INVALID')
  })

  it.each(['', 'null', '{"version":1,"version":1}', '\ufeff{}', '{} {}', `${'['.repeat(50)}`])(
    'refuses the text %j',
    (text) => {
      expect(() => parsePolicyFile(utf8Encode(text))).toThrowCode('CLI_POLICY_INVALID')
    },
  )

  it('reads nothing of what is too large, and every refusal says what to do', () => {
    expect(() => parsePolicyFile(new Uint8Array(POLICY_FILE_LIMITS.bytes + 1).fill(0x20))).toThrow(
      expect.objectContaining({
        details: expect.objectContaining({ hint: expect.stringContaining('docs/policy-file.md') }),
      }),
    )
  })

  it('throws its own error or gives rules that name a signer, whatever the bytes', () => {
    const texts = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map(utf8Encode),
      mutated().map((value) => utf8Encode(JSON.stringify(value))),
    )
    fc.assert(
      fc.property(texts, (bytes) => {
        let policy: PolicyFile
        try {
          policy = parsePolicyFile(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(CliError)
          expect((error as CliError).code).toBe('CLI_POLICY_INVALID')
          return
        }
        for (const { files, identities, keys } of policy.rules) {
          expect(files.length).toBeGreaterThan(0)
          expect(identities.length + keys.length).toBeGreaterThan(0)
        }
      }),
      { numRuns: 2000 },
    )
  })
})

/** The document with one part replaced, removed or put elsewhere. */
function mutated(): fc.Arbitrary<unknown> {
  const values = fc.oneof(
    fc.jsonValue({ maxDepth: 1 }),
    fc.constantFrom('people', 'release', '**', '*', 1, 'attestation'),
  )
  return fc.tuple(fc.nat(60), fc.boolean(), values).map(([place, remove, value]) => {
    const copy = structuredClone(DOCUMENT) as unknown as Json
    const places = holders(copy)
    const [holder, name] = places[place % places.length]!
    if (remove) delete holder[name]
    else holder[name] = value
    return copy
  })
}

function holders(value: unknown): [Json, string][] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]): [Json, string][] => [[value as Json, name], ...holders(inner)])
}

describe('the policy file', () => {
  it('is read by code that knows no file, socket, clock or Node', () => {
    const folder = 'apps/cli/src/verifying/policy-file'
    const sources = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'))
    expect(sources.length).toBeGreaterThan(3)
    for (const name of sources) {
      const imports = [...readFileSync(join(folder, name), 'utf8').matchAll(/from '([^']+)'/g)].map(
        (match) => match[1]!,
      )
      const pure = /^(\.\/[a-z-]+\.js|\.\.\/\.\.\/errors\.js|@touchmark\/(crypto|encoding|errors|verify|x509))$/
      expect(imports.filter((one) => !pure.test(one))).toEqual([])
    }
  })
})
