import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { readTokenClaims, type Fetch } from '@touchmark/sign'
import { testHttp } from '../../../../libs/sign/src/testing/servers.js'
import { TestProvider } from '../testing/provider.js'
import { demoLogin } from './demo-login.js'
import { discoverProvider } from './discovery.js'

const WHO = { email: 'dev+"x"@example.com', name: "D'Ev <&>" }
let provider: TestProvider
let visits: { url: string; init: RequestInit }[]
/** Answers pages; what it does not answer goes to the real provider. */
let page: (url: URL, init: RequestInit) => Response | undefined

beforeEach(async () => {
  provider = await TestProvider.start()
  provider.behaviour = { discovery: { touchmark_demo: true } }
  visits = []
  page = () => undefined
})
afterEach(() => provider.close())

const visit: Fetch = async (url, init) => {
  visits.push({ url, init })
  return page(new URL(url), init) ?? fetch(url, init)
}
const login = async (): Promise<string> =>
  demoLogin(await discoverProvider(provider.issuer, testHttp()), WHO, testHttp({ fetch: visit }))

const FORM = `<html><form method="post" action="/login?x=1&amp;y=2">
  <input type="hidden" name="csrf" value="a&quot;&#39;&lt;&amp;b"><input name="email"><input name="name" value=""></form>`
const html = (text: string, headers: Record<string, string> = {}): Response => new Response(text, { headers })
const redirect = (location: string): Response => new Response('', { status: 303, headers: { location } })

describe('demoLogin', () => {
  it('fills in the form as a person would, with the cookies of each page, through the real code flow', async () => {
    let authorization = ''
    page = (url, init) => {
      if (url.pathname === '/auth') {
        authorization = url.href
        return html(FORM, { 'set-cookie': 'session=abc; Path=/; HttpOnly' })
      }
      if (url.pathname !== '/login') return undefined
      expect(url.search).toBe('?x=1&y=2')
      expect(Object.fromEntries(new URLSearchParams(init.body as string))).toEqual({ csrf: `a"'<&b`, ...WHO })
      expect(new Headers(init.headers).get('cookie')).toBe('session=abc')
      return redirect(provider.approve(authorization).href)
    }
    expect(readTokenClaims(await login()).principal).toBe('dev@example.com')
    expect(visits.map(({ init }) => init.method)).toEqual(['GET', 'POST', 'POST'])
  })

  it.each([undefined, false, 'true'])(
    'refuses an issuer that says demo: %j, and visits no page of it',
    async (demo) => {
      provider.behaviour = { discovery: { touchmark_demo: demo } }
      await expect(login()).rejects.toThrowCode('CLI_NOT_DEMO')
      expect(visits).toEqual([])
    },
  )

  it.each<[string, () => Response, string]>([
    ['leads to another host', () => redirect('https://evil.example.com/'), 'CLI_LOGIN_FAILED'],
    ['has a form for another host', () => html('<form action="https://evil.example.com/">'), 'CLI_LOGIN_FAILED'],
    ['leads to what is no URL', () => redirect('http://['), 'CLI_LOGIN_FAILED'],
    ['has no form', () => html('<h1>nothing</h1>'), 'CLI_LOGIN_FAILED'],
    ['leads to itself for ever', () => redirect('/auth'), 'CLI_LOGIN_FAILED'],
    ['refuses', () => new Response('no', { status: 403 }), 'CLI_LOGIN_FAILED'],
    ['fails', () => new Response('', { status: 500 }), 'SIGN_SERVICE_FAILED'],
    ['sends another state back', () => redirect('http://localhost/auth/callback?code=x&state=y'), 'CLI_LOGIN_STATE'],
  ])('gives up when the issuer %s', async (_name, answer, code) => {
    page = answer
    await expect(login()).rejects.toThrowCode(code)
    expect(visits.every(({ url }) => url.startsWith(provider.issuer))).toBe(true)
  })

  it('has a code for a lost connection', async () => {
    page = () => {
      throw new TypeError('fetch failed')
    }
    await expect(login()).rejects.toThrowCode('SIGN_SERVICE_UNREACHABLE')
  })
})
