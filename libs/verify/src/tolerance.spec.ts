import { beforeAll, describe, expect, it } from '@jest/globals'
import type { Bundle } from '@touchmark/bundle'
import type { HashAlgorithm, Signer } from '@touchmark/crypto'
import type { Authority, LogInstance, TrustedRoot } from '@touchmark/trust'
import { generateSigner, nodeCrypto, randomBytes } from '@touchmark/crypto/node'
import { hexEncode, utf8Decode, utf8Encode } from '@touchmark/encoding'
import { assembleCertificate, buildRootCertificate, FULCIO_OID } from '@touchmark/x509'
import { later, NOW, START, END, OIDC_ISSUER, TestInstance } from './testing/instance.js'
import { digestAlgorithmsOf, type Artifact, type VerifiedLogEntry } from './index.js'
import { form, sign, statementOf, type Signed, type SignOptions } from './testing/signing.js'
import { IDENTITIES, verifySigned } from './testing/verifying.js'
import {
  ATT,
  KEY,
  P256,
  other,
  root,
  make,
  V2,
  V1,
  withWindow,
  changeEntry,
  flip,
  signatureOf,
  windowOf,
  instance,
  prepareWorkshop,
  without,
  withoutExtension,
} from './testing/workshop.js'

beforeAll(prepareWorkshop)

describe('verifyBundle passes over', () => {
  it('an entry of an unknown log beside a good one, and says so', async () => {
    const signed = await make(V2)
    const foreign = await other.v2.append(signed.bundle.tlogEntries[0]!.canonicalizedBody, 'hashedrekord', '0.0.2', {})
    const bundle = { ...signed.bundle, tlogEntries: [foreign, ...signed.bundle.tlogEntries] }
    const result = verifySigned(signed, root, { bundle })
    expect(result.logEntries).toHaveLength(1)
    expect(result.checks.map(({ check }) => check)).toContain('log entry ignored')
  })

  it('a timestamp of an unknown authority beside a good one, and says so', async () => {
    const signed = await make(V2)
    const timestamps = [await other.timestamp(signatureOf(signed)), ...signed.bundle.timestamps]
    const result = verifySigned(signed, root, { bundle: { ...signed.bundle, timestamps } })
    expect(result.times).toHaveLength(1)
    expect(result.checks.map(({ check }) => check)).toContain('timestamp ignored')
  })

  it('intermediates in the bundle, which it does not use', async () => {
    const signed = await make('0.2 message, v2')
    const certificates = [signed.certificate.der, instance.caChain[0].der] as const
    const bundle: Bundle = { ...signed.bundle, signer: { kind: 'chain', certificates } }
    expect(verifySigned(signed, root, { bundle }).signer.kind).toBe('certificate')
  })

  it('one of the two forms in which certificates name the issuer', async () => {
    for (const oid of [FULCIO_OID.issuerV1, FULCIO_OID.issuerV2]) {
      const signed = await make(V2, { leaf: { changeTbs: (tbs) => withoutExtension(tbs, oid) } })
      expect(verifySigned(signed, root).signer).toMatchObject({ issuer: OIDC_ISSUER })
    }
  })

  it('an item of the trusted root that is broken and not needed', async () => {
    const [tlog] = root.tlogs
    const broken: LogInstance = {
      ...tlog!,
      logId: randomBytes(32),
      publicKey: { ...tlog!.publicKey, rawBytes: utf8Encode('none') },
    }
    const [ca] = root.certificateAuthorities
    const brokenCa: Authority = { ...ca!, certificates: [utf8Encode('none')] }
    const tolerant = {
      ...root,
      tlogs: [broken, ...root.tlogs],
      certificateAuthorities: [brokenCa, ...root.certificateAuthorities],
    }
    expect(verifySigned(await make(V2), tolerant).logEntries).toHaveLength(1)
  })

  it('an anchor that is not the one, until it finds the one', async () => {
    const signer = generateSigner(P256)
    const foreign = await buildRootCertificate({
      subject: { organization: 'example.com', commonName: 'intermediate' },
      notBefore: START,
      notAfter: END,
      signer,
      random: randomBytes,
    })
    const [ca] = root.certificateAuthorities
    const certificateAuthorities = [{ ...ca!, certificates: [foreign] as const }, ...root.certificateAuthorities]
    expect(verifySigned(await make(V2), { ...root, certificateAuthorities }).signer.kind).toBe('certificate')
  })

  it('a period that does not fit, when the same log or authority stands in the root with one that does', async () => {
    const twice = <T>(list: readonly T[], change: (item: T) => T): T[] => list.flatMap((item) => [change(item), item])
    const early = <T extends { validFor?: unknown }>(item: T): T => ({
      ...item,
      validFor: { start: START, end: later(NOW, -1) },
    })
    const wide: TrustedRoot = {
      ...root,
      tlogs: twice(root.tlogs, withWindow(START, later(NOW, -1))),
      ctlogs: twice(root.ctlogs, withWindow(START, later(NOW, -1))),
      certificateAuthorities: twice(root.certificateAuthorities, early),
      timestampAuthorities: twice(root.timestampAuthorities, early),
    }
    expect(verifySigned(await make(V1), wide).logEntries).toHaveLength(1)
    expect(verifySigned(await make('0.3 message, v1 with timestamp'), wide).times).toHaveLength(2)
  })

  it('the checks that the policy leaves out, and says so', async () => {
    const signed = await make(V2, { leaf: { scts: () => [] } })
    const bundle = { ...signed.bundle, tlogEntries: [] }
    const policy = { identities: IDENTITIES, skip: ['log', 'certificate log'] } as const
    const result = verifySigned(signed, root, { bundle, policy })
    expect(result.checks.map(({ check }) => check)).toEqual(
      expect.arrayContaining(['log skipped', 'certificate log skipped']),
    )
    expect(() => verifySigned(signed, root, { bundle, policy: { ...policy, skip: ['log'] } })).toThrowCode(
      'VERIFY_SCT_MISSING',
    )
    expect(() => verifySigned(signed, root, { bundle, policy: { ...policy, skip: ['certificate log'] } })).toThrowCode(
      'VERIFY_ENTRY_MISSING',
    )
  })
})

describe('verifyBundle at the edges of periods', () => {
  it.each([-60, 540])('takes the boundary second of the certificate (%d s)', async (seconds) => {
    const at = later(NOW, seconds)
    expect(verifySigned(await make(V2, { at }), root).times[0]!.time).toEqual(at)
    expect(verifySigned(await make(V1, { at }), root).times[0]!.time).toEqual(at)
  })

  it('takes the boundary second of every period of the trusted root', async () => {
    const exact: TrustedRoot = {
      ...root,
      tlogs: root.tlogs.map(withWindow(NOW, NOW)),
      ctlogs: root.ctlogs.map(withWindow(NOW, NOW)),
      certificateAuthorities: windowOf(root.certificateAuthorities, NOW, NOW),
      timestampAuthorities: windowOf(root.timestampAuthorities, NOW, NOW),
    }
    for (const name of [V2, V1, '0.3 message, v1 with timestamp'])
      expect(verifySigned(await make(name), exact).logEntries).toHaveLength(1)
  })

  it('takes an authority without a period', async () => {
    const open = (list: readonly Authority[]): Authority[] => list.map((authority) => without(authority, 'validFor'))
    const unbounded = {
      ...root,
      certificateAuthorities: open(root.certificateAuthorities),
      timestampAuthorities: open(root.timestampAuthorities),
    }
    expect(verifySigned(await make(V2), unbounded).times).toHaveLength(1)
  })
})

describe('verifyBundle with logs of API v1', () => {
  it.each<[string, () => Signer]>([
    [
      'P-384, which signs SHA-256 there',
      () => generateSigner({ kind: 'ecdsa', curve: 'P-384' }, { kind: 'ecdsa', hash: 'SHA2_256' }),
    ],
    ['Ed25519', () => generateSigner({ kind: 'ed25519' })],
    ['RSA', () => generateSigner({ kind: 'rsa', modulusBits: 2048 })],
  ])(
    'takes keys of kind %s',
    async (_name, v1Signer) => {
      const own = await TestInstance.create({ v1Signer: v1Signer() })
      const signed = await sign(own, { form: form(V1) })
      expect(verifySigned(signed, own.trustedRoot).times).toHaveLength(1)
      const inclusionPromise = flip(signed.bundle.tlogEntries[0]!.inclusionPromise!, 40)
      const bundle = changeEntry(signed, () => ({ inclusionPromise }))
      expect(() => verifySigned(signed, own.trustedRoot, { bundle })).toThrowCode('VERIFY_PROMISE_INVALID')
    },
    60_000,
  )
})

describe('verifyBundle tells', () => {
  it('what is proven of an entry, and nothing else', async () => {
    const of = async (name: string): Promise<[VerifiedLogEntry, Signed]> => {
      const signed = await make(name)
      return [verifySigned(signed, root).logEntries[0]!, signed]
    }
    const [promised, one] = await of(V1)
    expect(promised).toMatchObject({ logIndex: one.bundle.tlogEntries[0]!.logIndex, integratedTime: NOW })
    expect(promised.checkpoint!.origin).toBe(instance.v1.origin)
    const [alone, two] = await of('0.1 message, v1 promise alone')
    expect(alone).toMatchObject({ logIndex: two.bundle.tlogEntries[0]!.logIndex, integratedTime: NOW })
    expect('checkpoint' in alone).toBe(false)
    const [unpromised, three] = await of('0.3 message, v1 without promise')
    expect(unpromised.logIndex).toBe(three.bundle.tlogEntries[0]!.inclusionProof!.logIndex)
    expect('integratedTime' in unpromised).toBe(false)
    expect((await of(V2))[0].checkpoint).toMatchObject({ origin: instance.v2.origin })
  })

  const AKI = '2.5.29.35'
  const SKI = '2.5.29.14'

  it('of the failure that came furthest, when no authority fits, in whatever order they stand', async () => {
    const [ca] = root.certificateAuthorities
    const retired = { ...ca!, validFor: { start: START, end: later(NOW, -1) } }
    const foreign = other.trustedRoot.certificateAuthorities[0]!
    const signed = await make(V2)
    for (const certificateAuthorities of [
      [retired, foreign],
      [foreign, retired],
    ])
      expect(() => verifySigned(signed, { ...root, certificateAuthorities })).toThrowCode('VERIFY_AUTHORITY_WINDOW')
    const signer = generateSigner(P256)
    const expired = await TestInstance.create({ caDates: { notBefore: START, notAfter: later(NOW, -1) } })
    const old = await sign(expired, { signer })
    const chains = [expired.trustedRoot.certificateAuthorities[0]!, foreign]
    for (const certificateAuthorities of [chains, chains.toReversed()])
      expect(() => verifySigned(old, { ...expired.trustedRoot, certificateAuthorities })).toThrowCode(
        'VERIFY_CHAIN_EXPIRED',
      )
  })

  it('instances apart by names where key identifiers are missing', async () => {
    const elsewhere = await TestInstance.create({ organization: 'example.org' })
    const leaf = { changeTbs: (tbs: Uint8Array) => withoutExtension(tbs, AKI) }
    const named = await sign(elsewhere, { leaf })
    expect(() => verifySigned(named, root)).toThrowCode('VERIFY_OTHER_INSTANCE')
    // Of equal names it could be of this instance, and then its log is what cannot be found.
    const alike = await sign(other, { leaf })
    expect(() => verifySigned(alike, root)).toThrowCode('VERIFY_LOG_UNKNOWN')
    const [intermediate, anchor] = instance.caChain
    const bare = assembleCertificate(
      withoutExtension(intermediate.tbs, SKI),
      intermediate.signatureAlgorithm.der,
      intermediate.signature,
    )
    const [ca] = root.certificateAuthorities
    const certificateAuthorities = [{ ...ca!, certificates: [bare, anchor.der] as const }]
    expect(() => verifySigned(alike, { ...root, certificateAuthorities })).toThrowCode('VERIFY_LOG_UNKNOWN')
    const own = await make(V2, { leaf })
    expect(verifySigned(own, root).signer.kind).toBe('certificate')
  })

  it('an attestation by the digest in hand, when its subject has others too', async () => {
    const artifact = utf8Encode('artifact')
    const [sha256, sha512] = (['SHA2_256', 'SHA2_512'] as const).map((one) => hexEncode(nodeCrypto.hash(one, artifact)))
    const text = utf8Decode(statementOf(artifact)).replace(
      /"sha256":"[^"]*"/,
      `"sha512":"${sha512}","sha256":"${sha256}"`,
    )
    const signed = await make(ATT, { payload: utf8Encode(text) })
    const digest = nodeCrypto.hash('SHA2_256', artifact)
    expect(verifySigned(signed, root, { artifact: { digest, algorithm: 'SHA2_256' } }).content.kind).toBe('attestation')
    expect(verifySigned(signed, root).content.kind).toBe('attestation')
  })

  it('of the second subject that it is the artifact', async () => {
    const text = utf8Decode(statementOf(utf8Encode('artifact'))).replace(
      '"subject":[',
      `"subject":[{"digest":{"sha256":"${'00'.repeat(32)}"}},`,
    )
    const { checks } = verifySigned(await make(ATT, { payload: utf8Encode(text) }), root)
    expect(checks.find(({ check }) => check === 'statement subject')!.against).toContain('artifact')
  })
})

describe('a message signed with pure Ed25519, which no log takes', () => {
  it('verifies by its bytes, and has no digest', async () => {
    const signer = generateSigner({ kind: 'ed25519' })
    const signed = await make(KEY)
    const message = { signature: await signer.sign(signed.artifact) }
    const verify = (artifact: Artifact): string =>
      verifySigned(signed, root, {
        bundle: { ...signed.bundle, tlogEntries: [], timestamps: [], content: { kind: 'message', message } },
        artifact,
        trust: { key: signer.publicKey },
        policy: { skip: ['log'] },
      }).checks[1]!.against
    expect(verify({ bytes: signed.artifact })).toContain('PKIX_ED25519 ')
    const digest = nodeCrypto.hash('SHA2_512', signed.artifact)
    expect(() => verify({ digest, algorithm: 'SHA2_512' })).toThrowCode('VERIFY_SIGNATURE_INVALID')
  })
})

describe('digestAlgorithmsOf', () => {
  it('names the digest with which a bundle verifies', async () => {
    const of = async (name: string, options: SignOptions = {}): Promise<[Signed, readonly HashAlgorithm[]]> => {
      const signed = await make(name, options)
      return [signed, digestAlgorithmsOf(signed.bundle)]
    }
    const text = (name: string): Uint8Array =>
      utf8Encode(utf8Decode(statementOf(utf8Encode('artifact'))).replace(/"sha256":"[^"]*"/, name))
    const sha512 = hexEncode(nodeCrypto.hash('SHA2_512', utf8Encode('artifact')))
    const cases = [
      [await of(V2), 'SHA2_256'],
      [await of(V2, { keyType: { kind: 'ecdsa', curve: 'P-384' } }), 'SHA2_384'],
      [await of(V2, { keyType: { kind: 'ed25519' } }), 'SHA2_512'],
      [await of(ATT), 'SHA2_256'],
      [await of(ATT, { payload: text(`"sha512":"${sha512}"`) }), 'SHA2_512'],
    ] as const
    for (const [[signed, algorithms], algorithm] of cases) {
      expect(algorithms).toEqual([algorithm])
      const artifact = { algorithm, digest: nodeCrypto.hash(algorithm, signed.artifact) }
      expect(verifySigned(signed, root, { artifact }).artifact).toEqual(artifact)
    }
    expect((await of(ATT, { payload: utf8Encode('none') }))[1]).toEqual(['SHA2_256'])
    expect((await of(ATT, { payload: text('"md5":"00"') }))[1]).toEqual(['SHA2_256'])
    const { bundle } = await make(V2)
    const message = { signature: new Uint8Array(1) }
    expect(digestAlgorithmsOf({ ...bundle, content: { kind: 'message', message } })).toEqual([
      'SHA2_256',
      'SHA2_384',
      'SHA2_512',
    ])
  })
})
