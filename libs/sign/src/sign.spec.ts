import { createHash } from 'node:crypto'
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { encodeBundle, parseBundle, type Bundle } from '@touchmark/bundle'
import { defaultKeyDetails, type KeyType, type PublicKey, type Signer } from '@touchmark/crypto'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { utf8Encode } from '@touchmark/encoding'
import { verifyBundle, type VerificationResult } from '../../verify/src/index.js'
import { OIDC_ISSUER, SAN, TestInstance } from '../../verify/src/testing/instance.js'
import type { CertifiedKey } from './ca-client.js'
import { managedKey, obtainIdentity, signBlob, signStatement, type SignContext, type SignStep } from './sign.js'
import { testHttp } from './testing/servers.js'
import { testToken, TestServices, URLS, type ServiceName } from './testing/services.js'

const ARTIFACT = utf8Encode('an artifact\n')
const SHA256 = Buffer.from(nodeCrypto.hash('SHA2_256', ARTIFACT)).toString('hex')
const STATEMENT = utf8Encode(
  JSON.stringify({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'a.txt', digest: { sha256: SHA256 } }],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {},
  }),
)

let instance: TestInstance
let services: TestServices
let steps: SignStep[]
let context: SignContext

beforeAll(async () => {
  instance = await TestInstance.create()
})

beforeEach(() => {
  services = new TestServices(instance)
  steps = []
  context = {
    services: URLS,
    http: testHttp({ fetch: services.fetch }),
    crypto: nodeCrypto,
    nonce: () => 0xfedcba9876543210n,
    elapsed: () => 0,
    onStep: (step) => void steps.push(step),
  }
})

const identity = (): Promise<CertifiedKey> =>
  obtainIdentity(testToken(), () => generateSigner({ kind: 'ecdsa', curve: 'P-256' }), context)

function verify(bundle: Bundle): VerificationResult {
  return verifyBundle({
    bundle: parseBundle(utf8Encode(encodeBundle(bundle))),
    artifact: { bytes: ARTIFACT },
    trust: instance.trustedRoot,
    policy: { identities: [{ subject: { exact: SAN.value }, issuer: OIDC_ISSUER }] },
    crypto: nodeCrypto,
  })
}

describe('signing', () => {
  it('makes a bundle of a file that our verifier takes', async () => {
    const result = verify(await signBlob(ARTIFACT, await identity(), context))
    expect(result.content.kind).toBe('message')
    expect(steps.sort()).toEqual(['certificate', 'log', 'signature', 'timestamp'])
  })

  it('makes a bundle of an attestation that our verifier takes', async () => {
    const bundle = await signStatement(STATEMENT, 'application/vnd.in-toto+json', await identity(), context)
    const { content } = verify(bundle)
    expect(content).toMatchObject({
      kind: 'attestation',
      statement: { predicateType: 'https://slsa.dev/provenance/v1' },
    })
  })

  it('signs many files with one certificate, each with a signature of its own', async () => {
    const one = await identity()
    const bundles = await Promise.all([signBlob(ARTIFACT, one, context), signBlob(ARTIFACT, one, context)])
    bundles.forEach(verify)
    expect(services.asked.filter(({ service }) => service === 'ca')).toHaveLength(1)
    expect(bundles[0]!.tlogEntries[0]!.logIndex).not.toBe(bundles[1]!.tlogEntries[0]!.logIndex)
  })

  it('asks again where a service was busy, and the bundle is whole', async () => {
    const failed = new Set<ServiceName>()
    services.change = (service, response) =>
      failed.has(service) ? response : (failed.add(service), new Response('busy', { status: 503 }))
    verify(await signBlob(ARTIFACT, await identity(), context))
    expect([...failed].sort()).toEqual(['ca', 'log', 'tsa'])
  })

  it('asks with a new key when the answer of the CA was lost, and the bundle is whole', async () => {
    let lost = 0
    services.change = (service, response) => {
      if (service === 'ca' && lost++ === 0) throw new TypeError('fetch failed')
      return response
    }
    verify(await signBlob(ARTIFACT, await identity(), context))
    const asked = services.asked.filter(({ service }) => service === 'ca')
    const keys = asked.map(({ body }) => /"content":"([^"]*)"/.exec(Buffer.from(body).toString())![1])
    expect(new Set(keys).size).toBe(2)
  })

  describe.each<[string, () => Response]>([
    ['is down', () => new Response('', { status: 503 })],
    ['refuses', () => new Response('no', { status: 400 })],
    ['redirects', () => new Response('', { status: 302, headers: { location: 'https://elsewhere.example.com' } })],
    ['answers with nothing', () => new Response('', { status: 200 })],
    ['answers with an empty object', () => new Response('{}', { status: 201 })],
    ['answers with a page', () => new Response('<html>captive portal</html>', { status: 200 })],
    ['answers with null', () => new Response('null', { status: 200 })],
  ])('when a service %s', (_name, bad) => {
    it.each<ServiceName>(['ca', 'log', 'tsa'])('makes no bundle (%s)', async (broken) => {
      services.change = (service, response) => (service === broken ? bad() : response)
      const made = identity().then((one) => signBlob(ARTIFACT, one, context))
      const error: unknown = await made.then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      expect((error as { code?: string } | undefined)?.code).toMatch(
        /^SIGN_(SERVICE_FAILED|SERVICE_ANSWER|REQUEST_REFUSED)$/,
      )
    })
  })
})

describe('signing with a key of its own', () => {
  const TYPES: readonly KeyType[] = [
    { kind: 'ecdsa', curve: 'P-256' },
    { kind: 'ecdsa', curve: 'P-384' },
    { kind: 'ecdsa', curve: 'P-521' },
    { kind: 'rsa', modulusBits: 2048 },
    { kind: 'ed25519' },
  ]
  const signerOf = (type: KeyType): Signer =>
    generateSigner(type, type.kind === 'ed25519' ? { kind: 'ed25519ph' } : undefined)
  const verifyByKey = (bundle: Bundle, key: PublicKey): VerificationResult =>
    verifyBundle({
      bundle: parseBundle(utf8Encode(encodeBundle(bundle))),
      artifact: { bytes: ARTIFACT },
      trust: { key, root: instance.trustedRoot },
      policy: {},
      crypto: nodeCrypto,
    })

  it.each(TYPES)('makes bundles of a file and of an attestation that our verifier takes (%j)', async (type) => {
    const key = managedKey(signerOf(type), nodeCrypto)
    const { publicKey } = key.signer
    for (const bundle of [
      await signBlob(ARTIFACT, key, context),
      await signStatement(STATEMENT, 'application/vnd.in-toto+json', key, context),
    ]) {
      const { signer, times, logEntries } = verifyByKey(bundle, publicKey)
      expect(signer).toEqual({ kind: 'key', publicKey })
      expect([times.length, logEntries.length]).toEqual([1, 1])
      const hint = createHash('sha256').update(publicKey.spki).digest('base64')
      expect(bundle.signer).toEqual({ kind: 'publicKey', hint })
      const body = JSON.parse(Buffer.from(bundle.tlogEntries[0]!.canonicalizedBody).toString()) as {
        spec: { hashedRekordV002: { signature: { verifier: object } } }
      }
      expect(body.spec.hashedRekordV002.signature.verifier).toEqual({
        keyDetails: defaultKeyDetails(publicKey).name,
        publicKey: { rawBytes: Buffer.from(publicKey.spki).toString('base64') },
      })
    }
    expect(services.asked.map(({ service }) => service).filter((service) => service === 'ca')).toEqual([])
  })

  it('does without a timestamp where there is no authority', async () => {
    const { caUrl, logUrl } = URLS
    const key = managedKey(signerOf({ kind: 'ecdsa', curve: 'P-256' }), nodeCrypto)
    const bundle = await signBlob(ARTIFACT, key, { ...context, services: { caUrl, logUrl } })
    expect(verifyByKey(bundle, key.signer.publicKey).times).toEqual([])
    expect(bundle.timestamps).toEqual([])
  })

  it('does not make do without the timestamp of an authority that is there and fails', async () => {
    services.change = (service, response) => (service === 'tsa' ? new Response('', { status: 503 }) : response)
    const key = managedKey(signerOf({ kind: 'ecdsa', curve: 'P-256' }), nodeCrypto)
    await expect(signBlob(ARTIFACT, key, context)).rejects.toThrowCode('SIGN_SERVICE_FAILED')
  })
})
