import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { generateSigner } from '@touchmark/crypto/node'
import { parseIssuerConfig } from '@touchmark/identity'
import { IssuanceError } from '../issuance/index.js'
import { ask, makeRequest, PROOF_REFUSED, ROUTES, TOKEN_REFUSED, type Route } from '../testing/client.js'
import { startTestCa, type Answer, type TestCa } from '../testing/test-ca.js'
import { MapSource, TestIssuer } from '../testing/test-issuer.js'

const NOW = Date.parse('2026-06-01T12:00:00Z')
const SECONDS = NOW / 1000
const ISSUER = 'https://accounts.example.com'
const OTHER_ISSUER = 'https://other.example.com'
const configuration = parseIssuerConfig(
  [ISSUER, OTHER_ISSUER].reduce(
    (text, url) => `${text}  ${url}: {issuer-url: "${url}", client-id: sigstore, type: email}\n`,
    'oidc-issuers:\n',
  ),
)
const issuer = new TestIssuer()
const otherIssuer = new TestIssuer()
const stranger = new TestIssuer()
const source = new MapSource({ [ISSUER]: issuer.jwks, [OTHER_ISSUER]: otherIssuer.jwks })
source.algorithms = ['RS256', 'ES256']

let ca: TestCa
beforeAll(async () => {
  ca = await startTestCa({ configuration, source, now: new Date(NOW).toISOString() })
})
afterAll(() => ca.close())
beforeEach(() => {
  ca.clock.set(new Date(NOW))
  ca.logged.length = 0
  ca.audit.length = 0
})

const claims = {
  iss: ISSUER,
  aud: 'sigstore',
  sub: 'u1',
  email: 'dev@example.com',
  email_verified: true,
  iat: SECONDS,
  exp: SECONDS + 600,
}
const NAME = 'dev@example.com'
const P256 = { kind: 'ecdsa', curve: 'P-256' } as const
const REPLAY_REFUSED = {
  code: 3,
  message: 'This token was used for this key before: make a new key (the same token may be used for many keys)',
  details: [],
}
const KEY_REFUSED = {
  code: 3,
  message: 'The public key of the certificate signing request was certified for another identity',
  details: [],
}

function expectDenied(answer: Answer, body: object): void {
  expect(answer.status).toBe(400)
  expect(JSON.parse(answer.body)).toEqual(body)
  // Nothing was signed, and nothing logged.
  expect(ca.logged).toHaveLength(0)
  expect(ca.audit.map(({ event }) => event)).not.toContain('certificate-issued')
}

describe('CA4: every issuing route', () => {
  it.each(ROUTES)('%s: gives a certificate to who is entitled', async (route) => {
    const answer = await ask(ca, route, { token: issuer.token(claims), name: NAME })
    expect(answer.status).toBe(route.startsWith('v1') ? 201 : 200)
    expect(ca.logged).toHaveLength(1)
  })

  const refused: [string, () => string][] = [
    ['no token', () => ''],
    ['an expired token', () => issuer.token({ ...claims, exp: SECONDS - 1 })],
    ['a token for another audience', () => issuer.token({ ...claims, aud: 'other' })],
    ['a token without an audience', () => issuer.token({ ...claims, aud: [] })],
    [
      'a token of an issuer that is not configured',
      () => issuer.token({ ...claims, iss: 'https://nobody.example.com' }),
    ],
    ['a token that a stranger signed', () => stranger.token(claims)],
    ['a token that another configured issuer signed', () => otherIssuer.token(claims)],
    [
      'a token whose payload was changed',
      () => swapPayload(issuer.token(claims), { ...claims, email: 'root@example.com' }),
    ],
    ['a token without signature', () => issuer.token(claims).replace(/[^.]*$/, '')],
    ['text', () => 'not a token'],
  ]
  const matrix = ROUTES.flatMap((route) => refused.map(([what, token]) => [route, what, token] as const))

  it.each(matrix)('%s: refuses %s', async (route, _, token) => {
    expectDenied(await ask(ca, route, { token: token(), name: NAME }), TOKEN_REFUSED)
  })

  it.each(['v2 with a key', 'v1 with a key'] as const)(
    '%s: refuses another user’s proof of possession',
    async (route) => {
      expectDenied(await ask(ca, route, { token: issuer.token(claims), name: 'other@example.com' }), PROOF_REFUSED)
    },
  )

  it.each(['v2 with a key', 'v1 with a key'] as const)('%s: refuses a proof by another key', async (route) => {
    const mine = await makeRequest(route, { token: issuer.token(claims), name: NAME })
    const theirs = await makeRequest(route, { token: issuer.token(claims), name: NAME })
    const proofOf = /"(?:proofOfPossession|signedEmailAddress)":"([^"]*)"/
    const body = mine.body.replace(proofOf.exec(mine.body)![1]!, proofOf.exec(theirs.body)![1]!)
    expectDenied(await ca.request('POST', mine.path, mine.headers, body), PROOF_REFUSED)
  })

  it.each(['v2 with a CSR', 'v1 with a CSR'] as const)('%s: refuses a CSR that its key did not sign', async (route) => {
    const mine = await makeRequest(route, { token: issuer.token(claims), name: NAME })
    const body = mine.body.replace(/("certificateSigningRequest":")([^"]*)"/, (_, start: string, csr: string) => {
      const lines = Buffer.from(csr, 'base64').toString().split('\n')
      const der = Buffer.from(lines.slice(1, -2).join(''), 'base64')
      der[der.length - 1]! ^= 1
      const pem = `${lines[0]}\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
      return `${start}${Buffer.from(pem).toString('base64')}"`
    })
    expectDenied(await ca.request('POST', mine.path, mine.headers, body), PROOF_REFUSED)
  })

  it.each(ROUTES)('%s: refuses a request replayed after its token has expired', async (route) => {
    const { path, headers, body } = await makeRequest(route, { token: issuer.token(claims), name: NAME })
    expect((await ca.request('POST', path, headers, body)).status).toBeLessThan(300)
    ca.logged.length = ca.audit.length = 0
    ca.clock.advance(601_000)
    expectDenied(await ca.request('POST', path, headers, body), TOKEN_REFUSED)
  })

  it.each(['v2 with a key', 'v1 with a key'] as const)(
    '%s: refuses a proof replayed under another’s token',
    async (route) => {
      const victim = await makeRequest(route, { token: issuer.token(claims), name: NAME })
      const token = issuer.token({ ...claims, email: 'mallory@example.com' })
      const swap = (text: string): string => text.replace(issuer.token(claims), token)
      expectDenied(
        await ca.request(
          'POST',
          victim.path,
          { ...victim.headers, Authorization: `Bearer ${token}` },
          swap(victim.body),
        ),
        PROOF_REFUSED,
      )
    },
  )

  it.each(ROUTES)('%s: refuses the same request again, while its token lives', async (route) => {
    const { path, headers, body } = await makeRequest(route, { token: issuer.token(claims), name: NAME })
    expect((await ca.request('POST', path, headers, body)).status).toBeLessThan(300)
    ca.logged.length = ca.audit.length = 0
    expectDenied(await ca.request('POST', path, headers, body), REPLAY_REFUSED)
    expect(ca.audit).toEqual([expect.objectContaining({ code: 'CA_REQUEST_REPLAYED' })])
  })

  const pairs = ROUTES.flatMap((first) => ROUTES.map((second) => [second, first] as const))
  it.each(pairs)('%s: refuses token and key that had their certificate through %s', async (second, first) => {
    const wanted = { token: issuer.token(claims), name: NAME, signer: generateSigner(P256) }
    expect((await ask(ca, first, wanted)).status).toBeLessThan(300)
    ca.logged.length = ca.audit.length = 0
    expectDenied(await ask(ca, second, wanted), REPLAY_REFUSED)
  })

  it('refuses the same token with its signature written otherwise (ECDSA: s and n - s both verify)', async () => {
    const wanted = { token: issuer.ecToken(claims), name: NAME, signer: generateSigner(P256) }
    expect((await ask(ca, 'v2 with a key', wanted)).status).toBe(200)
    ca.logged.length = ca.audit.length = 0
    expectDenied(await ask(ca, 'v2 with a key', { ...wanted, token: otherSignature(wanted.token) }), REPLAY_REFUSED)
  })

  const csrRoutes = ['v2 with a CSR', 'v1 with a CSR'] as const
  it.each(csrRoutes.flatMap((route) => ROUTES.map((first) => [route, first] as const)))(
    '%s: refuses, under another’s token, a key that was certified through %s',
    async (route, first) => {
      const signer = generateSigner(P256)
      expect((await ask(ca, first, { token: issuer.token(claims), name: NAME, signer })).status).toBeLessThan(300)
      ca.logged.length = ca.audit.length = 0
      const token = issuer.token({ ...claims, email: 'mallory@example.com' })
      expectDenied(await ask(ca, route, { token, name: '', signer }), KEY_REFUSED)
      expect(ca.audit).toEqual([expect.objectContaining({ code: 'CA_KEY_OF_ANOTHER' })])
      // Nor ever after.
      ca.clock.advance(365 * 86_400_000)
      const later = Math.floor(ca.clock.now().getTime() / 1000) + 600
      const fresh = issuer.token({ ...claims, email: 'mallory@example.com', exp: later })
      expectDenied(await ask(ca, route, { token: fresh, name: '', signer }), KEY_REFUSED)
    },
  )

  it.each(csrRoutes)('%s: the same name at another issuer is another’s', async (route) => {
    const signer = generateSigner(P256)
    expect((await ask(ca, route, { token: issuer.token(claims), name: '', signer })).status).toBeLessThan(300)
    ca.logged.length = ca.audit.length = 0
    const token = otherIssuer.token({ ...claims, iss: OTHER_ISSUER })
    expectDenied(await ask(ca, route, { token, name: '', signer }), KEY_REFUSED)
  })

  it.each(ROUTES)('%s: gives many keys a certificate with one token, and one key with many tokens', async (route) => {
    const token = issuer.token(claims)
    const signer = generateSigner(P256)
    const next = issuer.token({ ...claims, jti: '2' })
    for (const wanted of [{ token, signer }, { token }, { token: next, signer }])
      expect((await ask(ca, route, { ...wanted, name: NAME })).status).toBeLessThan(300)
    expect(ca.logged).toHaveLength(3)
  })

  it.each(['v2 with a key', 'v1 with a key'] as const)(
    '%s: certifies a key for a second person whose name it signed',
    async (route) => {
      const signer = generateSigner(P256)
      await ask(ca, route, { token: issuer.token(claims), name: NAME, signer })
      const email = 'ops@example.com'
      const answer = await ask(ca, route, { token: issuer.token({ ...claims, email }), name: email, signer })
      expect(answer.status).toBeLessThan(300)
    },
  )

  it.each(ROUTES)('%s: issues nothing while the record of certified keys is away', async (route) => {
    ca.record.away = true
    try {
      const answer = await ask(ca, route, { token: issuer.token(claims), name: NAME })
      expect(answer.status).toBe(503)
      expect(JSON.parse(answer.body)).toMatchObject({ code: 14 })
    } finally {
      ca.record.away = false
    }
    expect(ca.logged).toHaveLength(0)
  })
})

describe('a request whose certificate log failed', () => {
  const refusal = new IssuanceError('CA_CT_LOG_REFUSED', 'as told')
  it.each([
    ['may come again when the log surely has no entry', refusal, false, [500, 200]],
    ['may not when the log has the entry and its answer was lost', new Error('as told'), true, [500, 400]],
    ['may not when nobody knows', new Error('as told'), false, [500, 400]],
  ])('%s', async (_, error, after, statuses) => {
    const options = { configuration, source, now: new Date(NOW).toISOString(), logFaults: [{ error, after }] }
    const failing = await startTestCa(options)
    try {
      const request = await makeRequest('v2 with a key', { token: issuer.token(claims), name: NAME })
      const send = async (): Promise<number> =>
        (await failing.request('POST', request.path, request.headers, request.body)).status
      expect([await send(), await send()]).toEqual(statuses)
      expect(failing.logged).toHaveLength(statuses[1] === 200 || after ? 1 : 0)
    } finally {
      await failing.close()
    }
  })
})

const P256_ORDER = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')

/** The other of the two signatures that an ECDSA key makes of one: r and n - s. */
function otherSignature(token: string): string {
  const [header, payload, signature] = token.split('.')
  const bytes = Buffer.from(signature!, 'base64url')
  const s = P256_ORDER - BigInt(`0x${bytes.subarray(32).toString('hex')}`)
  bytes.set(Buffer.from(s.toString(16).padStart(64, '0'), 'hex'), 32)
  return `${header}.${payload}.${bytes.toString('base64url')}`
}

function swapPayload(token: string, payload: object): string {
  const [header, , signature] = token.split('.')
  return `${header}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.${signature}`
}

describe('where the token is read', () => {
  const outcomes = async (route: Route, headers: Record<string, string>, token = ''): Promise<number> => {
    const request = await makeRequest(route, { token, name: NAME })
    return (await ca.request('POST', request.path, { ...request.headers, ...headers }, request.body)).status
  }
  const good = (): string => issuer.token(claims)

  it('v2 takes the header when the body has none, after Bearer or bare, white space dropped', async () => {
    expect(await outcomes('v2 with a key', { Authorization: `Bearer ${good()}` })).toBe(200)
    expect(await outcomes('v2 with a key', { Authorization: good() })).toBe(200)
    expect(await outcomes('v2 with a key', { Authorization: `Bearer   ${good()}  ` })).toBe(200)
  })

  it.each(['bearer', 'BEARER', 'Basic', 'Bearer Bearer'])('refuses the prefix %s', async (prefix) => {
    expect(await outcomes('v2 with a key', { Authorization: `${prefix} ${good()}` })).toBe(400)
  })

  it('v2 prefers the body’s token', async () => {
    expect(await outcomes('v2 with a key', { Authorization: `Bearer ${good()}` }, 'x.y.z')).toBe(400)
    expect(await outcomes('v2 with a key', { Authorization: 'Bearer x.y.z' }, good())).toBe(200)
  })

  it('v1 ignores a token in the body', async () => {
    const request = await makeRequest('v1 with a key', { token: good(), name: NAME })
    const body = JSON.stringify({ ...(JSON.parse(request.body) as object), credentials: { oidcIdentityToken: good() } })
    expect((await ca.request('POST', request.path, {}, body)).status).toBe(400)
  })
})

describe('the audit log', () => {
  it('has one line for each outcome, and never a token', async () => {
    const token = issuer.token(claims)
    await ask(ca, 'v2 with a key', { token, name: NAME })
    await ask(ca, 'v1 with a key', { token, name: 'other@example.com' })
    expect(ca.audit).toEqual([
      expect.objectContaining({
        event: 'certificate-issued',
        api: 'v2',
        issuer: ISSUER,
        subjectType: 'email',
        subject: NAME,
        keyType: 'ecdsa',
      }),
      expect.objectContaining({ event: 'certificate-refused', api: 'v1', code: 'CA_PROOF_INVALID' }),
    ])
    expect(JSON.stringify(ca.audit)).not.toContain(token.slice(0, 40))
  })

  it('says why a token was refused, which the client is not told', async () => {
    await ask(ca, 'v2 with a key', { token: issuer.token({ ...claims, aud: 'other' }), name: NAME })
    expect(ca.audit).toEqual([
      {
        event: 'certificate-refused',
        api: 'v2',
        code: 'CA_TOKEN_REFUSED',
        reason: 'the token is for another audience',
      },
    ])
  })
})
