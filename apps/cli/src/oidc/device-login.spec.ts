import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { readTokenClaims } from '@touchmark/sign'
import { testHttp } from '../../../../libs/sign/src/testing/servers.js'
import { TestProvider } from '../testing/provider.js'
import { deviceLogin } from './device-login.js'
import { discoverProvider } from './discovery.js'

let provider: TestProvider
let http: ReturnType<typeof testHttp>
let announced: { url: string; code: string }[]
beforeEach(async () => {
  provider = await TestProvider.start()
  http = testHttp()
  announced = []
})
afterEach(() => provider.close())

const login = async (): Promise<string> => {
  const announce = (where: { url: string; code: string }): void => void announced.push(where)
  return (await deviceLogin(await discoverProvider(provider.issuer, http), { http, announce })).idToken
}

const error = (code: string): [number, string] => [400, JSON.stringify({ error: code })]
const forms = (path: string): URLSearchParams[] =>
  provider.requests.filter((request) => request.path === path).map(({ form }) => form)

describe('deviceLogin', () => {
  it('says where to go, asks at the pace it was told, and gets a token', async () => {
    provider.behaviour = { tokenAnswers: [error('authorization_pending'), error('authorization_pending')] }
    expect(readTokenClaims(await login()).principal).toBe('dev@example.com')
    expect(announced).toEqual([{ url: `${provider.issuer}/activate`, code: 'ABCD-EFGH' }])
    expect(http.pauses).toEqual([3000, 3000, 3000])
  })

  it('proves by PKCE that who asks is who began', async () => {
    await login()
    const challenge = forms('/device')[0]!.get('code_challenge')
    const poll = Object.fromEntries(forms('/token')[0]!)
    expect(poll).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      client_id: 'sigstore',
      device_code: 'device-1',
      code_verifier: expect.stringMatching(/^[\w-]{43}$/),
    })
    expect(createHash('sha256').update(poll['code_verifier']!).digest('base64url')).toBe(challenge)
  })

  it('prefers the address that holds the code', async () => {
    provider.behaviour = { device: { verification_uri_complete: 'https://x.example.com/?code=ABCD' } }
    await login()
    expect(announced[0]!.url).toBe('https://x.example.com/?code=ABCD')
  })

  it('slows down when it is told to', async () => {
    provider.behaviour = { tokenAnswers: [error('slow_down'), error('authorization_pending'), error('slow_down')] }
    await login()
    expect(http.pauses).toEqual([3000, 8000, 8000, 13_000])
  })

  it.each([
    ['access_denied', 'CLI_LOGIN_FAILED'],
    ['expired_token', 'CLI_LOGIN_TIMEOUT'],
    ['invalid_grant', 'CLI_LOGIN_FAILED'],
  ])('ends on %s', async (said, code) => {
    provider.behaviour = { tokenAnswers: [error(said)] }
    await expect(login()).rejects.toThrowCode(code)
    expect(forms('/token')).toHaveLength(1)
  })

  it('ends when the time is over', async () => {
    provider.behaviour = {
      device: { interval: 30 },
      tokenAnswers: Array.from({ length: 10 }, () => error('authorization_pending')),
    }
    await expect(login()).rejects.toThrowCode('CLI_LOGIN_TIMEOUT')
    expect(http.pauses).toEqual([30_000, 30_000])
  })

  it.each([0, -1, 0.001, '3', 1e9, null])('does not poll at the pace %j', async (interval) => {
    provider.behaviour = { device: { interval } }
    await login()
    expect(http.pauses).toEqual([5000])
  })

  it.each(['device_code', 'user_code', 'verification_uri'])('refuses an answer without %s', async (name) => {
    provider.behaviour = { device: { [name]: undefined } }
    await expect(login()).rejects.toThrowCode('CLI_LOGIN_FAILED')
  })

  it.each<[string, [number, string]]>([
    ['a page', [400, '<html>']],
    ['an answer without a token', [200, '{}']],
  ])('ends on %s of the token endpoint', async (_name, reply) => {
    provider.behaviour = { tokenAnswers: [reply] }
    await expect(login()).rejects.toThrowCode('CLI_LOGIN_FAILED')
  })

  it('says that a provider has no device flow', async () => {
    provider.behaviour = { discovery: { device_authorization_endpoint: undefined } }
    await expect(login()).rejects.toThrowCode('CLI_LOGIN_FAILED')
  })
})
