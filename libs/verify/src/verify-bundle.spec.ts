import { beforeAll, describe, expect, it } from '@jest/globals'
import { encodeBundle, parseBundle, type Bundle } from '@touchmark/bundle'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { nobleCrypto } from '@touchmark/crypto/noble'
import type { TrustedRoot } from '@touchmark/trust'
import type { VerificationResult } from './index.js'
import { NOW, OIDC_ISSUER, SAN, TestInstance } from './testing/instance.js'
import { FORMS, form, sign, type Signed } from './testing/signing.js'
import { IDENTITIES, verifySigned } from './testing/verifying.js'
import { verifyBundle } from './index.js'

let instance: TestInstance
let root: TrustedRoot
beforeAll(async () => {
  instance = await TestInstance.create()
  root = instance.trustedRoot
})

describe('verifyBundle accepts', () => {
  it.each(FORMS.map((one) => [one.name, one] as const))('%s, by artifact and by digest', async (_name, shape) => {
    const signed = await sign(instance, { form: shape })
    const digest = nodeCrypto.hash('SHA2_256', signed.artifact)
    const results = [
      verifySigned(signed, root),
      verifySigned(signed, root, { artifact: { digest, algorithm: 'SHA2_256' } }),
      verifySigned(signed, root, { crypto: nobleCrypto }),
      // What is written and read again is the same bundle.
      verifySigned(signed, root, { bundle: parseBundle(new TextEncoder().encode(encodeBundle(signed.bundle))) }),
    ]
    for (const result of results) {
      expect(result.signer.kind).toBe(shape.material === 'publicKey' ? 'key' : 'certificate')
      expect(result.content.kind).toBe(shape.content)
      expect(result.artifact).toEqual({ algorithm: 'SHA2_256', digest })
      expect(result.logEntries).toHaveLength(1)
    }
  })

  it('and says what was checked against what', async () => {
    const result = verifySigned(await sign(instance), root)
    expect(result.signer).toMatchObject({ kind: 'certificate', subject: SAN, issuer: OIDC_ISSUER })
    expect(result.times).toEqual([{ time: NOW, source: 'timestamp authority', authority: 'https://tsa.example.com' }])
    expect(result.logEntries[0]).toMatchObject({
      log: 'https://log2026.example.com',
      kind: 'hashedrekord',
      version: '0.0.2',
    })
    expect(result.checks.map(({ check }) => check)).toEqual([
      'artifact digest',
      'signature',
      'timestamp',
      'log entry body',
      'checkpoint',
      'inclusion proof',
      'log threshold',
      'certificate path',
      'certificate log',
      'certificate log threshold',
      'log key period',
      'time threshold',
      'identity',
      'issuer',
    ])
    for (const { subject, against } of result.checks) expect(subject.length * against.length).toBeGreaterThan(0)
  })

  it('and names what it did for an entry of API v1 and an attestation', async () => {
    const result = verifySigned(await sign(instance, { form: form('0.3 attestation, v1') }), root)
    expect(result.checks.map(({ check }) => check)).toEqual([
      'signature',
      'log entry body',
      'log entry time',
      'inclusion promise',
      'log key period',
      'checkpoint',
      'inclusion proof',
      'log threshold',
      'certificate path',
      'certificate log',
      'certificate log threshold',
      'time threshold',
      'statement subject',
      'identity',
      'issuer',
    ])
    expect(result.times).toEqual([{ time: NOW, source: 'transparency log', authority: 'https://rekor.example.com' }])
  })

  it.each([
    ['P-384', { kind: 'ecdsa', curve: 'P-384' }],
    ['P-521', { kind: 'ecdsa', curve: 'P-521' }],
    ['RSA 2048', { kind: 'rsa', modulusBits: 2048 }],
    ['Ed25519', { kind: 'ed25519' }],
  ] as const)('signatures by %s keys, in each log and over each content', async (_name, keyType) => {
    const names = [
      '0.3 message, v2',
      '0.3 attestation, v2',
      '0.3 attestation, v2 dsse',
      '0.3 message, v1',
      '0.3 attestation, v1',
      '0.3 message by key, v2',
    ]
    // Making an RSA key takes long, so it signs all of them.
    const signer = keyType.kind === 'rsa' ? { signer: generateSigner(keyType) } : {}
    for (const name of names) {
      const signed = await sign(instance, { form: form(name), keyType, ...signer })
      expect(verifySigned(signed, root).logEntries).toHaveLength(1)
    }
  })

  it('a log with an Ed25519 key', async () => {
    const other = await TestInstance.create({ logKey: { kind: 'ed25519' } })
    expect(verifySigned(await sign(other), other.trustedRoot).logEntries[0]!.checkpoint!.origin).toBe(
      'log2026.example.com',
    )
  })

  it('a digest of the algorithm that the key signs, and no other', async () => {
    const signed = await sign(instance, { keyType: { kind: 'ecdsa', curve: 'P-384' } })
    const of = (algorithm: 'SHA2_256' | 'SHA2_384'): VerificationResult =>
      verifySigned(signed, root, { artifact: { algorithm, digest: nodeCrypto.hash(algorithm, signed.artifact) } })
    expect(of('SHA2_384').artifact.algorithm).toBe('SHA2_384')
    expect(() => of('SHA2_256')).toThrowCode('VERIFY_DIGEST_ALGORITHM')
  })

  it('a large artifact, which is hashed once', async () => {
    const signed = await sign(instance, { artifact: new Uint8Array(300_000).fill(7) })
    expect(verifySigned(signed, root).content.kind).toBe('message')
    const changed = Uint8Array.from(signed.artifact)
    changed[299_999] = 8
    expect(() => verifySigned(signed, root, { artifact: { bytes: changed } })).toThrowCode('VERIFY_ARTIFACT_CHANGED')
  })

  it('a message without a digest in the bundle', async () => {
    const signed = await sign(instance)
    const { content } = signed.bundle
    const bundle: Bundle = {
      ...signed.bundle,
      content: {
        kind: 'message',
        message: { signature: content.kind === 'message' ? content.message.signature : new Uint8Array() },
      },
    }
    const digest = nodeCrypto.hash('SHA2_256', signed.artifact)
    expect(verifySigned(signed, root, { bundle }).content.kind).toBe('message')
    expect(verifySigned(signed, root, { bundle, artifact: { digest, algorithm: 'SHA2_256' } }).content.kind).toBe(
      'message',
    )
    expect(() => verifySigned(signed, root, { bundle, artifact: { bytes: new Uint8Array(1) } })).toThrowCode(
      'VERIFY_SIGNATURE_INVALID',
    )
    const sha512 = { digest: nodeCrypto.hash('SHA2_512', signed.artifact), algorithm: 'SHA2_512' } as const
    expect(() => verifySigned(signed, root, { bundle, artifact: sha512 })).toThrowCode('VERIFY_DIGEST_ALGORITHM')
  })

  it('a key looked up by its hint, and no other key', async () => {
    const signed = await sign(instance, { form: form('0.3 message by key, v2') })
    const { signer } = signed.bundle
    const hint = signer.kind === 'publicKey' ? signer.hint : ''
    const verify = (keysByHint: Map<string, Signed['signer']['publicKey']>): VerificationResult =>
      verifyBundle({
        bundle: signed.bundle,
        artifact: { bytes: signed.artifact },
        trust: { keysByHint, root },
        policy: {},
        crypto: nodeCrypto,
      })
    expect(verify(new Map([[hint, signed.signer.publicKey]])).signer.kind).toBe('key')
    expect(() => verify(new Map([['other', signed.signer.publicKey]]))).toThrowCode('VERIFY_KEY_MISSING')
    expect(() => verify(new Map([[hint, instance.ctSigner.publicKey]]))).toThrowCode('VERIFY_SIGNATURE_INVALID')
  })

  it('a key without a log and without a root, when the policy says so, and then says that it did not look', async () => {
    const signed = await sign(instance, { form: form('0.3 message by key, v2') })
    const result = verifyBundle({
      bundle: signed.bundle,
      artifact: { bytes: signed.artifact },
      trust: { key: signed.signer.publicKey },
      policy: { skip: ['log'] },
      crypto: nodeCrypto,
    })
    expect(result.logEntries).toEqual([])
    expect(result.checks.map(({ check }) => check)).toContain('log skipped')
  })

  it('any of several identities', async () => {
    const other = { subject: { exact: 'other@example.com' }, issuer: OIDC_ISSUER }
    expect(
      verifySigned(await sign(instance), root, { policy: { identities: [other, ...IDENTITIES] } }).signer.kind,
    ).toBe('certificate')
  })
})
