import { createHash, generateKeyPairSync, randomBytes, sign, webcrypto, type KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509'
import { entryRequest } from '../support/log-writer.js'
import { send, type Answer, type Call } from './support/http.js'
import { startIssuer, writeIssuers, type Issuer } from './support/issuer.js'
import { logSizes, startInProcess, temporaryFolder, type InProcess } from './support/standalone.js'

// Issue 3, item 7: bad input gets the contract's status and body, and changes nothing. And reliability test CA4, through HTTP, discovery and both logs.

const NAME = 'dev@example.com'
const V2 = '/api/v2/signingCert'
const V1 = '/api/v1/signingCert'
const ENTRIES = '/api/v2/log/entries'
const TIMESTAMP = '/api/v1/timestamp'
const FIVE_MB = 5 * 1024 * 1024

let issuer: Issuer
let other: Issuer
let stack: InProcess
let folder: Awaited<ReturnType<typeof temporaryFolder>>
let csr: string

beforeAll(async () => {
  ;[issuer, other, folder] = await Promise.all([startIssuer(), startIssuer(), temporaryFolder()])
  const issuers = await writeIssuers(join(folder.path, 'issuers.yaml'), [issuer.url])
  stack = await startInProcess({ issuers })
  const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const request = await Pkcs10CertificateRequestGenerator.create(
    { name: 'CN=any', keys, signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' } },
    webcrypto as never,
  )
  csr = request.toString('pem')
}, 60_000)
afterAll(async () => {
  issuer.close()
  other.close()
  await stack.close()
  await folder.remove()
})

const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64')
const pemOf = (key: KeyObject): string => String(key.export({ type: 'spki', format: 'pem' }))
const derOf = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' })
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const proofOf = (name: string, key: KeyObject = p256.privateKey): string =>
  base64(sign('sha256', Buffer.from(name), key))

function offCurve(): Buffer {
  const der = derOf(p256.publicKey)
  der[der.length - 1]! ^= 1
  return der
}
const toPem = (der: Buffer): string => `-----BEGIN PUBLIC KEY-----\n${base64(der)}\n-----END PUBLIC KEY-----\n`

/** Sends, and holds the answer and both logs to what the contract says. */
async function refused(path: string, call: Call, status: number, body: unknown): Promise<Answer> {
  const before = await logSizes(stack.url)
  const answer = await send(stack.url, path, { method: 'POST', ...call })
  const found: unknown = answer.headers['content-type']?.includes('json') ? JSON.parse(answer.text) : answer.text
  expect([answer.status, found]).toEqual([status, body])
  expect(await logSizes(stack.url)).toEqual(before)
  return answer
}

const grpc = (message: unknown): unknown => ({ code: 3, message, details: [] })
const TOKEN = grpc('There was an error processing the identity token')
const UNPARSABLE = grpc('The public key supplied in the request could not be parsed')
const INSECURE = grpc('The public key supplied in the request is insecure')
const UNPROVEN = grpc('The signature supplied in the request could not be verified')
const parserText = (text: string | RegExp): unknown =>
  grpc(typeof text === 'string' ? text : expect.stringMatching(text))

/** A request for a certificate on one of the CA's two routes. */
function certificateRequest(
  path: string,
  what: { token?: string; key?: string; proof?: string; csr?: string; headers?: Record<string, string> },
): Call {
  const { token = issuer.token(), key = pemOf(p256.publicKey), proof = proofOf(NAME), headers = {} } = what
  if (path === V1) {
    const body =
      what.csr === undefined
        ? { publicKey: { content: base64(key) }, signedEmailAddress: proof }
        : { certificateSigningRequest: base64(what.csr) }
    return { headers: { authorization: `Bearer ${token}`, ...headers }, body: JSON.stringify(body) }
  }
  const proven =
    what.csr === undefined
      ? { publicKeyRequest: { publicKey: { content: key }, proofOfPossession: proof } }
      : { certificateSigningRequest: base64(what.csr) }
  return { headers, body: JSON.stringify({ credentials: { oidcIdentityToken: token }, ...proven }) }
}

/** A key that was never certified, and its proof. */
function freshKey(): { key: string; proof: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { key: pemOf(publicKey), proof: proofOf(NAME, privateKey) }
}

describe.each([V2, V1])('%s', (path) => {
  const authorized = (): Record<string, string> => ({ authorization: `Bearer ${issuer.token()}` })

  it('works, so that what follows fails for its own reason', async () => {
    const before = await logSizes(stack.url)
    const answer = await send(stack.url, path, { method: 'POST', ...certificateRequest(path, freshKey()) })
    expect(answer.status).toBe(path === V1 ? 201 : 200)
    expect(await logSizes(stack.url)).toEqual({ ...before, certificate: before.certificate + 1 })
  })

  it.each([
    ['malformed JSON', 'not json', "invalid character 'o' in literal null (expecting 'u')"],
    ['half a body', '{"a":', 'unexpected EOF'],
    ['null', 'null', /syntax error \(line 1:1\): unexpected token null/],
    ['a BOM', '\ufeff{}', /invalid character|syntax error/],
    ['a number for a string', '{"publicKey":5}', path === V1 ? /unexpected token 5|invalid value/ : /./],
    [
      'a member twice',
      '{"certificateSigningRequest":"","certificateSigningRequest":""}',
      /duplicate field "certificateSigningRequest"/,
    ],
    [
      'bad base64',
      '{"certificateSigningRequest":"!!!!"}',
      /invalid value for bytes field certificateSigningRequest: "!!!!"/,
    ],
  ])('%s', async (what, body, text) => {
    // The v2 message ignores members that it does not know, so this one is an empty request there.
    const isUnknown = what === 'a number for a string' && path === V2
    await refused(path, { headers: authorized(), body }, 400, isUnknown ? UNPARSABLE : parserText(text))
  })

  it('a body of 5 MB, declared or not', async () => {
    const body = `{"certificateSigningRequest":"${'A'.repeat(FIVE_MB)}"}`
    const tooLarge = grpc('http: request body too large')
    await refused(path, { headers: authorized(), body }, 400, tooLarge)
    await refused(path, { headers: { ...authorized(), 'transfer-encoding': 'chunked' }, body }, 400, tooLarge)
  })

  it('an empty body', async () => {
    await refused(path, { body: '' }, 400, path === V1 ? UNPARSABLE : TOKEN)
    await refused(path, { headers: authorized(), body: '' }, 400, UNPARSABLE)
  })

  it.each([
    ['X25519', () => pemOf(generateKeyPairSync('x25519').publicKey), INSECURE],
    ['RSA 1024', () => pemOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey), INSECURE],
    ['P-224', () => pemOf(generateKeyPairSync('ec', { namedCurve: 'secp224r1' }).publicKey), INSECURE],
    ['secp256k1', () => pemOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey), UNPARSABLE],
    ['a point off the curve', () => toPem(offCurve()), UNPARSABLE],
    ['text', () => 'hello', UNPARSABLE],
    ['nothing', () => '', UNPARSABLE],
  ])('a key that is %s', async (_, key, body) => {
    await refused(path, certificateRequest(path, { key: key() }), 400, body)
  })

  it('a signature that does not verify', async () => {
    await refused(path, certificateRequest(path, { proof: proofOf('other@example.com') }), 400, UNPROVEN)
    await refused(path, certificateRequest(path, { proof: base64(randomBytes(70)) }), 400, UNPROVEN)
    await refused(path, certificateRequest(path, { proof: '' }), 400, UNPROVEN)
  })

  it('a header of 64 KB', async () => {
    const headers = { authorization: `Bearer ${'a'.repeat(65_536)}` }
    await refused(path, certificateRequest(path, { token: '', headers }), 400, TOKEN)
  })

  it.each(['text/plain', 'application/xml', 'garbage'])('the content type %s is not looked at', async (type) => {
    await refused(path, { headers: { 'content-type': type, ...authorized() }, body: '{}' }, 400, UNPARSABLE)
  })
})

describe('CA4: each issuing route', () => {
  const routes = ['v2 with a key', 'v2 with a CSR', 'v1 with a key', 'v1 with a CSR'] as const
  type Route = (typeof routes)[number]
  const pathOf = (route: Route): string => (route.startsWith('v1') ? V1 : V2)
  const make = (route: Route, what: Parameters<typeof certificateRequest>[1]): Call =>
    certificateRequest(pathOf(route), { ...what, ...(route.endsWith('CSR') ? { csr } : {}) })
  const seconds = (): number => Math.floor(Date.now() / 1000)

  const tokens: [string, () => string][] = [
    ['no token', () => ''],
    ['an expired token', () => issuer.token({ exp: seconds() - 1 })],
    ['a token for another audience', () => issuer.token({ aud: 'other' })],
    ['a token of an issuer that is not configured', () => other.token()],
    ['a token that another signed in the name of the issuer', () => other.token({ iss: issuer.url })],
    ['a token of the demonstration issuer by another hand', () => other.token({ iss: `${stack.url}/oidc` })],
    ['a token without a signature', () => issuer.token().replace(/[^.]*$/, '')],
    ['a token whose e-mail address is not verified', () => issuer.token({ email_verified: false })],
  ]
  it.each(routes.flatMap((route) => tokens.map(([what, token]) => [route, what, token] as const)))(
    '%s denies %s',
    async (route, _, token) => {
      await refused(pathOf(route), make(route, { token: token() }), 400, TOKEN)
    },
  )

  it.each(['v2 with a key', 'v1 with a key'] as const)(
    '%s denies another user’s proof of possession',
    async (route) => {
      await refused(pathOf(route), make(route, { token: issuer.token({ email: 'eve@example.com' }) }), 400, UNPROVEN)
    },
  )

  // A CSR proves its key and names nobody: whose it is, the token alone says. What can be denied is a CSR that its key did not sign.
  it.each(['v2 with a CSR', 'v1 with a CSR'] as const)('%s denies a CSR that its key did not sign', async (route) => {
    const der = Buffer.from(csr.replace(/-----[^-]+-----|\s/g, ''), 'base64')
    der[der.length - 1]! ^= 1
    const broken = `-----BEGIN CERTIFICATE REQUEST-----\n${base64(der)}\n-----END CERTIFICATE REQUEST-----\n`
    await refused(pathOf(route), certificateRequest(pathOf(route), { csr: broken }), 400, UNPROVEN)
  })
})

describe(ENTRIES, () => {
  interface Parts {
    digest?: string
    content?: string
    key?: string
    keyDetails?: string
  }
  const data = Buffer.from('artifact')
  function entry(parts: Parts): string {
    const verifier = {
      publicKey: { rawBytes: parts.key ?? base64(derOf(p256.publicKey)) },
      keyDetails: parts.keyDetails ?? 'PKIX_ECDSA_P256_SHA_256',
    }
    const digest = parts.digest ?? createHash('sha256').update(data).digest('base64')
    const content = parts.content ?? base64(sign('sha256', data, p256.privateKey))
    return JSON.stringify({ hashedRekordRequestV002: { digest, signature: { content, verifier } } })
  }
  const signedBy = (kind: { publicKey: KeyObject; privateKey: KeyObject }): Parts => ({
    key: base64(derOf(kind.publicKey)),
    content: base64(sign('sha256', data, kind.privateKey)),
  })
  const INVALID = grpc('invalid hashedrekord request')

  it('works, so that what follows fails for its own reason', async () => {
    const before = await logSizes(stack.url)
    const answer = await send(stack.url, ENTRIES, { method: 'POST', body: entryRequest() })
    expect(answer.status).toBe(201)
    expect(await logSizes(stack.url)).toEqual({ ...before, signature: before.signature + 1 })
  })

  it.each<[string, string, unknown]>([
    ['malformed JSON', 'hello', parserText(/invalid character 'h' looking for beginning of value/)],
    ['half a body', '{"hashedRekordRequestV002":', parserText('unexpected EOF')],
    ['null', 'null', parserText(/syntax error \(line 1:1\): unexpected token null/)],
    ['an unknown member', '{"foo":1}', parserText(/unknown field "foo"/)],
    ['bad base64', entry({ digest: '!!!' }), parserText(/invalid value for bytes field digest: "!!!"/)],
    [
      'an unknown kind of key',
      entry({ keyDetails: 'FOO' }),
      parserText(/invalid value for enum field keyDetails: "FOO"/),
    ],
    ['an empty body', '', grpc('invalid type, must be hashedrekord')],
    ['an X25519 key', entry({ key: base64(derOf(generateKeyPairSync('x25519').publicKey)) }), INVALID],
    ['P-224', entry(signedBy(generateKeyPairSync('ec', { namedCurve: 'secp224r1' }))), INVALID],
    ['a point off the curve', entry({ key: base64(offCurve()) }), INVALID],
    [
      'a signature of something else',
      entry({ digest: createHash('sha256').update('other').digest('base64') }),
      INVALID,
    ],
    ['a signature that is none', entry({ content: base64(randomBytes(70)) }), INVALID],
    ['a digest of another length', entry({ digest: base64(randomBytes(20)) }), INVALID],
    ['a deprecated kind of key', entry({ keyDetails: 'PKIX_ED25519' }), INVALID],
  ])('%s', async (_, body, expected) => {
    await refused(ENTRIES, { body }, 400, expected)
  })

  it('RSA 1024, whatever it says it is', async () => {
    const rsa = signedBy(generateKeyPairSync('rsa', { modulusLength: 1024 }))
    for (const keyDetails of ['PKIX_RSA_PKCS1V15_2048_SHA256', 'PKIX_ECDSA_P256_SHA_256'])
      await refused(ENTRIES, { body: entry({ ...rsa, keyDetails }) }, 400, INVALID)
  })

  it('a body of 5 MB, declared or not', async () => {
    const body = entry({ content: 'A'.repeat(FIVE_MB) })
    const tooLarge = grpc('http: request body too large')
    await refused(ENTRIES, { body }, 400, tooLarge)
    await refused(ENTRIES, { headers: { 'transfer-encoding': 'chunked' }, body }, 400, tooLarge)
  })

  it('a header of 64 KB, and any content type, are not looked at', async () => {
    for (const headers of [{ 'x-long': 'a'.repeat(65_536) }, { 'content-type': 'application/xml' }])
      await refused(ENTRIES, { headers, body: '' }, 400, grpc('invalid type, must be hashedrekord'))
  })
})

describe(TIMESTAMP, () => {
  const query = Buffer.concat([
    Buffer.from('30360201013031300d060960864801650304020105000420', 'hex'),
    createHash('sha256').update('x').digest(),
  ])
  const der = { 'content-type': 'application/timestamp-query' }
  const json = { 'content-type': 'application/json' }
  const jsonQuery = (members: object): string =>
    JSON.stringify({ artifactHash: base64(randomBytes(32)), hashAlgorithm: 'sha256', ...members })
  const general = { code: 400, message: 'Error generating timestamp response' }

  it('works, so that what follows fails for its own reason', async () => {
    for (const [headers, body] of [
      [der, query],
      [json, jsonQuery({})],
    ] as const) {
      const answer = await send(stack.url, TIMESTAMP, { method: 'POST', headers, body })
      expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/timestamp-reply'])
    }
  })

  const sha1 = Buffer.concat([Buffer.from('30260201013021300906052b0e03021a05000414', 'hex'), randomBytes(20)])
  it.each<[string, Record<string, string>, string | Buffer, number, object]>([
    ['a truncated query', der, query.subarray(0, 30), 400, general],
    ['a query with a byte more', der, Buffer.concat([query, Buffer.of(0)]), 400, general],
    ['one byte', der, Buffer.of(0x30), 400, general],
    ['a length of 2^31', der, Buffer.from('30847fffffff0201', 'hex'), 400, general],
    ['text', der, 'hello', 400, general],
    ['SHA-1', der, sha1, 400, { code: 400, message: 'Weak hash algorithm in timestamp request' }],
    ['an empty body', der, '', 422, { code: 602, message: 'request in body is required' }],
    ['an empty body without a type', {}, '', 422, { code: 602, message: 'request in body is required' }],
    ['malformed JSON', json, '{"artifactHash":', 400, general],
    ['bad base64', json, jsonQuery({ artifactHash: '!!!!' }), 400, general],
    ['an unknown hash', json, jsonQuery({ hashAlgorithm: 'md5' }), 400, general],
    [
      'a digest of another length',
      json,
      jsonQuery({ artifactHash: base64(randomBytes(20)) }),
      400,
      { code: 400, message: 'Message digest has incorrect length for specified algorithm' },
    ],
    [
      'JSON over 1024 bytes',
      json,
      jsonQuery({ x: 'a'.repeat(1024) }),
      400,
      { code: 400, message: 'timestamp request is too large' },
    ],
    [
      'another content type',
      { 'content-type': 'text/plain' },
      query,
      415,
      {
        code: 415,
        message: 'unsupported media type "text/plain", only [application/timestamp-query application/json] are allowed',
      },
    ],
    [
      'no content type',
      {},
      query,
      415,
      {
        code: 415,
        message:
          'unsupported media type "application/octet-stream", only [application/timestamp-query application/json] are allowed',
      },
    ],
    [
      'a content type that is none',
      { 'content-type': 'garbage' },
      query,
      400,
      {
        code: 400,
        message:
          'parsing Content-Type header from "garbage" failed, because mediatype: malformed: "garbage" has no subtype',
      },
    ],
    ['a header of 64 KB', { ...der, 'x-long': 'a'.repeat(65_536) }, query.subarray(0, 30), 400, general],
  ])('%s', async (_, headers, body, status, expected) => {
    const answer = await send(stack.url, TIMESTAMP, { method: 'POST', headers, body })
    expect([answer.status, JSON.parse(answer.text)]).toEqual([status, expected])
    expect(answer.headers['cache-control']).toContain('no-store')
  })

  it('a body of 5 MB, declared or not', async () => {
    const body = Buffer.alloc(FIVE_MB, 0x30)
    for (const headers of [der, { ...der, 'transfer-encoding': 'chunked' }]) {
      const answer = await send(stack.url, TIMESTAMP, { method: 'POST', headers, body })
      expect([answer.status, JSON.parse(answer.text)]).toEqual([400, general])
    }
  })
})

describe('afterwards', () => {
  it('nothing of it was an error of ours, nobody was locked out, and no token was logged', async () => {
    expect(stack.errors()).toEqual([])
    expect(stack.logged().includes('eyJ')).toBe(false)
    expect((await send(stack.url, '/readyz')).status).toBe(200)
  })
})
