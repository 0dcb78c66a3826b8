import { createHash, createPublicKey, randomBytes, verify, type JsonWebKey } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Browser, formOf, send, type Answer } from './support/http.js'
import { startInProcess, type InProcess } from './support/standalone.js'

const CALLBACK = 'http://localhost:43210/auth/callback'
const OOB = 'urn:ietf:wg:oauth:2.0:oob'
const EMAIL = 'dev@example.com'

let stack: InProcess
let url: string
beforeAll(async () => {
  stack = await startInProcess()
  url = stack.url
}, 60_000)
afterAll(() => stack.close())

const newVerifier = (): string => randomBytes(32).toString('base64url')
const challengeOf = (verifier: string): string => createHash('sha256').update(verifier).digest('base64url')

function authorization(parameters: Readonly<Record<string, string | undefined>> = {}): string {
  const all: Record<string, string | undefined> = {
    response_type: 'code',
    client_id: 'sigstore',
    redirect_uri: CALLBACK,
    scope: 'openid email',
    state: 'the-state',
    nonce: 'the-nonce',
    code_challenge: challengeOf(newVerifier()),
    code_challenge_method: 'S256',
    ...parameters,
  }
  const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return `/oidc/auth?${new URLSearchParams(given).toString()}`
}

/** Logs in as a person does; gives the redirect that ends the login. */
async function logIn(parameters: Readonly<Record<string, string | undefined>>, email = EMAIL): Promise<URL> {
  const browser = new Browser(url)
  const form = await browser.follow(await browser.visit(authorization(parameters)))
  const done = await browser.follow(await browser.fill(form, { email, name: 'Dev' }))
  return new URL(done.headers.location ?? `about:${done.status}`)
}

async function newCode(verifier: string, redirect = CALLBACK): Promise<string> {
  return (await logIn({ code_challenge: challengeOf(verifier), redirect_uri: redirect })).searchParams.get('code')!
}

function exchange(
  form: Readonly<Record<string, string | undefined>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const all = { grant_type: 'authorization_code', client_id: 'sigstore', redirect_uri: CALLBACK, ...form }
  const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return send(url, '/oidc/token', {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(given).toString(),
  })
}

const basic = (text: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(text).toString('base64')}`,
})
const json = (answer: Answer): Record<string, unknown> => JSON.parse(answer.text) as Record<string, unknown>

/** Header and claims of a token whose signature is by a key of the issuer's key set. */
async function verified(token: string): Promise<{ header: Record<string, unknown>; claims: Record<string, unknown> }> {
  const [header, payload, signature] = token.split('.') as [string, string, string]
  const read = (part: string): Record<string, unknown> =>
    JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>
  const { keys } = json(await send(url, '/oidc/jwks')) as { keys: (JsonWebKey & { kid: string })[] }
  const key = keys.find(({ kid }) => kid === read(header)['kid'])
  expect(Object.keys(key!).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use'])
  const publicKey = createPublicKey({ key: key!, format: 'jwk' })
  expect(verify('sha256', Buffer.from(`${header}.${payload}`), publicKey, Buffer.from(signature, 'base64url'))).toBe(
    true,
  )
  return { header: read(header), claims: read(payload) }
}

describe('discovery', () => {
  it('says what real clients look for, and that it is a demonstration', async () => {
    const document = json(await send(url, '/oidc/.well-known/openid-configuration'))
    expect(document).toMatchObject({
      issuer: `${url}/oidc`,
      authorization_endpoint: `${url}/oidc/auth`,
      token_endpoint: `${url}/oidc/token`,
      jwks_uri: `${url}/oidc/jwks`,
      device_authorization_endpoint: `${url}/oidc/device/auth`,
      id_token_signing_alg_values_supported: ['RS256'],
      code_challenge_methods_supported: ['S256'],
      response_types_supported: ['code'],
      touchmark_demo: true,
    })
  })

  it('is the same whatever host or proxy headers a client sends', async () => {
    const path = '/oidc/.well-known/openid-configuration'
    const plain = await send(url, path)
    const forged = {
      host: 'evil.example',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      'x-forwarded-port': '1',
      'x-forwarded-prefix': '/evil',
      forwarded: 'host=evil.example;proto=https',
    }
    expect((await send(url, path, { headers: forged })).text).toBe(plain.text)
    expect((await send(url, `http://evil.example${path}`, { headers: forged })).text).toBe(plain.text)
    expect((await send(url, `/${path}`)).text).toBe(plain.text)
  })
})

describe('authorization code', () => {
  it('gives an ID token and an access token that a Sigstore client can read', async () => {
    const verifier = newVerifier()
    const redirect = await logIn({ code_challenge: challengeOf(verifier) })
    expect(redirect.origin + redirect.pathname).toBe(CALLBACK)
    expect(redirect.searchParams.get('state')).toBe('the-state')
    expect(redirect.searchParams.get('iss')).toBe(`${url}/oidc`)
    const answer = await exchange({ code: redirect.searchParams.get('code')!, code_verifier: verifier })
    expect(answer.status).toBe(200)
    const { id_token: idToken, access_token: accessToken } = json(answer) as Record<string, string>
    const now = Math.floor(Date.now() / 1000)
    const common = { iss: `${url}/oidc`, aud: 'sigstore', sub: EMAIL, email: EMAIL, email_verified: true }
    const id = await verified(idToken!)
    expect(id.header['alg']).toBe('RS256')
    expect(id.claims).toMatchObject({ ...common, nonce: 'the-nonce' })
    const access = await verified(accessToken!)
    expect(access.header).toMatchObject({ alg: 'RS256', typ: 'at+jwt' })
    expect(access.claims).toMatchObject(common)
    for (const { claims } of [id, access]) {
      expect(claims['iat'] as number).toBeGreaterThan(now - 60)
      expect((claims['exp'] as number) - (claims['iat'] as number)).toBe(600)
    }
    expect(json(answer)).not.toHaveProperty('refresh_token')
    expect(stack.logged().includes('eyJ')).toBe(false)
  })

  it('is refused without PKCE, and with the plain method', async () => {
    for (const parameters of [
      { code_challenge: undefined, code_challenge_method: undefined },
      { code_challenge: newVerifier(), code_challenge_method: 'plain' },
    ]) {
      const answer = await send(url, authorization(parameters))
      expect(new URL(answer.headers.location!).searchParams.get('error')).toBe('invalid_request')
    }
  })

  it.each([
    ['another verifier', newVerifier()],
    ['no verifier', undefined],
    ['an empty verifier', ''],
  ])('a code is refused with %s', async (_, verifier) => {
    const answer = await exchange({ code: await newCode(newVerifier()), code_verifier: verifier })
    expect(answer.status).toBe(400)
    expect(json(answer)['error']).toBe('invalid_grant')
  })

  it('a code works once', async () => {
    const verifier = newVerifier()
    const code = await newCode(verifier)
    expect((await exchange({ code, code_verifier: verifier })).status).toBe(200)
    const again = await exchange({ code, code_verifier: verifier })
    expect([again.status, json(again)['error']]).toEqual([400, 'invalid_grant'])
  })

  it('a code is bound to its redirect', async () => {
    const verifier = newVerifier()
    const answer = await exchange({
      code: await newCode(verifier),
      code_verifier: verifier,
      redirect_uri: 'http://localhost/auth/callback',
    })
    expect([answer.status, json(answer)['error']]).toEqual([400, 'invalid_grant'])
  })

  it.each([
    'https://evil.example/auth/callback',
    'http://localhost.evil.example/auth/callback',
    'http://localhost@evil.example/auth/callback',
    'http://127.0.0.2/auth/callback',
    'http://localhost:1/other',
    'http://localhost/auth/callback/../../x',
    'javascript:alert(1)',
  ])('is never sent to %s', async (redirect) => {
    const answer = await send(url, authorization({ redirect_uri: redirect }))
    expect([answer.status, answer.headers.location]).toEqual([400, undefined])
    expect(answer.text).toContain('demo')
  })

  it.each(['http://127.0.0.1:5555/auth/callback', 'http://localhost', 'http://127.0.0.1:1'])(
    'is sent to the loopback address %s on any port',
    async (redirect) => {
      const answer = await send(url, authorization({ redirect_uri: redirect }))
      expect(answer.headers.location).toMatch(/^\/oidc\/login\/[\w-]+$/)
    },
  )

  it.each([
    ['sigstore and an empty secret', basic('sigstore:'), 200],
    ['the client id in the form', {}, 200],
    ['a secret', basic('sigstore:secret'), 400],
    ['another client', basic('other:'), 400],
    ['no colon', basic('sigstore'), 400],
    ['a bearer token', { authorization: 'Bearer x' }, 400],
  ])('the token endpoint, asked by %s', async (_, headers, status) => {
    const verifier = newVerifier()
    const isBasic = 'authorization' in headers
    const answer = await exchange(
      { code: await newCode(verifier), code_verifier: verifier, ...(isBasic ? { client_id: undefined } : {}) },
      headers,
    )
    expect(answer.status === 200 ? 200 : 400).toBe(status)
    if (status !== 200) expect(answer.text).not.toContain('id_token')
  })

  it('a secret in the form is refused unless it is empty', async () => {
    const verifier = newVerifier()
    const empty = await exchange({ code: await newCode(verifier), code_verifier: verifier, client_secret: '' })
    expect(empty.status).toBe(200)
    const some = await exchange({ code: await newCode(verifier), code_verifier: verifier, client_secret: 'secret' })
    expect([some.status, json(some)['error']]).toEqual([401, 'invalid_client'])
  })

  it('shows the code on a page for clients without a listener, which exchange it with their old redirect', async () => {
    const verifier = newVerifier()
    const browser = new Browser(url)
    const parameters = { redirect_uri: OOB, code_challenge: challengeOf(verifier) }
    const form = await browser.follow(await browser.visit(authorization(parameters)))
    const page = await browser.follow(await browser.fill(form, { email: EMAIL }))
    expect(page.status).toBe(200)
    const code = /<code>([^<]+)<\/code>/.exec(page.text)?.[1]
    const answer = await exchange({ code: code!, code_verifier: verifier, redirect_uri: OOB }, basic('sigstore:'))
    expect(answer.status).toBe(200)
  })

  it('host and proxy headers change no redirect and no page', async () => {
    const browser = new Browser(url)
    browser.headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' }
    const start = await browser.visit(authorization())
    expect(start.headers.location).toMatch(/^\/oidc\/login\/[\w-]+$/)
    const form = await browser.visit(start.headers.location!)
    expect(formOf(form.text).action).toBe(start.headers.location)
    const resume = await browser.fill(form, { email: EMAIL })
    expect(resume.headers.location).toMatch(new RegExp(`^(${url})?/oidc/auth/`))
    const done = await browser.visit(resume.headers.location!)
    expect(done.headers.location).toMatch(/^http:\/\/localhost:43210\/auth\/callback\?code=/)
    for (const answer of [start, form, resume, done]) {
      expect(JSON.stringify(answer.headers) + answer.text).not.toContain('evil')
      expect(String(answer.headers['set-cookie'])).not.toMatch(/domain=/i)
    }
  })
})

describe('device flow', () => {
  const begin = async (verifier: string): Promise<Record<string, string>> => {
    const form = {
      client_id: 'sigstore',
      scope: 'openid email',
      code_challenge: challengeOf(verifier),
      code_challenge_method: 'S256',
    }
    const answer = await send(url, '/oidc/device/auth', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', host: 'evil.example' },
      body: new URLSearchParams(form).toString(),
    })
    expect(answer.status).toBe(200)
    return json(answer) as Record<string, string>
  }
  const poll = (device: Record<string, string>, verifier: string): Promise<Answer> =>
    exchange({
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      device_code: device['device_code']!,
      code_verifier: verifier,
      redirect_uri: undefined,
    })

  it.each(['verification_uri', 'verification_uri_complete'])('logs in at %s', async (where) => {
    const verifier = newVerifier()
    const device = await begin(verifier)
    expect(device['verification_uri']).toBe(`${url}/oidc/device`)
    expect(device['user_code']).toMatch(/^[A-Z]{4}-[A-Z]{4}$/)
    expect(json(await poll(device, verifier))['error']).toBe('authorization_pending')
    const browser = new Browser(url)
    const entry = await browser.visit(device[where]!)
    const confirm = await browser.fill(entry, { user_code: device['user_code']! })
    expect(confirm.text).toContain(device['user_code'])
    const login = await browser.follow(await browser.fill(confirm, {}))
    const done = await browser.follow(await browser.fill(login, { email: EMAIL, name: 'Dev' }))
    expect(done.status).toBe(200)
    for (const page of [entry, confirm, login, done]) expect(page.text).toContain('<strong>demo</strong>')
    const answer = await poll(device, verifier)
    expect(answer.status).toBe(200)
    expect((await verified(json(answer)['id_token'] as string)).claims).toMatchObject({ sub: EMAIL, aud: 'sigstore' })
    expect(json(await poll(device, verifier))['error']).toBe('invalid_grant')
  })

  it('takes no wrong user code, and no code that is markup', async () => {
    const browser = new Browser(url)
    const entry = await browser.visit('/oidc/device')
    const wrong = await browser.fill(entry, { user_code: 'BBBB-BBBB' })
    expect(wrong.text).toContain('That code is not right')
    const markup = await browser.fill(wrong, { user_code: '"><script>alert(1)</script>' })
    expect(markup.text).not.toContain('<script>alert')
    expect((await browser.fill(markup, { user_code: '' })).text).toContain('Type the code first.')
  })

  it('takes no form from another page', async () => {
    const { user_code: code } = await begin(newVerifier())
    const answer = await new Browser(url).visit('/oidc/device', { user_code: code!, confirm: 'yes', xsrf: 'guessed' })
    expect(answer.status).toBe(400)
    expect(answer.text).toContain('This page is too old')
    const browser = new Browser(url)
    await browser.visit('/oidc/device')
    const forged = await browser.visit('/oidc/device', { user_code: code!, confirm: 'yes', xsrf: 'guessed' })
    expect([forged.status, forged.headers.location]).toEqual([400, undefined])
  })
})

describe('pages', () => {
  const loginPage = async (): Promise<{ browser: Browser; page: Answer }> => {
    const browser = new Browser(url)
    return { browser, page: await browser.follow(await browser.visit(authorization())) }
  }

  it('say that this is a demonstration, cannot be framed and are not kept', async () => {
    const { page } = await loginPage()
    const oob = await send(url, '/oidc/oob?code=x')
    const gone = await send(url, '/oidc/login/nobody')
    const error = await send(url, authorization({ client_id: 'other' }), { headers: { accept: 'text/html' } })
    const device = await send(url, '/oidc/device')
    expect([page, oob, gone, error, device].map(({ status }) => status)).toEqual([200, 200, 400, 400, 200])
    for (const { text, headers } of [page, oob, gone, error, device]) {
      expect(headers['content-type']).toBe('text/html; charset=utf-8')
      expect(text).toContain('<strong>demo</strong>')
      expect(String(headers['content-security-policy']) + String(headers['x-frame-options'])).toMatch(
        /frame-ancestors 'none'|DENY/,
      )
    }
  })

  it.each(['"><script>alert(1)</script>', "' onfocus='alert(1)", '<img src=x onerror=alert(1)>', '\u202e&lt;'])(
    'escape %j in the name and in the address',
    async (text) => {
      const { browser, page } = await loginPage()
      const again = await browser.fill(page, { email: text, name: text })
      expect(again.status).toBe(400)
      expect(formOf(again.text).fields).toMatchObject({ email: text, name: text })
      expect(again.text).not.toMatch(/<script>alert|<img|' onfocus/)
      const oob = await send(url, `/oidc/oob?${new URLSearchParams({ code: text }).toString()}`)
      const failed = await send(
        url,
        `/oidc/oob?${new URLSearchParams({ error: text, error_description: text }).toString()}`,
      )
      for (const shown of [oob, failed]) expect(shown.text).not.toMatch(/<script>alert|<img|' onfocus/)
    },
  )

  it.each([
    '',
    'a',
    'a@',
    '@b.example',
    'a@b',
    'a b@c.example',
    'a@b.example, c@d.example',
    'a@b.example\nx',
    'ä@b.example',
    `${'a'.repeat(250)}@b.example`,
  ])('take no %j for an e-mail address', async (email) => {
    const { browser, page } = await loginPage()
    const again = await browser.fill(page, { email, name: 'Dev' })
    expect([again.status, again.headers.location]).toEqual([400, undefined])
    expect(again.text).toContain('That is not an e-mail address.')
  })

  it.each([
    ['dev@example.com', 'dev@example.com'],
    ['  dev+tag@sub.example.co  ', 'dev+tag@sub.example.co'],
    ["o'brien@example.com", "o'brien@example.com"],
  ])('take %j', async (typed, sub) => {
    const verifier = newVerifier()
    const code = (await logIn({ code_challenge: challengeOf(verifier) }, typed)).searchParams.get('code')!
    const answer = await exchange({ code, code_verifier: verifier })
    expect((await verified(json(answer)['id_token'] as string)).claims['sub']).toBe(sub)
  })

  it('a login belongs to the browser that began it', async () => {
    const { page } = await loginPage()
    const stranger = await new Browser(url).fill(page, { email: EMAIL })
    expect([stranger.status, stranger.headers.location]).toEqual([400, undefined])
  })

  it('who comes is asked every time', async () => {
    const { browser, page } = await loginPage()
    await browser.follow(await browser.fill(page, { email: EMAIL }))
    const second = await browser.follow(await browser.visit(authorization()))
    expect(second.text).toContain('Who are you today?')
  })
})

describe('bad input', () => {
  it.each([
    ['a NUL in the address', authorization({ state: 'a\u0000b' })],
    ['an address of 64 KB', authorization({ state: 'a'.repeat(65_536) })],
  ])('%s is refused with a page', async (_, path) => {
    const answer = await send(url, path)
    expect(answer.status).toBe(400)
    expect(answer.text).toContain('<strong>demo</strong>')
  })

  it('a NUL in a form is refused', async () => {
    const answer = await exchange({ code: 'a\u0000', code_verifier: newVerifier() })
    expect(answer.status).toBe(400)
  })

  it('a form of 5 MB is refused', async () => {
    const large = await exchange({ code: 'a'.repeat(5 * 1024 * 1024) })
    expect([large.status, json(large)['code']]).toEqual([413, 'SERVICE_BODY_TOO_LARGE'])
  })

  it('unknown paths below it are not found, and other methods not taken', async () => {
    expect((await send(url, '/oidc/nothing')).status).toBe(404)
    expect((await send(url, '/oidc')).status).toBe(404)
    expect((await send(url, '/oidc/auth', { method: 'DELETE' })).status).toBe(405)
    expect((await send(url, '/oidc/session/end')).status).toBe(404)
    expect((await send(url, '/oidc/me')).status).toBe(404)
  })

  it('none of it is an error of ours', () => {
    expect(stack.errors()).toEqual([])
  })
})
