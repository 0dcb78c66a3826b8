import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { generateSigner } from '@touchmark/crypto/node'
import { parseIssuerConfig } from '@touchmark/identity'
import { makeCsr, makeRequest, PROOF_REFUSED, TOKEN_REFUSED } from '../testing/client.js'
import { fulcioCase } from '../testing/fulcio-vectors.js'
import { startTestCa, type Answer, type TestCa } from '../testing/test-ca.js'
import { MapSource, TestIssuer } from '../testing/test-issuer.js'

const NOW = '2026-06-01T12:00:00Z'
const SECONDS = Date.parse(NOW) / 1000
const ISSUER = 'https://accounts.example.com'
const issuer = new TestIssuer()
const claims = {
  iss: ISSUER,
  aud: 'sigstore',
  sub: 'u',
  email: 'dev@example.com',
  email_verified: true,
  exp: SECONDS + 600,
}
const KEY_UNPARSABLE = { code: 3, message: 'The public key supplied in the request could not be parsed', details: [] }
const KEY_INSECURE = { code: 3, message: 'The public key supplied in the request is insecure', details: [] }
const CSR_UNPARSABLE = { code: 3, message: 'The certificate signing request could not be parsed', details: [] }

let ca: TestCa
beforeAll(async () => {
  const configuration = parseIssuerConfig(
    `oidc-issuers: {"${ISSUER}": {issuer-url: "${ISSUER}", client-id: sigstore, type: email}}`,
  )
  ca = await startTestCa({ configuration, source: new MapSource({ [ISSUER]: issuer.jwks }), now: NOW })
})
afterAll(() => ca.close())
beforeEach(() => {
  ca.logged.length = 0
})

const post = (
  body: string | Uint8Array,
  headers: Record<string, string> = {},
  path = '/api/v2/signingCert',
): Promise<Answer> => ca.request('POST', path, headers, body)

function expectRefused(answer: Answer, body: object): void {
  expect([answer.status, answer.headers['content-type']]).toEqual([400, 'application/json'])
  expect(JSON.parse(answer.body)).toEqual(body)
  expect(ca.logged).toHaveLength(0)
}

/** A v2 request with this key as PEM; the proof is nonsense, since the key is looked at first. */
const withKey = (content: string): Promise<Answer> =>
  post(
    JSON.stringify({
      credentials: { oidcIdentityToken: issuer.token(claims) },
      publicKeyRequest: { publicKey: { content }, proofOfPossession: 'eA==' },
    }),
  )
const withCsr = (pem: string): Promise<Answer> =>
  post(
    JSON.stringify({
      credentials: { oidcIdentityToken: issuer.token(claims) },
      certificateSigningRequest: Buffer.from(pem).toString('base64'),
    }),
  )
const pemOf = (key: { export(options: { type: 'spki'; format: 'pem' }): unknown }): string =>
  String(key.export({ type: 'spki', format: 'pem' }))
const recordedKey = (name: string): string =>
  (JSON.parse(fulcioCase(name).request.body!) as { publicKeyRequest: { publicKey: { content: string } } })
    .publicKeyRequest.publicKey.content

describe('bodies', () => {
  it.each(['/api/v2/signingCert', '/api/v1/signingCert'])(
    '%s: more than 4 MiB is refused, declared or not',
    async (path) => {
      const tooLarge = { code: 3, message: 'http: request body too large', details: [] }
      const body = `{"x":"${'a'.repeat(5 * 1024 * 1024)}"}`
      expectRefused(await post(body, {}, path), tooLarge)
      expectRefused(await post(body, { 'Transfer-Encoding': 'chunked' }, path), tooLarge)
    },
  )

  it('4194304 bytes pass', async () => {
    expectRefused(await post(`{"x":"${'a'.repeat(4_194_304 - 8)}"}`), TOKEN_REFUSED)
  })

  it.each([
    ['an empty body', '', 'There was an error processing the identity token'],
    ['blanks', ' \n', 'There was an error processing the identity token'],
    ['an unknown field', '{"nobody":{"knows":[1]}}', 'There was an error processing the identity token'],
    ['null fields', '{"credentials":null,"publicKeyRequest":null}', 'There was an error processing the identity token'],
    ['what follows the first value', '{} {', 'There was an error processing the identity token'],
    ['text', 'not json', "invalid character 'o' in literal null (expecting 'u')"],
    ['half', '{"credentials":', 'unexpected EOF'],
    ['a list', '[]', undefined],
    ['a number', '5', undefined],
    ['text in quotes', '"x"', undefined],
    ['a byte order mark', '\ufeff{}', undefined],
    ['a field twice in two spellings', '{"publicKeyRequest":{},"public_key_request":{}}', undefined],
    ['both members of the oneof, one empty', '{"publicKeyRequest":{},"certificateSigningRequest":""}', undefined],
    ['base64 of mixed alphabets', '{"publicKeyRequest":{"proofOfPossession":"-_+/"}}', undefined],
    ['base64 with a space', '{"publicKeyRequest":{"proofOfPossession":"AA AA"}}', undefined],
    ['nesting over 10000', `{"x":${'['.repeat(10_001)}${']'.repeat(10_001)}}`, undefined],
  ])('%s', async (_, body, message) => {
    const answer = await post(body)
    expect(answer.status).toBe(400)
    const found = JSON.parse(answer.body) as { code: number; message: string }
    expect(found.code).toBe(3)
    if (message !== undefined) expect(found.message).toBe(message)
    else expect(found.message).not.toBe(TOKEN_REFUSED.message)
  })

  it('invalid UTF-8 is refused', async () => {
    const answer = await post(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d))
    expect(answer.status).toBe(400)
    expect(JSON.parse(answer.body)).not.toEqual(TOKEN_REFUSED)
  })

  it.each(['application/json', 'text/plain', 'application/x-www-form-urlencoded', 'application/x-protobuf', ''])(
    'content type %j does not matter, nor what is accepted',
    async (type) => {
      const request = await makeRequest('v2 with a key', { token: issuer.token(claims), name: 'dev@example.com' })
      const answer = await post(request.body, { 'Content-Type': type, Accept: 'application/pem-certificate-chain' })
      expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json'])
    },
  )

  it('a 64 KB header does no harm', async () => {
    expectRefused(await post('{}', { Authorization: `Bearer ${'a'.repeat(64 * 1024)}` }), TOKEN_REFUSED)
    expectRefused(await post('{}', { 'X-Filler': 'a'.repeat(64 * 1024) }), TOKEN_REFUSED)
  })

  it('a form on a GET route is not answered like a GET', async () => {
    const answer = await post('x=y', { 'Content-Type': 'application/x-www-form-urlencoded' }, '/api/v2/trustBundle')
    expect(answer.status).toBe(501)
  })

  it('any bytes get an answer of the table', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        const answer = await post(bytes)
        return answer.status === 400 && (JSON.parse(answer.body) as { code: number }).code === 3
      }),
      { numRuns: 100 },
    )
  })
})

describe('keys', () => {
  it.each<[string, string]>([
    ['nothing', ''],
    ['text', 'junk'],
    ['base64 without PEM', Buffer.from(pemOf(generateKeyPairSync('ed25519').publicKey)).toString('base64')],
    [
      'a PEM block of another kind',
      pemOf(generateKeyPairSync('ed25519').publicKey).replaceAll('PUBLIC KEY', 'CERTIFICATE'),
    ],
    ['a private key', generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string],
    ['secp256k1', recordedKey('error-secp256k1')],
    ['brainpool', pemOf(generateKeyPairSync('ec', { namedCurve: 'brainpoolP256r1' }).publicKey)],
    ['a point off the curve', offCurve()],
    ['an unknown kind of key', pemOf(generateKeyPairSync('ed448').publicKey)],
    ['a good key in more than 64 KiB', `${'x\n'.repeat(35_000)}${pemOf(generateKeyPairSync('ed25519').publicKey)}`],
  ])('%s is not a key', async (_, content) => {
    expectRefused(await withKey(content), KEY_UNPARSABLE)
  })

  it.each<[string, () => string]>([
    ['RSA 1024', () => recordedKey('error-weak-rsa1024')],
    ['RSA with exponent 3', () => recordedKey('error-rsa-exponent-3')],
    ['RSA 2056', () => pemOf(generateKeyPairSync('rsa', { modulusLength: 2056 }).publicKey)],
    ['P-224', () => recordedKey('error-weak-p224')],
    ['X25519', () => pemOf(generateKeyPairSync('x25519').publicKey)],
    ['an Ed25519 key of small order', () => smallOrder()],
  ])('%s is insecure', async (_, content) => {
    expectRefused(await withKey(content()), KEY_INSECURE)
  })

  it.each([
    { kind: 'ecdsa', curve: 'P-256' },
    { kind: 'ecdsa', curve: 'P-384' },
    { kind: 'ecdsa', curve: 'P-521' },
    { kind: 'rsa', modulusBits: 2048 },
    { kind: 'ed25519' },
  ] as const)('%j is certified, by key and by CSR', async (type) => {
    const wanted = { token: issuer.token(claims), name: 'dev@example.com' }
    for (const route of ['v2 with a key', 'v2 with a CSR'] as const) {
      const request = await makeRequest(route, { ...wanted, signer: generateSigner(type) })
      expect((await post(request.body)).status).toBe(200)
    }
  })

  it('v1 takes DER too', async () => {
    const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
    const proof = Buffer.from(await signer.sign(Buffer.from('dev@example.com'))).toString('base64')
    const publicKey = { content: Buffer.from(signer.publicKey.spki).toString('base64'), algorithm: 'ecdsa' }
    const body = JSON.stringify({ publicKey, signedEmailAddress: proof, certificateSigningRequest: null })
    const answer = await post(body, { Authorization: `Bearer ${issuer.token(claims)}` }, '/api/v1/signingCert')
    expect(answer.status).toBe(201)
  })

  it('the token is looked at before the key', async () => {
    const body = { credentials: { oidcIdentityToken: 'x' }, publicKeyRequest: { publicKey: { content: 'junk' } } }
    expectRefused(await post(JSON.stringify(body)), TOKEN_REFUSED)
  })

  it('an empty proof is refused', async () => {
    const key = pemOf(generateKeyPairSync('ed25519').publicKey)
    const body = {
      credentials: { oidcIdentityToken: issuer.token(claims) },
      publicKeyRequest: { publicKey: { content: key } },
    }
    expectRefused(await post(JSON.stringify(body)), PROOF_REFUSED)
  })
})

describe('CSRs', () => {
  const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
  it('takes both labels', async () => {
    const pem = await makeCsr(signer)
    expect((await withCsr(pem.replaceAll('CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'))).status).toBe(200)
  })

  it.each([
    ['text', 'junk'],
    ['another label', pemOf(generateKeyPairSync('ed25519').publicKey)],
    ['an empty block', '-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n'],
  ])('%s is no CSR', async (_, pem) => {
    expectRefused(await withCsr(pem), CSR_UNPARSABLE)
  })

  it('DER without PEM is refused', async () => {
    const lines = (await makeCsr(signer)).split('\n')
    const body = {
      credentials: { oidcIdentityToken: issuer.token(claims) },
      certificateSigningRequest: lines.slice(1, -2).join(''),
    }
    expectRefused(await post(JSON.stringify(body)), CSR_UNPARSABLE)
  })

  it('a weak key is insecure, before its signature is looked at', async () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2056 })
    const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }))
    const weak = { ...signer.publicKey, spki }
    const scheme = { kind: 'rsa-pkcs1', hash: 'SHA2_256' } as const
    const csr = await makeCsr({ publicKey: weak, scheme, sign: async () => new Uint8Array(257) })
    expectRefused(await withCsr(csr), KEY_INSECURE)
  })

  it('an RSA key with SHA-512 is not permitted', async () => {
    const rsa = generateSigner({ kind: 'rsa', modulusBits: 2048 }, { kind: 'rsa-pkcs1', hash: 'SHA2_512' })
    const message = 'signing algorithm not permitted: *rsa.PublicKey, SHA-512'
    expectRefused(await withCsr(await makeCsr(rsa)), { code: 3, message, details: [] })
  })
})

describe('routes', () => {
  it.each([
    ['POST', '/api/v2/signingCert/', 404, 5],
    ['POST', '/api/v2/signingCert:verb', 404, undefined],
    ['GET', '/api/v2/trustBundle/x', 404, 5],
    ['GET', '/api/v1/signingCert', 501, 12],
    ['DELETE', '/api/v2/configuration', 501, 12],
    ['OPTIONS', '/api/v1/rootCert', 501, 12],
    ['PUT', '/api/v1/rootCert', 501, 12],
  ] as const)('%s %s: %i', async (method, path, status, code) => {
    const answer = await ca.request(method, path)
    expect(answer.status).toBe(status)
    if (code !== undefined) expect((JSON.parse(answer.body) as { code: number }).code).toBe(code)
  })

  it('the query is ignored', async () => {
    expect((await ca.request('GET', '/api/v2/trustBundle?x=y')).status).toBe(200)
  })

  it.each([
    ['GET', 'accept,content-type', true],
    ['POST', '', true],
    ['POST', 'content-type,accept', false],
    ['POST', 'Content-Type', false],
    ['POST', 'authorization', false],
    ['DELETE', '', false],
  ])('preflight for %s with %j', async (method, headers, allowed) => {
    const asked = { Origin: 'https://a.example', 'Access-Control-Request-Method': method }
    const answer = await ca.request('OPTIONS', '/api/v2/signingCert/any', {
      ...asked,
      'Access-Control-Request-Headers': headers,
    })
    expect(answer.status).toBe(204)
    expect(answer.headers['access-control-allow-origin']).toBe(allowed ? '*' : undefined)
  })

  it('an error is readable for a page too', async () => {
    const answer = await post('{}', { Origin: 'https://a.example' })
    expect([answer.headers['access-control-allow-origin'], answer.headers.vary]).toEqual(['*', 'Origin'])
  })
})

function offCurve(): string {
  const pem = pemOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)
  const der = Buffer.from(pem.split('\n').slice(1, -2).join(''), 'base64')
  der[der.length - 1]! ^= 1
  return `-----BEGIN PUBLIC KEY-----\n${der.toString('base64')}\n-----END PUBLIC KEY-----\n`
}

function smallOrder(): string {
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.alloc(32)])
  return `-----BEGIN PUBLIC KEY-----\n${der.toString('base64')}\n-----END PUBLIC KEY-----\n`
}
