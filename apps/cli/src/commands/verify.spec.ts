import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { encodeBundle } from '@touchmark/bundle'
import { generateSigner } from '@touchmark/crypto/node'
import { pemEncode } from '@touchmark/encoding'
import type { CodedError } from '@touchmark/errors'
import { encodeTrustedRoot } from '@touchmark/trust'
import { OIDC_ISSUER, SAN, TestInstance } from '../../../../libs/verify/src/testing/instance.js'
import { statementOf } from '../../../../libs/verify/src/testing/signing.js'
import { testContext, type TestContext } from '../testing/context.js'
import { ATTESTATION, MESSAGE, MESSAGE_BY_KEY, SignedFiles, WHO } from '../testing/signed-files.js'
import { verifyAttestationCommand, verifyCommand, type VerifyAttestationOptions } from './verify.js'

let instance: TestInstance
let other: TestInstance
let context: TestContext
let files: SignedFiles
let who: VerifyAttestationOptions

beforeAll(async () => {
  instance = await TestInstance.create()
  other = await TestInstance.create()
})
beforeEach(async () => {
  context = await testContext()
  files = new SignedFiles(instance, context.folder)
  who = { ...WHO, trustedRoot: files.root }
  process.exitCode = 0
})
afterEach(async () => {
  process.exitCode = 0
  await context.remove()
})

interface FileJson {
  file: string
  verified: boolean
  failure?: string
  rule?: string
  error?: { code: string; hint: string }
  [member: string]: unknown
}
type Run = typeof verifyAttestationCommand
async function json(named: string[], options = who, run: Run = verifyCommand): Promise<FileJson[]> {
  const said = { out: '', err: '' }
  await run({ ...context, json: true, out: (text) => void (said.out += text) }, named, options)
  const document = JSON.parse(said.out) as { verified: boolean; counts: Record<string, number>; files: FileJson[] }
  expect(document.verified).toBe(document.files.every(({ verified }) => verified))
  expect(document.verified).toBe(process.exitCode === 0)
  expect(document.counts['files']).toBe(document.files.length)
  return document.files
}
const attested = (named: string[], options = who): Promise<FileJson[]> => json(named, options, verifyAttestationCommand)
const codes = (list: FileJson[]): unknown[] => list.map(({ error, verified }) => (verified ? 'verified' : error!.code))
const policy = (rules: unknown[], signers: Record<string, unknown> = {}): VerifyAttestationOptions => {
  const dev = { identity: SAN.value, issuer: OIDC_ISSUER }
  const eve = { identity: 'eve@example.com', issuer: OIDC_ISSUER }
  const path = files.write('policy.json', JSON.stringify({ version: 1, signers: { dev, eve, ...signers }, rules }))
  return { policy: path, trustedRoot: files.root }
}

describe('touchmark verify', () => {
  it('verifies a file, a digest and a folder', async () => {
    const { artifact } = await files.add('dist/a')
    const digest = `sha256:${createHash('sha256').update(artifact).digest('hex')}`
    await verifyCommand(context, [files.path('dist/a')], who)
    expect(context.said.out).toMatch(/^verified \S+a\n {2}signed by +dev@example.com\n[^]* {2}checks +14 passed/)
    const bundle = files.path('dist/a.sigstore.json')
    expect(codes(await json([digest], { ...who, bundle }))).toEqual(['verified'])
    expect(codes(await json([digest.toUpperCase()], { ...who, bundle }))).toEqual(['verified'])
    const [one] = await json([files.path('dist')])
    expect(one).toMatchObject({
      file: files.path('dist/a'),
      bundle,
      signer: { identity: SAN.value, issuer: OIDC_ISSUER },
      digest,
      content: 'message',
      checks: expect.arrayContaining([expect.objectContaining({ check: 'signature' })]),
    })
  })

  it('prints a line for each of many files, in their order', async () => {
    await files.add('b')
    await files.add('a')
    await verifyCommand(context, [files.path('b'), files.path('a')], who)
    const lines = context.said.out.trimEnd().split('\n')
    expect(lines.slice(0, 2)).toEqual(
      ['b', 'a'].map((name) => expect.stringMatching(`^verified  \\S+${name}  dev@example`)),
    )
    expect(lines[2]).toBe('All 2 files verified (--json lists the checks).')
  })

  it('says nothing of success on standard output when one of many fails, and explains equal failures once', async () => {
    for (const name of ['a', 'b', 'c']) await files.add(name)
    files.write('b', 'changed')
    rmSync(files.path('c.sigstore.json'))
    files.write('d', 'never signed')
    const all = ['a', 'b', 'c', 'd'].map((name) => files.path(name))
    await verifyCommand(context, all, who)
    expect(context.said.out).toBe('')
    expect(process.exitCode).toBe(3)
    expect(context.said.err).toMatch(
      /^verified +\S+a .*\nBAD PROOF +\S+b .*VERIFY_ARTIFACT_CHANGED\nNO BUNDLE +\S+c .*\nNO BUNDLE +\S+d .*\nNOT verified: 3 of 4 files\n/,
    )
    expect(context.said.err.match(/^ {2}code /gm)).toHaveLength(2)
    expect(context.said.err).toContain(`files     ${files.path('c')}, ${files.path('d')}\n`)
    expect((await json(all)).map(({ failure }) => failure)).toEqual([undefined, 'proof', 'no bundle', 'no bundle'])
  })

  it('tells a bad proof, a policy that says no, and another instance apart', async () => {
    await files.add('a')
    const stranger = new SignedFiles(other, files.path('other'))
    await stranger.add('x')
    const foreign = encodeTrustedRoot(other.trustedRoot)
    const cases: [string, Partial<VerifyAttestationOptions>, string, string, number, string][] = [
      ['a', { certificateIdentity: 'eve@example.com' }, 'policy', 'POLICY_IDENTITY_MISMATCH', 4, 'the policy says no'],
      ['a', { certificateOidcIssuer: 'https://x' }, 'policy', 'POLICY_ISSUER_MISMATCH', 4, 'the policy says no'],
      ['other/x', {}, 'other instance', 'VERIFY_OTHER_INSTANCE', 5, 'the trusted root knows neither'],
      [
        'a',
        { trustedRoot: files.write('foreign.json', foreign) },
        'other instance',
        'VERIFY_OTHER_INSTANCE',
        5,
        'the trusted root knows neither',
      ],
      ['none', {}, 'file', 'CLI_FILE_UNREADABLE', 8, 'cannot be looked at'],
    ]
    for (const [name, change, failure, code, exit, words] of cases) {
      const options = { ...who, ...change }
      const [one] = await json([files.path(name)], options)
      expect([one!.failure, one!.error!.code, process.exitCode]).toEqual([failure, code, exit])
      expect(one!.error!.hint).toMatch(/\.$/)
      context.said.err = ''
      await verifyCommand(context, [files.path(name)], options)
      expect(context.said.err).toMatch(new RegExp(`^NOT verified: [^]*because +[^\\n]*${words}[^]*\\n  do  `))
      process.exitCode = 0
    }
    expect(context.said.out).toBe('')
  })

  it('fails with a bundle that is named and not there, and with a bundle in the place of a file', async () => {
    await files.add('a')
    expect(codes(await json([files.path('a')], { ...who, bundle: files.path('none') }))).toEqual(['CLI_BUNDLE_MISSING'])
    const [one] = await json([files.path('a.sigstore.json')])
    expect(one!.error).toMatchObject({
      code: 'CLI_BUNDLE_MISSING',
      hint: expect.stringContaining('looks like a bundle'),
    })
  })

  it.each<[string, Partial<VerifyAttestationOptions>, string]>([
    ['nobody', { certificateIdentity: undefined as never }, 'CLI_USAGE'],
    ['no issuer', { certificateOidcIssuer: undefined as never }, 'CLI_USAGE'],
    ['two identities', { certificateIdentityRegexp: '.*' }, 'CLI_USAGE'],
    ['an identity and a key', { key: 'x' }, 'CLI_USAGE'],
    ['an identity and a policy', { policy: 'x' }, 'CLI_USAGE'],
    ['an empty identity', { certificateIdentity: '' }, 'POLICY_EMPTY'],
    [
      'a pattern that is none',
      { certificateIdentity: undefined as never, certificateIdentityRegexp: '(' },
      'POLICY_INVALID',
    ],
    ['a pattern for --exclude that is none', { exclude: ['[a]'] }, 'CLI_USAGE'],
    ['a trusted root that is none', { trustedRoot: 'package.json' }, 'TRUST_JSON_INVALID'],
    ['a trusted root that is not there', { trustedRoot: 'none.json' }, 'CLI_FILE_UNREADABLE'],
    ['everything left out', { exclude: ['*'] }, 'CLI_NOTHING_TO_VERIFY'],
  ])('refuses %s', async (_name, change, code) => {
    await files.add('a')
    await expect(verifyCommand(context, [files.path('a')], { ...who, ...change })).rejects.toThrowCode(code)
    expect(context.said).toEqual({ out: '', err: '' })
  })

  it('refuses a key beside a policy, and digests without a bundle, of odd lengths and algorithms', async () => {
    const run = (named: string[], options: VerifyAttestationOptions) => verifyCommand(context, named, options)
    await expect(run(['a'], { policy: 'x', key: 'y' })).rejects.toThrowCode('CLI_USAGE')
    for (const digest of [`sha256:${'0'.repeat(64)}`, 'sha256:00', 'sha1:00'])
      await expect(run([digest], who)).rejects.toThrowCode('CLI_USAGE')
    await expect(run(['sha256:00'], { ...who, bundle: 'x' })).rejects.toThrowCode('CLI_USAGE')
    await expect(run(['a', 'b'], { ...who, bundle: 'x' })).rejects.toThrowCode('CLI_USAGE')
    await expect(run([context.folder], { ...who, bundle: 'x' })).rejects.toThrowCode('CLI_USAGE')
  })
})

describe('a folder', () => {
  it('stands for every file below it that is no bundle, also behind a link to a file', async () => {
    await files.add('dist/b')
    await files.add('dist/deep/er/a')
    await files.add('dist/.hidden')
    symlinkSync('../b', files.path('dist/deep/link'))
    files.write('dist/deep/link.sigstore.json', readFileSync(files.path('dist/b.sigstore.json')))
    files.write('dist/old.sigstore', 'a bundle of an older client')
    expect(
      (await json([files.path('dist')])).map(({ file, verified }) => [
        file.slice(files.path('dist/').length),
        verified,
      ]),
    ).toEqual([
      ['.hidden', true],
      ['b', true],
      ['deep/er/a', true],
      ['deep/link', true],
    ])
  })

  it('fails for what cannot be looked at, and for a link that leads out', async () => {
    await files.add('dist/a')
    mkdirSync(files.path('elsewhere'))
    symlinkSync(files.path('elsewhere'), files.path('dist/out'))
    symlinkSync(files.path('nowhere'), files.path('dist/lost'))
    expect(codes(await json([files.path('dist')]))).toEqual(['verified', 'CLI_FILE_UNREADABLE', 'CLI_FILE_UNREADABLE'])
  })

  it('is no success when it is empty or holds bundles alone', async () => {
    mkdirSync(files.path('empty'))
    const run = verifyCommand(context, [files.path('empty')], who)
    await expect(run).rejects.toThrowCode('CLI_NOTHING_TO_VERIFY')
    files.write('empty/a.sigstore.json', '{}')
    await expect(verifyCommand(context, [files.path('empty')], who)).rejects.toThrowCode('CLI_NOTHING_TO_VERIFY')
  })

  it('fails for a file without a bundle, unless it is left out by name', async () => {
    await files.add('dist/a')
    files.write('dist/README.md', 'never signed')
    const list = await json([files.path('dist')])
    expect(codes(list)).toEqual(['CLI_BUNDLE_MISSING', 'verified'])
    expect(list[0]!.error!.hint).toContain('--exclude')
    const [alone] = await json([files.path('dist/README.md')])
    expect(alone!.error!.hint).not.toContain('--exclude')
    process.exitCode = 0
    expect(codes(await json([files.path('dist')], { ...who, exclude: ['*.md'] }))).toEqual(['verified'])
    await verifyCommand(context, [files.path('dist')], { ...who, exclude: ['*.md'] })
    expect(context.said.out).toContain('1 file was left out with --exclude.\n')
  })

  it('may be named by all that is in it, and a file twice counts once', async () => {
    await files.add('a')
    await files.add('b')
    const named = ['a', 'a.sigstore.json', 'b', 'b.sigstore.json', 'b'].map((name) => files.path(name))
    expect((await json(named)).map(({ file }) => file)).toEqual([files.path('a'), files.path('b')])
  })
})

describe('--key', () => {
  it('verifies what was signed with the key, and nothing else', async () => {
    const signed = await files.add('a', MESSAGE_BY_KEY)
    await files.add('b')
    const key = files.keyOf(signed)
    const byKey = { key, trustedRoot: files.root }
    expect(await json([files.path('a')], byKey)).toMatchObject([
      { verified: true, signer: { key: expect.any(String) } },
    ])
    for (const [named, options, code] of [
      ['b', byKey, 'VERIFY_KEY_UNEXPECTED'],
      ['a', who, 'VERIFY_KEY_MISSING'],
    ] as const) {
      expect(await json([files.path(named)], options)).toMatchObject([{ failure: 'signer kind', error: { code } }])
      expect(process.exitCode).toBe(3)
      await verifyCommand(context, [files.path(named)], options)
      expect(context.said.err).not.toContain('the proof is bad')
    }
    const { publicKey } = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
    files.write('key.pub', pemEncode('PUBLIC KEY', publicKey.spki))
    const [one] = await json([files.path('a')], byKey)
    expect([one!.failure, one!.error!.code]).toEqual(['proof', 'VERIFY_SIGNATURE_INVALID'])
    expect(one!.error!.hint).toContain("or it is another key than the signer's")
    files.write('key.pub', 'none')
    await expect(verifyCommand(context, [files.path('a')], byKey)).rejects.toThrowCode('KEYFILE_PUBLIC_KEY_INVALID')
  })
})

describe('--policy', () => {
  it('says who may sign which file, and refuses what it is not about', async () => {
    for (const name of ['a.tar', 'b.zip', 'c.txt']) await files.add(name)
    const named = ['a.tar', 'b.zip', 'c.txt'].map((name) => files.path(name))
    const options = policy([
      { files: ['*.tar'], signers: ['eve', 'dev'] },
      { name: 'zips', files: ['*.zip'], signers: ['eve'] },
      { files: ['*.zip'], signers: ['dev'] },
    ])
    const list = await json(named, options)
    expect(codes(list)).toEqual(['verified', 'POLICY_IDENTITY_MISMATCH', 'CLI_POLICY_NO_RULE'])
    expect(list.map(({ rule }) => rule)).toEqual(['rule 1', 'zips', undefined])
    await verifyCommand(context, [named[1]!], options)
    expect(context.said.err).toMatch(/^ {2}rule +zips$/m)
    expect(context.said.err).toContain('the proof is good, and the policy says no')
    context.said.err = ''
    await verifyCommand(context, [named[2]!], options)
    await verifyCommand(context, named, options)
    expect(context.said.err).toMatch(/because +no rule is about it; it was not looked at\n/)
    expect(context.said.err).toMatch(/^NO RULE /m)
    expect(context.said.err.split('NOT verified: ')[1]).not.toContain('the proof is good')
    expect(list.map(({ failure }) => failure)).toEqual([undefined, 'policy', 'policy'])
    expect(process.exitCode).toBe(4)
  })

  it('holds certificate extensions, thresholds and content against the bundle', async () => {
    await files.add('a', MESSAGE, { leaf: { extensions: { sourceRepositoryUri: 'https://git.example.com/a' } } })
    await files.add('b', ATTESTATION, {}, '.sigstore.json')
    const here = {
      identity: SAN.value,
      issuer: OIDC_ISSUER,
      extensions: { sourceRepositoryUri: 'https://git.example.com/a' },
    }
    const there = { ...here, extensions: { sourceRepositoryUri: 'https://git.example.com/b' } }
    const run = async (name: string, rule: object): Promise<unknown> => {
      process.exitCode = 0
      return codes(await json([files.path(name)], policy([{ files: ['**'], ...rule }], { here, there })))[0]
    }
    expect(await run('a', { signers: ['here'] })).toBe('verified')
    expect(await run('a', { signers: ['there'] })).toBe('POLICY_EXTENSION_MISMATCH')
    expect(await run('a', { signers: ['here'], thresholds: { logs: 2 } })).toBe('VERIFY_LOG_THRESHOLD')
    expect(await run('a', { signers: ['here'], thresholds: { certificateLogs: 2 } })).toBe('VERIFY_SCT_THRESHOLD')
    expect(await run('a', { signers: ['here'], thresholds: { times: 2 } })).toBe('VERIFY_TIME_THRESHOLD')
    expect(await run('b', { signers: ['dev'] })).toBe('POLICY_CONTENT_MISMATCH')
    expect(await run('a', { signers: ['here'], content: 'attestation' })).toBe('CLI_POLICY_NO_RULE')
  })

  it('is asked first, also about what is no file', async () => {
    await files.add('dist/a.tar')
    symlinkSync(files.path('nowhere'), files.path('dist/lost'))
    symlinkSync(files.path('nowhere'), files.path('dist/lost.tar'))
    const list = await json([files.path('dist')], policy([{ files: ['*.tar'], signers: ['dev'] }]))
    expect(codes(list)).toEqual(['verified', 'CLI_POLICY_NO_RULE', 'CLI_FILE_UNREADABLE'])
  })

  it('takes any of several keys, whatever hint the bundle has', async () => {
    const signed = await files.add('a', MESSAGE_BY_KEY)
    await files.add('b')
    const pem = (spki: Uint8Array): { key: string } => ({ key: pemEncode('PUBLIC KEY', spki) })
    const right = pem(signed.signer.publicKey.spki)
    const wrong = pem(generateSigner({ kind: 'ecdsa', curve: 'P-256' }).publicKey.spki)
    const larger = pem(generateSigner({ kind: 'ecdsa', curve: 'P-384' }).publicKey.spki)
    const run = async (name: string, signers: string[]): Promise<unknown> =>
      codes(await json([files.path(name)], policy([{ files: ['*'], signers }], { right, wrong, larger })))[0]
    expect(await run('a', ['wrong', 'larger', 'right'])).toBe('verified')
    expect(await run('a', ['dev', 'right'])).toBe('verified')
    expect(await run('b', ['dev', 'right'])).toBe('verified')
    const hinted = { ...signed.bundle, signer: { kind: 'publicKey', hint: 'somebody' } } as const
    files.write('a.sigstore.json', encodeBundle(hinted))
    expect(await run('a', ['larger', 'wrong', 'right'])).toBe('verified')
    expect(await run('a', ['larger', 'wrong'])).toBe('VERIFY_SIGNATURE_INVALID')
    expect(await run('a', ['dev'])).toBe('VERIFY_KEY_MISSING')
    expect(await run('b', ['right'])).toBe('VERIFY_KEY_UNEXPECTED')
  })
})

describe('a refusal', () => {
  it('says nothing twice', async () => {
    const stranger = new SignedFiles(other, files.path('other'))
    await stranger.add('x')
    await files.add('broken')
    files.write('broken.sigstore.json', '{"mediaType"')
    for (const name of ['other/x', 'broken']) {
      context.said.err = ''
      await verifyCommand(context, [files.path(name)], who)
      const [, message, ...values] = context.said.err.trimEnd().split('\n')
      const texts = [message!.replace('touchmark: ', ''), ...values.map((line) => line.trim().replace(/^\S+ +/, ''))]
      for (const [i, text] of texts.entries())
        expect(texts.filter((one, k) => k !== i && one.includes(text))).toEqual([])
      expect(texts.join(' ').match(/another instance than the one/g) ?? []).toHaveLength(name === 'broken' ? 0 : 1)
    }
    const root = files.write('root2.json', '{"mediaType"')
    const run = verifyCommand(context, [files.path('broken')], { ...who, trustedRoot: root })
    const { message, details } = (await run.catch((error: unknown) => error)) as CodedError
    expect(details.found).toBeTruthy()
    expect(message).not.toContain(details.found)
  })
})

describe('what was said about the signer', () => {
  it('is explained: a pattern must match the whole name, and one that is none names its flag', async () => {
    await files.add('a')
    const byPattern = (certificateIdentityRegexp: string): VerifyAttestationOptions => {
      return { certificateIdentityRegexp, certificateOidcIssuer: OIDC_ISSUER, trustedRoot: files.root }
    }
    const hint = async (pattern: string): Promise<string> =>
      (await json([files.path('a')], byPattern(pattern)))[0]!.error!.hint
    expect(await hint('example[.]com')).toContain('it must match the whole name')
    expect(await hint('nobody')).not.toContain('whole name')
    await expect(verifyCommand(context, [files.path('a')], byPattern('('))).rejects.toMatchObject({
      code: 'POLICY_INVALID',
      message: '--certificate-identity-regexp is no regular expression',
    })
  })
})

describe('touchmark verify-attestation', () => {
  it('refuses a subject with a right and a wrong digest, whatever the size of the file', async () => {
    for (const size of [10, 17 << 20]) {
      const artifact = Buffer.alloc(size, 7)
      const text = Buffer.from(statementOf(artifact)).toString()
      const sha512 = (bytes: Uint8Array): string => createHash('sha512').update(bytes).digest('hex')
      const both = (digest: string): Buffer => Buffer.from(text.replace('"sha256"', `"sha512":"${digest}","sha256"`))
      await files.add('wrong', ATTESTATION, { artifact, payload: both(sha512(Buffer.from('x'))) })
      await files.add('right', ATTESTATION, { artifact, payload: both(sha512(artifact)) })
      const list = await attested([files.path('wrong'), files.path('right')])
      expect(codes(list)).toEqual(['VERIFY_SUBJECT_MISMATCH', 'verified'])
    }
  })

  const SLSA = 'https://slsa.dev/provenance/v1'
  const SPDX = 'https://spdx.dev/Document'

  it('takes every attestation beside the file, and needs one that is what was asked for', async () => {
    await files.add('app', ATTESTATION, { predicateType: SLSA })
    await files.add('app', ATTESTATION, { predicateType: SPDX }, '.sbom.att.sigstore.json')
    files.write('app.broken.att.sigstore.json', '{')
    await files.add('app.tar', ATTESTATION)
    const app = files.path('app')
    const [all] = await attested([app])
    expect(all).toMatchObject({
      verified: true,
      bundle: `${app}.att.sigstore.json`,
      content: { predicateType: SLSA },
      others: [{ content: { predicateType: SPDX } }],
      passedOver: [{ bundle: `${app}.broken.att.sigstore.json`, error: { code: 'BUNDLE_JSON_INVALID' } }],
    })
    expect(await attested([app], { ...who, type: 'spdxjson' })).toMatchObject([
      {
        bundle: `${app}.sbom.att.sigstore.json`,
        passedOver: [{ error: { code: 'POLICY_PREDICATE_TYPE_MISMATCH' } }, { error: { code: 'BUNDLE_JSON_INVALID' } }],
      },
    ])
    expect(codes(await attested([app], { ...who, type: 'openvex' }))).toEqual(['BUNDLE_JSON_INVALID'])
    rmSync(`${app}.broken.att.sigstore.json`)
    expect(codes(await attested([app], { ...who, type: 'openvex' }))).toEqual(['POLICY_PREDICATE_TYPE_MISMATCH'])
    expect(codes(await attested([app], { ...who, certificateIdentity: 'x' }))).toEqual(['POLICY_IDENTITY_MISMATCH'])
  })

  it('is refused without an attestation, with a signature, and with one about another file', async () => {
    await files.add('a')
    expect(codes(await attested([files.path('a')]))).toEqual(['CLI_BUNDLE_MISSING'])
    const bundle = files.path('a.sigstore.json')
    expect(codes(await attested([files.path('a')], { ...who, bundle }))).toEqual(['POLICY_CONTENT_MISMATCH'])
    await files.add('b', ATTESTATION)
    files.write('b', 'other')
    expect(codes(await attested([files.path('b')]))).toEqual(['VERIFY_SUBJECT_MISMATCH'])
  })

  it('gives and writes exactly the bytes that were signed', async () => {
    const artifact = Buffer.from('artifact')
    const text = Buffer.from(statementOf(artifact))
      .toString()
      .replace('"predicate":{}', '"predicate" : { "n": 1.0e+2, "t":"\\u003c" }\n')
    const signed = await files.add('a', ATTESTATION, { artifact, payload: Buffer.from(text) })
    const [one] = await attested([files.path('a')])
    const { statement } = one!['content'] as { statement: string }
    expect(Buffer.from(statement, 'base64').toString()).toBe(text)
    const out = { statementOut: files.path('s.json'), predicateOut: files.path('p.json') }
    await verifyAttestationCommand(context, [files.path('a')], { ...who, ...out })
    expect(context.said.out).toContain('verified ')
    expect(readFileSync(out.statementOut, 'utf8')).toBe(text)
    expect(readFileSync(out.predicateOut, 'utf8')).toBe('{ "n": 1.0e+2, "t":"\\u003c" }')
    expect(signed.form.content).toBe('attestation')
    const again = verifyAttestationCommand(context, [files.path('a')], { ...who, ...out })
    await expect(again).rejects.toThrowCode('CLI_FILE_EXISTS')
  })

  it('writes nothing of what does not verify, is one of several, or is about several files', async () => {
    await files.add('a', ATTESTATION)
    const out = { statementOut: files.path('s.json') }
    const run = (named: string[], change: object): Promise<void> =>
      verifyAttestationCommand(context, named, { ...who, ...out, ...change })
    await run([files.path('a')], { certificateIdentity: 'x' })
    expect([process.exitCode, context.said.out]).toEqual([4, ''])
    await expect(run([files.path('a'), files.path('b')], {})).rejects.toThrowCode('CLI_USAGE')
    await files.add('a', ATTESTATION, {}, '.x.att.sigstore.json')
    await expect(run([files.path('a')], {})).rejects.toThrowCode('CLI_USAGE')
    expect(() => readFileSync(out.statementOut)).toThrow()
    await expect(run([files.path('a')], { predicateOut: join(context.folder, 'no', 'p') })).rejects.toThrowCode(
      'CLI_USAGE',
    )
  })

  it('keeps the types of a policy', async () => {
    await files.add('a', ATTESTATION, { predicateType: SLSA })
    const options = policy([{ files: ['*'], signers: ['dev'], content: 'attestation', predicateTypes: [SPDX, SLSA] }])
    expect(codes(await attested([files.path('a')], options))).toEqual(['verified'])
    expect(codes(await attested([files.path('a')], { ...options, type: SPDX }))).toEqual([
      'POLICY_PREDICATE_TYPE_MISMATCH',
    ])
    expect(codes(await attested([files.path('a')], { ...options, type: 'openvex' }))).toEqual(['CLI_POLICY_NO_RULE'])
  })

  it('looks at no more than 64 attestations of a file', async () => {
    writeFileSync(files.path('a'), 'a')
    for (let i = 0; i < 65; i++) files.write(`a.n${i}.att.sigstore.json`, '{}')
    await expect(attested([files.path('a')])).rejects.toThrowCode('CLI_USAGE')
  })
})
