import { beforeAll, describe, expect, it } from '@jest/globals'
import type { HashAlgorithm } from '@touchmark/crypto'
import type { Authority, LogInstance, TrustedRoot } from '@touchmark/trust'
import { generateSigner, nodeCrypto, randomBytes } from '@touchmark/crypto/node'
import { hexEncode, utf8Decode, utf8Encode } from '@touchmark/encoding'
import { buildRootCertificate } from '@touchmark/x509'
import { later, NOW, START, END } from './testing/instance.js'
import { digestAlgorithmOf, type Artifact } from './index.js'
import { statementOf, type Signed, type SignOptions } from './testing/signing.js'
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
  changeProof,
  flip,
  signatureOf,
  windowOf,
  prepareWorkshop,
  without,
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

  it('a proof without a checkpoint beside a promise, as bundles of version 0.1 have it', async () => {
    const signed = await make('0.1 message, v1')
    const bundle = changeProof(signed, (one) => ({
      ...without(one, 'checkpoint'),
      rootHash: flip(one.rootHash),
    }))
    const result = verifySigned(signed, root, { bundle })
    expect(result.logEntries[0]!.checkpoint).toBeUndefined()
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

describe('digestAlgorithmOf', () => {
  it('names the digest with which a bundle verifies', async () => {
    const of = async (name: string, options: SignOptions = {}): Promise<[Signed, HashAlgorithm]> => {
      const signed = await make(name, options)
      return [signed, digestAlgorithmOf(signed.bundle)]
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
    for (const [[signed, algorithm], expected] of cases) {
      expect(algorithm).toBe(expected)
      const artifact = { algorithm, digest: nodeCrypto.hash(algorithm, signed.artifact) }
      expect(verifySigned(signed, root, { artifact }).artifact).toEqual(artifact)
    }
    expect((await of(ATT, { payload: utf8Encode('none') }))[1]).toBe('SHA2_256')
    expect((await of(ATT, { payload: text('"md5":"00"') }))[1]).toBe('SHA2_256')
    const { bundle } = await make(V2)
    const message = { signature: new Uint8Array(1) }
    expect(digestAlgorithmOf({ ...bundle, content: { kind: 'message', message } })).toBe('SHA2_256')
  })
})
