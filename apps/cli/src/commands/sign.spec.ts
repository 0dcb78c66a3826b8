import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { testToken } from '../../../../libs/sign/src/testing/services.js'
import type { TestInstance } from '../../../../libs/verify/src/testing/instance.js'
import { testContext, type TestContext } from '../testing/context.js'
import { provenance1 } from '../testing/documents.js'
import { INSTANCE_URL, ISSUER_URL, ServedInstance } from '../testing/instance.js'
import { attestCommand } from './attest.js'
import type { SignOptions } from '../signing/run-signing.js'
import { signCommand } from './sign.js'
import { verifyAttestationCommand, verifyCommand } from './verify.js'

let instance: TestInstance
let other: TestInstance
let served: ServedInstance
let context: TestContext
let options: SignOptions

beforeAll(async () => {
  instance = (await ServedInstance.create()).instance
  other = (await ServedInstance.create()).instance
})
beforeEach(async () => {
  served = new ServedInstance(instance)
  context = await testContext({ fetch: (url, init) => served.fetch(url, init) })
  options = { instance: INSTANCE_URL, identityToken: testToken() }
  process.exitCode = 0
})
afterEach(async () => {
  process.exitCode = 0
  await context.remove()
})

const WHO = { instance: INSTANCE_URL, certificateIdentity: 'dev@example.com', certificateOidcIssuer: ISSUER_URL }
const files = (...names: string[]): string[] =>
  names.map((name) => {
    const path = join(context.folder, name)
    writeFileSync(path, `content of ${name}`)
    return path
  })
const bundles = (): string[] =>
  readdirSync(context.folder)
    .filter((name) => name.endsWith('.sigstore.json'))
    .sort()
const countOf = (service: string): number => served.services.asked.filter((one) => one.service === service).length

describe('touchmark sign', () => {
  it('signs many files with one certificate, and all of them verify', async () => {
    const names = Array.from({ length: 12 }, (_, i) => `file-${i}`)
    const paths = files(...names)
    await signCommand(context, paths, options)
    expect(bundles()).toHaveLength(12)
    expect([countOf('ca'), countOf('log'), countOf('tsa')]).toEqual([1, 12, 12])
    expect(
      [...context.said.out.matchAll(/^signed {2}(\S+) +log entry \d+ +(\S+)$/gm)].map((match) => match.slice(1)),
    ).toEqual(paths.map((path) => [path, `${path}.sigstore.json`]))
    expect(context.said.out).toMatch(/\n12 files, in the log of \S+\nas +dev@example.com\n/)
    expect(process.exitCode).toBe(0)
    context.said.out = ''
    await verifyCommand(context, paths, WHO)
    expect(context.said.out.match(/^verified /gm)).toHaveLength(12)
    expect(process.exitCode).toBe(0)
  })

  it('writes one JSON document with --json, and shows control characters in names without it', async () => {
    const [path] = files('a\u001b[2J')
    await signCommand({ ...context, json: true }, [path!], options)
    expect(JSON.parse(context.said.out)).toMatchObject({
      instance: INSTANCE_URL,
      identity: 'dev@example.com',
      issuer: ISSUER_URL,
      tokenSource: 'given',
      signed: [{ file: path, bundle: `${path}.sigstore.json`, kept: false }],
    })
    await signCommand(context, [path!], { ...options, overwrite: true })
    expect(context.said.out).not.toContain('\u001b')
  })

  it('signs nothing when one file is missing or one bundle is there already', async () => {
    const [a, b] = files('a', 'b')
    await expect(signCommand(context, [a!, `${b}.none`], options)).rejects.toThrowCode('CLI_FILE_UNREADABLE')
    await expect(signCommand(context, [`${context.folder}/`], options)).rejects.toMatchObject({
      code: 'CLI_FILE_UNREADABLE',
      details: { hint: `Name the files in it: touchmark sign ${context.folder}/*` },
    })
    writeFileSync(`${b}.sigstore.json`, 'mine')
    await expect(signCommand(context, [a!, b!], options)).rejects.toThrowCode('CLI_FILE_EXISTS')
    expect(bundles()).toEqual(['b.sigstore.json'])
    expect(readFileSync(`${b}.sigstore.json`, 'utf8')).toBe('mine')
    expect(served.visited).toEqual([])
  })

  it('replaces a bundle with --overwrite', async () => {
    const [a] = files('a')
    writeFileSync(`${a}.sigstore.json`, 'mine')
    await signCommand(context, [a!], { ...options, overwrite: true })
    await verifyCommand(context, [a!], WHO)
    expect(process.exitCode).toBe(0)
  })

  it('does not replace a bundle that somebody wrote meanwhile', async () => {
    const [a] = files('a')
    served.services.change = (_service, response) => {
      writeFileSync(`${a}.sigstore.json`, 'theirs')
      return response
    }
    await signCommand(context, [a!], options)
    expect(process.exitCode).toBe(8)
    expect(readFileSync(`${a}.sigstore.json`, 'utf8')).toBe('theirs')
    expect(context.said.out).toBe('')
  })

  it.each<[string, string[], Partial<SignOptions>]>([
    ['--bundle with two files', ['a', 'b'], { bundle: 'x' }],
    ['a file named twice', ['a', 'a'], {}],
    ['--overwrite with --resume', ['a'], { overwrite: true, resume: true }],
  ])('refuses %s', async (_name, names, more) => {
    await expect(signCommand(context, files(...names), { ...options, ...more })).rejects.toThrowCode('CLI_USAGE')
  })

  describe('when a service fails on the way', () => {
    beforeEach(() => {
      let seen = 0
      served.services.change = (service, response) =>
        service === 'tsa' && ++seen > 10 ? new Response('no', { status: 400 }) : response
    })

    it('says which files are signed and which is not, and leaves no bundle that does not verify', async () => {
      const paths = files(...Array.from({ length: 20 }, (_, i) => `f${String(i).padStart(2, '0')}`))
      await signCommand(context, paths, options)
      expect(process.exitCode).toBe(7)
      expect(context.said.out).toBe('')
      expect(context.said.err).toMatch(/SIGN_REQUEST_REFUSED[^]*was not signed\. Bundles of 10 files are there already/)
      const signed = bundles().map((name) => join(context.folder, name.replace('.sigstore.json', '')))
      expect(signed).toHaveLength(10)
      // Ten that went well and at most those that were under way: nothing was begun after the first failure.
      expect(countOf('tsa')).toBeLessThan(20)
      process.exitCode = 0
      await verifyCommand(context, signed, WHO)
      expect(process.exitCode).toBe(0)
      expect(readdirSync(context.folder).filter((name) => name.endsWith('.tmp'))).toEqual([])
    })

    it('goes on with --resume, and signs no file twice', async () => {
      const paths = files(...Array.from({ length: 20 }, (_, i) => `f${i}`))
      await signCommand({ ...context, json: true }, paths, options)
      expect(JSON.parse(context.said.out)).toMatchObject({ error: { code: 'SIGN_REQUEST_REFUSED' } })
      const before = bundles().map((name) => readFileSync(join(context.folder, name), 'utf8'))
      const logged = countOf('log')
      served.services.change = (_service, response) => response
      process.exitCode = 0
      await signCommand(context, paths, { ...options, resume: true })
      expect([process.exitCode, bundles().length, countOf('log') - logged]).toEqual([0, 20, 10])
      const after = bundles().map((name) => readFileSync(join(context.folder, name), 'utf8'))
      expect(before.every((text) => after.includes(text))).toBe(true)
    })

    it('makes a bundle anew with --resume when it is damaged, of another file, or by somebody else', async () => {
      served.services.change = (_service, response) => response
      const [a, b, c] = files('a', 'b', 'c')
      await signCommand(context, [a!, b!], options)
      await signCommand(context, [c!], { ...options, identityToken: testToken({ email: 'eve@example.com' }) })
      writeFileSync(`${a}.sigstore.json`, readFileSync(`${b}.sigstore.json`))
      writeFileSync(`${b}.sigstore.json`, '{"half')
      await signCommand(context, [a!, b!, c!], { ...options, resume: true })
      await verifyCommand(context, [a!, b!, c!], WHO)
      expect(process.exitCode).toBe(0)
    })
  })

  it('takes no attestation for the signature with --resume', async () => {
    const [a] = files('a')
    const predicate = join(context.folder, 'predicate.json')
    writeFileSync(predicate, JSON.stringify(provenance1))
    const bundle = `${a}.sigstore.json`
    await attestCommand(context, [a!], { ...options, predicate, type: 'slsaprovenance1', bundle })
    context.said.out = ''
    await signCommand(context, [a!], { ...options, resume: true })
    expect(context.said.out).toContain(`signed ${a}\n`)
    await verifyCommand(context, [a!], WHO)
    expect(process.exitCode).toBe(0)
    context.said.out = ''
    await signCommand(context, [a!], { ...options, resume: true })
    expect(context.said.out).toContain(`signed before: ${a}\n`)
  })

  it('says how many are left behind in one, or in many', async () => {
    let seen = 0
    served.services.change = (service, response) =>
      service === 'tsa' && ++seen > 1 ? new Response('no', { status: 400 }) : response
    await signCommand(context, files('a', 'b'), options)
    expect(context.said.err).toContain('The bundle of 1 file is there already; --resume goes on with the rest.')
  })

  it('writes nothing that does not verify under the trusted root', async () => {
    const [a] = files('a')
    served.root = { ...instance.trustedRoot, timestampAuthorities: other.trustedRoot.timestampAuthorities }
    await signCommand(context, [a!], options)
    expect(process.exitCode).toBe(3)
    expect(context.said.err).toContain('CLI_SIGNATURE_UNVERIFIED')
    expect([context.said.out, bundles()]).toEqual(['', []])
  })

  it('signs nothing once the trust root has changed', async () => {
    const [a] = files('a')
    await signCommand(context, [a!], options)
    served.root = other.trustedRoot
    await expect(signCommand(context, [a!], { ...options, overwrite: true })).rejects.toThrowCode('CLI_TRUST_CHANGED')
  })
})

describe('touchmark attest', () => {
  const attest = (paths: string[], more: object = {}): Promise<void> => {
    const predicate = join(context.folder, 'predicate.json')
    if (!existsSync(predicate)) writeFileSync(predicate, JSON.stringify(provenance1))
    return attestCommand(context, paths, { ...options, predicate, type: 'slsaprovenance1', ...more })
  }

  it('signs a statement about each file, which verify-attestation takes and verify does not', async () => {
    const paths = files('a', 'b')
    await attest(paths)
    await verifyAttestationCommand(context, paths, { ...WHO, type: 'slsaprovenance1' })
    expect(context.said.out).toMatch(/^verified .* https:\/\/slsa.dev\/provenance\/v1$/m)
    expect(process.exitCode).toBe(0)
    context.said.out = ''
    await verifyAttestationCommand(context, paths, { ...WHO, type: 'cyclonedx' })
    expect([process.exitCode, context.said.out]).toEqual([4, ''])
    expect(context.said.err).toContain('POLICY_PREDICATE_TYPE_MISMATCH')
  })

  it('does not take a signature for an attestation', async () => {
    const [a] = files('a')
    await signCommand(context, [a!], options)
    context.said.out = ''
    await verifyAttestationCommand(context, [a!], { ...WHO, bundle: `${a}.sigstore.json` })
    expect([process.exitCode, context.said.out]).toEqual([4, ''])
    expect(context.said.err).toContain('POLICY_CONTENT_MISMATCH')
  })

  it.each([{ type: 'nonsense' }, { predicate: 'no-such-file' }])('asks nobody when given %j', async (more) => {
    await expect(attest(files('a'), more)).rejects.toMatchObject({
      code: expect.stringMatching(/^CLI_(USAGE|FILE_UNREADABLE)$/),
    })
    expect(served.visited).toEqual([])
  })
})

describe('touchmark verify', () => {
  let paths: string[]
  beforeEach(async () => {
    paths = files('a', 'b')
    await signCommand(context, paths, options)
    context.said.out = ''
    context.said.err = ''
  })

  it('says on standard output that files verify only when all of them do', async () => {
    writeFileSync(paths[1]!, 'changed')
    await verifyCommand(context, paths, WHO)
    expect([process.exitCode, context.said.out]).toEqual([3, ''])
    expect(context.said.err).toMatch(/^verified +\S+a .*\nBAD PROOF +\S+b .*\nNOT verified: 1 of 2 files\n/)
    expect(context.said.err).toContain('VERIFY_ARTIFACT_CHANGED')
  })

  it('says in JSON what became of each file', async () => {
    writeFileSync(paths[1]!, 'changed')
    await verifyCommand({ ...context, json: true }, paths, WHO)
    expect(JSON.parse(context.said.out)).toMatchObject({
      verified: false,
      files: [
        { verified: true, signer: { identity: 'dev@example.com', issuer: ISSUER_URL } },
        {
          verified: false,
          error: { code: 'VERIFY_ARTIFACT_CHANGED', expected: expect.anything(), hint: expect.anything() },
        },
      ],
    })
    expect(process.exitCode).toBe(3)
  })

  it.each<[string, object, number, string]>([
    ['another identity', { certificateIdentity: 'eve@example.com' }, 4, 'POLICY_IDENTITY_MISMATCH'],
    ['another issuer', { certificateOidcIssuer: 'https://other.example.com' }, 4, 'POLICY_ISSUER_MISMATCH'],
    [
      'a pattern that matches a part',
      { certificateIdentity: undefined, certificateIdentityRegexp: 'dev' },
      4,
      'POLICY_IDENTITY_MISMATCH',
    ],
  ])('refuses %s', async (_name, more, exit, code) => {
    await verifyCommand(context, [paths[0]!], { ...WHO, ...more } as typeof WHO)
    expect([process.exitCode, context.said.out]).toEqual([exit, ''])
    expect(context.said.err).toContain(code)
  })

  it('takes a pattern that matches the whole name', async () => {
    const { instance: url, certificateOidcIssuer } = WHO
    await verifyCommand(context, paths, {
      instance: url,
      certificateOidcIssuer,
      certificateIdentityRegexp: '.*@example\\.com',
    })
    expect(process.exitCode).toBe(0)
  })

  it.each<[string, object, string]>([
    ['no identity', { certificateIdentity: undefined }, 'CLI_USAGE'],
    ['two ways to name an identity', { certificateIdentityRegexp: 'x' }, 'CLI_USAGE'],
    ['no issuer', { certificateOidcIssuer: undefined }, 'CLI_USAGE'],
    ['an empty identity', { certificateIdentity: '' }, 'POLICY_EMPTY'],
    ['an empty issuer', { certificateOidcIssuer: '' }, 'POLICY_EMPTY'],
    ['a pattern that is none', { certificateIdentity: undefined, certificateIdentityRegexp: '(' }, 'POLICY_INVALID'],
  ])('refuses %s', async (_name, more, code) => {
    await expect(verifyCommand(context, paths, { ...WHO, ...more } as typeof WHO)).rejects.toThrowCode(code)
  })

  it('takes a digest in place of the file, with a bundle', async () => {
    const { createHash } = await import('node:crypto')
    const digest = createHash('sha256').update('content of a').digest('hex')
    const bundle = `${paths[0]}.sigstore.json`
    await verifyCommand(context, [`sha256:${digest}`], { ...WHO, bundle })
    expect(process.exitCode).toBe(0)
    await verifyCommand(context, [`sha256:${'0'.repeat(64)}`], { ...WHO, bundle })
    expect(process.exitCode).toBe(3)
    await expect(verifyCommand(context, [`sha256:${digest}`], WHO)).rejects.toThrowCode('CLI_USAGE')
    await expect(verifyCommand(context, ['sha1:00'], { ...WHO, bundle })).rejects.toThrowCode('CLI_USAGE')
  })

  it('reads a large file a piece at a time', async () => {
    const path = join(context.folder, 'large')
    writeFileSync(path, Buffer.alloc(65 << 20, 1))
    await signCommand(context, [path], options)
    context.said.out = ''
    await verifyCommand(context, [path], WHO)
    expect(context.said.out).toContain(`verified ${path}`)
    writeFileSync(path, Buffer.alloc(65 << 20, 2))
    await verifyCommand(context, [path], WHO)
    expect(process.exitCode).toBe(3)
    expect(context.said.err).toContain('VERIFY_ARTIFACT_CHANGED')
  })

  it.each(['', '{}', 'not json', '[]'])('refuses the bundle %j', async (text) => {
    writeFileSync(`${paths[0]}.sigstore.json`, text)
    await verifyCommand(context, [paths[0]!], WHO)
    expect([process.exitCode, context.said.out]).toEqual([3, ''])
  })

  it('says that the bundle is missing', async () => {
    await verifyCommand(context, [paths[0]!], { ...WHO, bundle: `${paths[0]}.none` })
    expect([process.exitCode, context.said.out]).toEqual([3, ''])
    expect(context.said.err).toContain('CLI_BUNDLE_MISSING')
  })
})
