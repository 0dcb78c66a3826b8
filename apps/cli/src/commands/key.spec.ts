import { generateKeyPairSync } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { parseBundle, type Bundle } from '@touchmark/bundle'
import { nodeCrypto } from '@touchmark/crypto/node'
import {
  encodePublicKeyFile,
  generateKey,
  parsePrivateKey,
  parsePublicKeyFile,
  sealPrivateKey,
} from '@touchmark/keyfile'
import { verifyBundle, type VerificationResult } from '@touchmark/verify'
import { testToken } from '../../../../libs/sign/src/testing/services.js'
import type { TestInstance } from '../../../../libs/verify/src/testing/instance.js'
import type { SignOptions } from '../signing/run-signing.js'
import { testContext, type TestContext } from '../testing/context.js'
import { INSTANCE_URL, ServedInstance } from '../testing/instance.js'
import { attestCommand } from './attest.js'
import { generateKeyCommand, importKeyCommand, publicKeyCommand } from './key.js'
import { signCommand } from './sign.js'

// Keys are made here, and scrypt takes as long as it takes.
jest.setTimeout(60_000)

const PASSWORD = { TOUCHMARK_KEY_PASSWORD: 'secret' }
let instance: TestInstance
let other: TestInstance
let served: ServedInstance
let context: TestContext

beforeAll(async () => {
  instance = (await ServedInstance.create()).instance
  other = (await ServedInstance.create()).instance
})
beforeEach(async () => {
  served = new ServedInstance(instance)
  context = await testContext({ environment: PASSWORD, fetch: (url, init) => served.fetch(url, init) })
  process.exitCode = 0
})
afterEach(async () => {
  process.exitCode = 0
  await context.remove()
})

const at = (name: string): string => join(context.folder, name)
const read = (name: string): Uint8Array => new Uint8Array(readFileSync(at(name)))
const generate = (more: object = {}): Promise<void> =>
  generateKeyCommand(context, { type: 'P-256', output: at('k'), ...more })

describe('touchmark key generate', () => {
  it('writes a private key for its owner alone, and its public key', async () => {
    await generate()
    const signer = await parsePrivateKey(read('k.key'), () => Promise.resolve(Buffer.from('secret')))
    expect(parsePublicKeyFile(read('k.pub'))).toEqual(signer.publicKey)
    expect(statSync(at('k.key')).mode & 0o777).toBe(0o600)
    expect(context.said.out).toMatch(/k\.key[^]*k\.pub[^]*P-256/)
    expect(context.said.out + context.said.err).not.toContain('secret')
  })

  it('says in JSON what it made', async () => {
    await generateKeyCommand({ ...context, json: true }, { type: 'Ed25519', output: at('k') })
    expect(JSON.parse(context.said.out)).toEqual({
      privateKeyFile: at('k.key'),
      publicKeyFile: at('k.pub'),
      type: 'Ed25519',
      hint: expect.stringMatching(/^[\w+/]{43}=$/),
      publicKey: Buffer.from(parsePublicKeyFile(read('k.pub')).spki).toString('base64'),
    })
    expect(context.said.err).toContain('cosign cannot')
  })

  it.each(['k.key', 'k.pub'])('replaces no %s unasked, and asks for no password then', async (name) => {
    writeFileSync(at(name), 'mine')
    await expect(generate({ passwordFile: at('none') })).rejects.toThrowCode('CLI_FILE_EXISTS')
    expect(readFileSync(at(name), 'utf8')).toBe('mine')
    await generate({ overwrite: true })
    expect(parsePublicKeyFile(read('k.pub')).type).toEqual({ kind: 'ecdsa', curve: 'P-256' })
    expect(statSync(at('k.key')).mode & 0o777).toBe(0o600)
  })

  it('leaves nothing behind without a password', async () => {
    await expect(
      generateKeyCommand({ ...context, environment: {} }, { type: 'P-256', output: at('k') }),
    ).rejects.toThrowCode('CLI_PASSWORD_MISSING')
    expect([existsSync(at('k.key')), existsSync(at('k.pub'))]).toEqual([false, false])
  })

  it('says that the empty password protects nothing', async () => {
    await generateKeyCommand({ ...context, environment: { COSIGN_PASSWORD: '' } }, { type: 'P-256', output: at('k') })
    expect(context.said.err).toContain('The password is empty')
  })
})

describe('touchmark key import and key public', () => {
  it('encrypt a key that another program made, and print its public half', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
    writeFileSync(at('plain.pem'), privateKey.export({ type: 'sec1', format: 'pem' }))
    await importKeyCommand(context, { key: at('plain.pem'), output: at('k') })
    context.said.out = ''
    await publicKeyCommand(context, { key: at('k.key') })
    expect(context.said.out).toBe(publicKey.export({ type: 'spki', format: 'pem' }))
    expect(context.said.out).toBe(readFileSync(at('k.pub'), 'utf8'))
  })

  it('refuse what is no such file', async () => {
    writeFileSync(at('x'), 'no key')
    await expect(importKeyCommand(context, { key: at('x'), output: at('k') })).rejects.toThrowCode(
      'KEYFILE_IMPORT_INVALID',
    )
    await expect(publicKeyCommand(context, { key: at('x') })).rejects.toThrowCode('KEYFILE_INVALID')
    expect(existsSync(at('k.key'))).toBe(false)
  })
})

describe('touchmark sign and attest with --key', () => {
  let options: SignOptions
  let pair: { privateKey: string; publicKey: string }
  beforeAll(async () => {
    const signer = await generateKey({ kind: 'ecdsa', curve: 'P-256' })
    const privateKey = await sealPrivateKey(signer, Buffer.from('secret'))
    pair = { privateKey, publicKey: encodePublicKeyFile(signer.publicKey) }
  })
  beforeEach(() => {
    writeFileSync(at('k.key'), pair.privateKey)
    writeFileSync(at('k.pub'), pair.publicKey)
    options = { instance: INSTANCE_URL, key: at('k.key') }
    writeFileSync(at('a'), 'content of a')
  })
  const bundle = (name: string): Bundle => parseBundle(read(name))
  const verify = (name: string): VerificationResult =>
    verifyBundle({
      bundle: bundle(name),
      artifact: { bytes: read('a') },
      trust: { key: parsePublicKeyFile(read('k.pub')), root: instance.trustedRoot },
      policy: { thresholds: { times: 1 } },
      crypto: nodeCrypto,
    })
  const asked = (service: string): number => served.services.asked.filter((one) => one.service === service).length

  it('make bundles that the public key verifies, without a certificate or a login', async () => {
    await signCommand(context, [at('a')], options)
    expect([process.exitCode, asked('ca')]).toEqual([0, 0])
    expect(verify('a.sigstore.json').signer.kind).toBe('key')
    expect(context.said.out).toMatch(/^signed [^]*with key +.*k\.key\nkey hint +[\w+/]{43}=\n$/)
    writeFileSync(at('predicate.json'), '{"buildDefinition":{"buildType":"x"}}')
    await attestCommand(context, [at('a')], {
      ...options,
      predicate: at('predicate.json'),
      type: 'https://example.com/p',
    })
    expect(verify('a.att.sigstore.json').content.kind).toBe('attestation')
  })

  it('name the key in JSON', async () => {
    await signCommand({ ...context, json: true }, [at('a')], options)
    const { hint } = bundle('a.sigstore.json').signer as { hint: string }
    expect(JSON.parse(context.said.out)).toMatchObject({ key: at('k.key'), keyHint: hint, signed: [{ kept: false }] })
  })

  it('go on with --resume, which keeps bundles of this key and makes those of another one anew', async () => {
    await signCommand(context, [at('a')], options)
    await signCommand(context, [at('a')], { ...options, resume: true })
    expect([asked('log'), context.said.out.includes('signed before:')]).toEqual([1, true])
    await generate({ overwrite: true })
    await signCommand(context, [at('a')], { ...options, resume: true })
    expect(asked('log')).toBe(2)
    verify('a.sigstore.json')
  })

  it('do without a timestamp only where there is no authority', async () => {
    served.services.change = (service, response) => (service === 'tsa' ? new Response('no', { status: 400 }) : response)
    await signCommand(context, [at('a')], options)
    expect([process.exitCode, existsSync(at('a.sigstore.json'))]).toEqual([7, false])
  })

  it('do without a timestamp at an instance that has no authority, where a login cannot', async () => {
    const answer = (await served.fetch(`${INSTANCE_URL}/trust/client_trust_config.json`, {})) as Response
    const config = (await answer.json()) as { signingConfig: { tsaUrls?: unknown; tsaConfig?: unknown } }
    delete config.signingConfig.tsaUrls
    delete config.signingConfig.tsaConfig
    served.override = (url) => (url.includes('/trust/') ? Response.json(config) : undefined)
    await signCommand(context, [at('a')], options)
    expect([process.exitCode, bundle('a.sigstore.json').timestamps]).toEqual([0, []])
    const login = signCommand(context, [at('a')], {
      instance: INSTANCE_URL,
      identityToken: testToken(),
      overwrite: true,
    })
    await expect(login).rejects.toThrowCode('TRUST_SERVICE_NONE')
    expect(asked('ca')).toBe(0)
  })

  it('write nothing whose time the trusted root does not vouch for', async () => {
    served.root = { ...instance.trustedRoot, timestampAuthorities: other.trustedRoot.timestampAuthorities }
    await signCommand(context, [at('a')], options)
    expect([process.exitCode, existsSync(at('a.sigstore.json'))]).toEqual([3, false])
    expect(context.said.err).toContain('CLI_SIGNATURE_UNVERIFIED')
  })

  it('write nothing whose log entry the trusted root does not know', async () => {
    served.root = { ...instance.trustedRoot, tlogs: other.trustedRoot.tlogs }
    await signCommand(context, [at('a')], options)
    expect([process.exitCode, existsSync(at('a.sigstore.json'))]).toEqual([3, false])
  })

  it.each<[string, () => Partial<SignOptions>, string]>([
    ['a token beside the key', () => ({ identityToken: 'x' }), 'CLI_USAGE'],
    ['--device beside the key', () => ({ device: true }), 'CLI_USAGE'],
    ['a key file that is not there', () => ({ key: at('none.key') }), 'CLI_FILE_UNREADABLE'],
    ['a public key', () => ({ key: at('k.pub') }), 'KEYFILE_INVALID'],
    ['another password', () => (writeFileSync(at('pw'), 'x'), { passwordFile: at('pw') }), 'KEYFILE_PASSWORD_WRONG'],
    ['a password without a key', () => ({ key: undefined as never, passwordFile: at('pw') }), 'CLI_USAGE'],
  ])('ask nobody when given %s', async (_name, more, code) => {
    await expect(signCommand(context, [at('a')], { ...options, ...more() })).rejects.toThrowCode(code)
    expect(served.visited).toEqual([])
  })
})
