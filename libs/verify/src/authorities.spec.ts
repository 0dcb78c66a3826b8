import { beforeAll, describe, expect, it } from '@jest/globals'
import { generateSigner, randomBytes } from '@touchmark/crypto/node'
import { hexEncode } from '@touchmark/encoding'
import type { Authority, TrustedRoot } from '@touchmark/trust'
import { algorithmIdentifier, assembleCertificate, buildTsaLeaf } from '@touchmark/x509'
import type { VerifyError } from './index.js'
import { END, START, TestInstance } from './testing/instance.js'
import { form, sign } from './testing/signing.js'
import { verifySigned } from './testing/verifying.js'
import { instance, make, other, prepareWorkshop, refused, root, V2, withoutExtension } from './testing/workshop.js'

beforeAll(prepareWorkshop)

const named = (authority: Authority, uri: string): Authority => ({ ...authority, uri })
const withCas = (...certificateAuthorities: readonly Authority[]): TrustedRoot => ({ ...root, certificateAuthorities })
const caOf = (one: TestInstance): Authority => one.trustedRoot.certificateAuthorities[0]!

describe('several authorities of a trusted root', () => {
  it('are all tried, whichever of them issued the certificate', async () => {
    const signed = await make(V2)
    for (const cas of [
      [caOf(other), caOf(instance)],
      [caOf(instance), caOf(other)],
    ])
      expect(verifySigned(signed, withCas(...cas)).signer.kind).toBe('certificate')
  })

  it('that all refuse the certificate for one reason are told of by the first', async () => {
    const first = named(caOf(other), 'https://first.example.com')
    const second = named(caOf(other), 'https://second.example.com')
    const signed = await make(V2)
    const error = refused(() => verifySigned(signed, withCas(first, second))) as VerifyError
    expect(error.code).toBe('VERIFY_CHAIN_UNKNOWN_ISSUER')
    expect(error.details.expected).toContain('https://first.example.com')
  })

  it('are told of by the one that issued it and may not, rather than by a stranger', async () => {
    // The key and name of the intermediate, in a certificate that is no CA.
    const noCa = await buildTsaLeaf({
      subject: { organization: 'example.com', commonName: 'intermediate' },
      notBefore: START,
      notAfter: END,
      signer: instance.tsaRootSigner,
      random: randomBytes,
      key: instance.caSigner.publicKey,
      issuer: instance.tsaChain[1],
    })
    const issued: Authority = { ...caOf(instance), certificates: [noCa] }
    const signed = await make(V2)
    for (const cas of [
      [issued, caOf(other)],
      [caOf(other), issued],
    ])
      expect(() => verifySigned(signed, withCas(...cas))).toThrowCode('VERIFY_CHAIN_INVALID')
  })

  it('are one instance: a bundle by any of them is of this one', async () => {
    const stranger = await TestInstance.create({ organization: 'example.org' })
    const signed = await make(V2)
    const cas = [caOf(stranger), caOf(instance)]
    expect(() => verifySigned(signed, { ...withCas(...cas), tlogs: [] })).toThrowCode('VERIFY_LOG_UNKNOWN')
    expect(() => verifySigned(signed, { ...withCas(caOf(stranger)), tlogs: [] })).toThrowCode('VERIFY_OTHER_INSTANCE')
  })
})

describe('a bundle of another instance', () => {
  it('is told of by its issuer and the beginning of the ids of its logs', async () => {
    const signed = await sign(other, { form: form(V2) })
    const error = refused(() => verifySigned(signed, { ...root, certificateAuthorities: [] })) as VerifyError
    expect(error.code).toBe('VERIFY_OTHER_INSTANCE')
    const logId = hexEncode(signed.bundle.tlogEntries[0]!.logId)
    expect(error.details.found).toMatch(new RegExp(`^a certificate by .*intermediate, log ${logId.slice(0, 16)}$`))
  })

  it('is none as soon as one of its logs is known', async () => {
    const stranger = await TestInstance.create({ organization: 'example.org' })
    const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
    const certificate = (await stranger.issue({ key: signer.publicKey })).der
    const signed = await make(V2, { signer, certificate })
    const [unknown] = (await sign(other, { form: form(V2) })).bundle.tlogEntries
    const bundle = { ...signed.bundle, tlogEntries: [unknown!, ...signed.bundle.tlogEntries] }
    expect(() => verifySigned(signed, root, { bundle })).toThrowCode('VERIFY_CHAIN_UNKNOWN_ISSUER')
  })
})

describe('an authority', () => {
  it('whose certificate has no key identifier is found by its name', async () => {
    const tbs = withoutExtension(instance.caChain[0].tbs, '2.5.29.14')
    // Nobody looks at the signature of an anchor.
    const stranger = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
    const anchor = assembleCertificate(tbs, algorithmIdentifier(stranger.scheme), await stranger.sign(tbs))
    const signed = await make(V2)
    expect(verifySigned(signed, withCas({ ...caOf(instance), certificates: [anchor] })).signer.kind).toBe('certificate')
  })
})
