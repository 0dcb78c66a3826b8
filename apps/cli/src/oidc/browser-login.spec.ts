import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { readTokenClaims, tokenPayload } from '@touchmark/sign'
import { testHttp } from '../../../../libs/sign/src/testing/servers.js'
import { TestProvider } from '../testing/provider.js'
import { browserLogin, openInBrowser, type BrowserLoginOptions } from './browser-login.js'
import { discoverProvider } from './discovery.js'

let provider: TestProvider
beforeEach(async () => {
  provider = await TestProvider.start()
})
afterEach(() => provider.close())

type Person = (authorizationUrl: string) => Promise<unknown>

/** Logs in with a person who does what is told when the page is opened. */
async function login(person: Person, options: Partial<BrowserLoginOptions> = {}): Promise<string> {
  const found = await discoverProvider(provider.issuer, testHttp())
  let acting: Promise<unknown> = Promise.resolve()
  const open = async (url: string): Promise<boolean> => {
    acting = person(url).catch((error: unknown) => error)
    return true
  }
  const logging = browserLogin(found, { http: testHttp(), open, announce: () => undefined, ...options })
  await logging.catch(() => undefined)
  const problem = await acting
  if (problem instanceof Error) throw problem
  return (await logging).idToken
}

async function go(url: URL | string): Promise<{ status: number; page: string }> {
  const response = await fetch(url)
  return { status: response.status, page: await response.text() }
}

/** Approves, and lets a test change where the browser is sent. */
const approving =
  (change: (redirect: URL) => URL): Person =>
  async (url) =>
    go(change(provider.approve(url)))

const withParameter =
  (name: string, value: string | undefined) =>
  (redirect: URL): URL => {
    if (value === undefined) redirect.searchParams.delete(name)
    else redirect.searchParams.set(name, value)
    return redirect
  }

const appending =
  (name: string) =>
  (redirect: URL): URL => {
    redirect.searchParams.append(name, 'of-mallory')
    return redirect
  }

describe('browserLogin', () => {
  it('logs in by the code flow with PKCE, which the provider checks', async () => {
    const pages: { status: number; page: string }[] = []
    const token = await login(async (url) => pages.push(await go(provider.approve(url))))
    expect(readTokenClaims(token).principal).toBe('dev@example.com')
    expect(pages).toEqual([{ status: 200, page: expect.stringContaining('You are logged in') }])
  })

  it('makes fresh secrets for each login, and asks for what the contract has', async () => {
    const queries: URLSearchParams[] = []
    const person = async (url: string): Promise<void> => {
      queries.push(new URL(url).searchParams)
      await go(provider.approve(url))
    }
    await login(person)
    await login(person)
    const [first, second] = queries as [URLSearchParams, URLSearchParams]
    expect([first.get('client_id'), first.get('scope')]).toEqual(['sigstore', 'openid email'])
    expect(first.get('redirect_uri')).toMatch(/^http:\/\/localhost:\d+\/auth\/callback$/)
    for (const name of ['state', 'nonce', 'code_challenge']) {
      expect(first.get(name)).toMatch(/^[\w-]{43}$/)
      expect(first.get(name)).not.toBe(second.get(name))
    }
  })

  it.each<[string, (redirect: URL) => URL, string]>([
    ['another state', withParameter('state', 'x'.repeat(43)), 'CLI_LOGIN_STATE'],
    [
      'a longer state',
      (redirect) => withParameter('state', `${redirect.searchParams.get('state')}x`)(redirect),
      'CLI_LOGIN_STATE',
    ],
    ['no state', withParameter('state', undefined), 'CLI_LOGIN_STATE'],
    ['no code', withParameter('code', undefined), 'CLI_LOGIN_FAILED'],
    ['an empty code', withParameter('code', ''), 'CLI_LOGIN_FAILED'],
    ['a code of five thousand characters', withParameter('code', 'c'.repeat(5000)), 'CLI_LOGIN_FAILED'],
    ['a code of another login', withParameter('code', 'code-of-mallory'), 'CLI_LOGIN_FAILED'],
    ['an error of the provider', withParameter('error', 'access_denied'), 'CLI_LOGIN_FAILED'],
    ['a second state', appending('state'), 'CLI_LOGIN_FAILED'],
    ['a second code', appending('code'), 'CLI_LOGIN_FAILED'],
    ['the name of another provider', withParameter('iss', 'https://evil.example.com'), 'CLI_LOGIN_FAILED'],
  ])('refuses an answer with %s', async (_name, change, code) => {
    await expect(login(approving(change))).rejects.toThrowCode(code)
  })

  it('takes an answer that names the provider that was asked', async () => {
    await expect(login(approving((url) => withParameter('iss', provider.issuer)(url)))).resolves.toMatch(/^ey/)
  })

  it('looks at the state before anything else, and asks the provider for nothing then', async () => {
    await expect(
      login(approving((url) => withParameter('error', 'x')(withParameter('state', 'wrong')(url)))),
    ).rejects.toThrowCode('CLI_LOGIN_STATE')
    expect(provider.requests.map(({ path }) => path)).toEqual(['/.well-known/openid-configuration'])
  })

  it('passes the error of the provider on, printable', async () => {
    const person = approving((url) =>
      withParameter('error_description', 'no \u001b[31mentry')(withParameter('error', 'access_denied')(url)),
    )
    const error: unknown = await login(person).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ details: { found: 'access_denied no  [31mentry' } })
  })

  it('refuses a token with another nonce, or with none', async () => {
    provider.behaviour = { claims: { nonce: 'other' } }
    await expect(login(approving((url) => url))).rejects.toThrowCode('CLI_LOGIN_NONCE')
    provider.behaviour = { claims: { nonce: undefined } }
    await expect(login(approving((url) => url))).rejects.toThrowCode('CLI_LOGIN_NONCE')
  })

  it.each<[string, [number, string], string]>([
    ['an error', [400, '{"error":"invalid_client"}'], 'CLI_LOGIN_FAILED'],
    ['a page', [200, '<html>'], 'CLI_LOGIN_FAILED'],
    ['a list', [200, '[]'], 'CLI_LOGIN_FAILED'],
    ['no ID token', [200, '{"access_token":"x"}'], 'CLI_LOGIN_FAILED'],
    ['an ID token that is no text', [200, '{"id_token":5}'], 'CLI_LOGIN_FAILED'],
    ['an ID token that is none', [200, '{"id_token":"a.*.c"}'], 'SIGN_TOKEN_MALFORMED'],
    ['a failure', [503, ''], 'SIGN_SERVICE_FAILED'],
    ['a redirect', [302, ''], 'SIGN_SERVICE_ANSWER'],
  ])('refuses %s of the token endpoint, and spends the code once', async (_name, reply, code) => {
    provider.behaviour = { tokenAnswers: [reply] }
    await expect(login(approving((url) => url))).rejects.toThrowCode(code)
    expect(provider.requests.filter(({ path }) => path === '/token')).toHaveLength(1)
  })

  it('takes one answer only: a second one is turned away while the first is being worked on', async () => {
    let open = (): void => undefined
    provider.behaviour = { tokenGate: new Promise((resolve) => (open = resolve)) }
    const answers: number[] = []
    const token = await login(async (url) => {
      const redirect = provider.approve(url)
      answers.push((await go(redirect)).status)
      const second = withParameter('code', 'code-of-mallory')(new URL(redirect))
      answers.push((await go(second)).status, (await go(redirect)).status)
      open()
    })
    expect(answers).toEqual([200, 400, 400])
    expect(tokenPayload(token)['email']).toBe('dev@example.com')
    expect(provider.requests.filter(({ path }) => path === '/token')).toHaveLength(1)
  })

  it('answers nothing but its own path and method, and stays up for strange requests', async () => {
    const statuses: number[] = []
    const token = await login(async (url) => {
      const redirect = provider.approve(url)
      const { origin, port } = redirect
      for (const path of ['/', '/favicon.ico', '/auth', '/auth/callback/x'])
        statuses.push((await go(`${origin}${path}`)).status)
      statuses.push((await fetch(redirect, { method: 'POST' })).status)
      for (const line of ['GET // HTTP/1.1', 'GET http://[ HTTP/1.1', 'OPTIONS * HTTP/1.1', 'nonsense'])
        await rawRequest(Number(port), `${line}\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
      await go(redirect)
    })
    expect(statuses).toEqual([404, 404, 404, 404, 404])
    expect(tokenPayload(token)['email']).toBe('dev@example.com')
  })

  it('listens on loopback addresses only, and on nothing afterwards', async () => {
    let port = 0
    await login(async (url) => {
      port = Number(provider.approve(url).port)
      await go(provider.approve(url))
    })
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow()
    await expect(fetch(`http://[::1]:${port}/`)).rejects.toThrow()
  })

  it('gives up when nobody comes', async () => {
    await expect(login(async () => undefined, { waitMs: 20 })).rejects.toThrowCode('CLI_LOGIN_TIMEOUT')
  })

  it('says where to go when no browser could be opened', async () => {
    const announced: [string, boolean][] = []
    const found = await discoverProvider(provider.issuer, testHttp())
    const announce = (url: string, opened: boolean): void => {
      announced.push([url, opened])
      void go(provider.approve(url))
    }
    await browserLogin(found, { http: testHttp(), open: async () => false, announce })
    expect(announced).toEqual([[expect.stringContaining(`${provider.issuer}/auth?`), false]])
  })
})

describe('openInBrowser', () => {
  it('says so when there is no desktop, or no opener', async () => {
    if (process.platform !== 'linux') return
    await expect(openInBrowser('http://localhost/', {})).resolves.toBe(false)
    await expect(openInBrowser('http://localhost/', { DISPLAY: ':0', PATH: '/nowhere' })).resolves.toBe(false)
  })
})

function rawRequest(port: number, text: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    socket.on('error', () => undefined)
    socket.on('data', () => undefined)
    socket.on('close', () => resolve())
  })
}
