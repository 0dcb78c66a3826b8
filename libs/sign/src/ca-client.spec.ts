import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { generateSigner } from '@touchmark/crypto/node'
import { pemEncode, utf8Encode } from '@touchmark/encoding'
import { parseCertificate } from '@touchmark/x509'
import { TestInstance } from '../../verify/src/testing/instance.js'
import { requestCertificate } from './ca-client.js'
import { testHttp } from './testing/servers.js'
import { testToken, TestServices, URLS } from './testing/services.js'

const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
let instance: TestInstance
let services: TestServices

beforeAll(async () => {
  instance = await TestInstance.create()
})
beforeEach(() => {
  services = new TestServices(instance)
})

const request = async (token = testToken(), caUrl: string = URLS.caUrl): Promise<Uint8Array> =>
  (await requestCertificate(caUrl, token, () => signer, testHttp({ fetch: services.fetch }))).certificate

/** Lets the CA answer with these certificates. */
function answering(certificates: unknown, status = 200): Promise<Uint8Array> {
  services.change = () => Response.json({ signedCertificateEmbeddedSct: { chain: { certificates } } }, { status })
  return request()
}

describe('requestCertificate', () => {
  it('proves possession of the key over the name in the token, and hands back the leaf', async () => {
    const leaf = parseCertificate(await request())
    expect(leaf.san).toEqual([{ type: 'email', value: 'dev@example.com' }])
    expect(leaf.spki).toEqual(signer.publicKey.spki)
  })

  it('signs the subject where the token has no e-mail address', async () => {
    await expect(request(testToken({ email: undefined, sub: 'repo:a/b' }))).resolves.toBeInstanceOf(Uint8Array)
  })

  it('sends what the contract has, to a URL with one slash', async () => {
    await request(testToken(), `${URLS.caUrl}/`)
    const sent = JSON.parse(Buffer.from(services.asked[0]!.body).toString()) as Record<string, unknown>
    expect(sent).toEqual({
      credentials: { oidcIdentityToken: testToken() },
      publicKeyRequest: {
        publicKey: { algorithm: 'ECDSA', content: pemEncode('PUBLIC KEY', signer.publicKey.spki) },
        proofOfPossession: expect.stringMatching(/^[A-Za-z0-9+/]+=*$/),
      },
    })
  })

  it('asks nobody with a token that is none', async () => {
    await expect(request('a.b')).rejects.toThrowCode('SIGN_TOKEN_MALFORMED')
    await expect(request(testToken({ email_verified: false }))).rejects.toThrowCode('SIGN_EMAIL_NOT_VERIFIED')
    expect(services.asked).toEqual([])
  })

  it.each([
    ['There was an error processing the identity token', 'SIGN_TOKEN_REFUSED'],
    ['The signature supplied in the request could not be verified', 'SIGN_REQUEST_REFUSED'],
    ['The public key supplied in the request is insecure', 'SIGN_REQUEST_REFUSED'],
  ])('maps the refusal "%s" to %s', async (message, code) => {
    services.change = () => Response.json({ code: 3, message, details: [] }, { status: 400 })
    const error: unknown = await request().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code, details: { found: expect.stringContaining(message) } })
  })

  it('maps a failing certificate log to a failing service', async () => {
    services.change = () =>
      Response.json({ code: 13, message: 'Error entering certificate in CTL', details: [] }, { status: 500 })
    await expect(request()).rejects.toThrowCode('SIGN_SERVICE_FAILED')
  })

  it.each<[string, unknown]>([
    ['no certificates', []],
    ['no list', undefined],
    ['a text instead of a list', 'PEM'],
    ['null', [null]],
    ['a number', [5]],
    ['an empty text', ['']],
    ['a block of another kind', [pemEncode('PUBLIC KEY', signer.publicKey.spki)]],
    ['a block without an end', ['-----BEGIN CERTIFICATE-----\nAAAA\n']],
    ['a block that is not base64', ['-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n']],
    ['a certificate that is none', [pemEncode('CERTIFICATE', utf8Encode('none'))]],
  ])('refuses %s in place of the chain', async (_name, certificates) => {
    await expect(answering(certificates)).rejects.toThrowCode('SIGN_SERVICE_ANSWER')
  })

  it('refuses two certificates in one text', async () => {
    const pem = pemEncode('CERTIFICATE', (await instance.issue({ key: signer.publicKey })).der)
    await expect(answering([pem + pem])).rejects.toThrowCode('SIGN_SERVICE_ANSWER')
  })

  it('refuses a certificate for another key', async () => {
    const other = await instance.issue({ key: generateSigner({ kind: 'ecdsa', curve: 'P-256' }).publicKey })
    await expect(answering([pemEncode('CERTIFICATE', other.der)])).rejects.toThrowCode('SIGN_SERVICE_ANSWER')
  })

  it('refuses a detached SCT, which a bundle has no place for', async () => {
    const pem = pemEncode('CERTIFICATE', (await instance.issue({ key: signer.publicKey })).der)
    services.change = () => Response.json({ signedCertificateDetachedSct: { chain: { certificates: [pem] } } })
    await expect(request()).rejects.toThrowCode('SIGN_SERVICE_ANSWER')
  })

  it.each(['', 'not json', 'null', '[]', '5', '{}', '{"signedCertificateEmbeddedSct":[]}', '{"a":1,"a":2}', '{"a":'])(
    'refuses the answer %j',
    async (body) => {
      services.change = () => new Response(body, { status: 200 })
      await expect(request()).rejects.toThrowCode('SIGN_SERVICE_ANSWER')
    },
  )
})
