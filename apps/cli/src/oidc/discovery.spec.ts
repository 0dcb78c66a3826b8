import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { testHttp } from '../../../../libs/sign/src/testing/servers.js'
import { TestProvider } from '../testing/provider.js'
import { discoverProvider, jsonObject } from './discovery.js'

let provider: TestProvider
beforeEach(async () => {
  provider = await TestProvider.start()
})
afterEach(() => provider.close())

const discover = (
  discovery: Record<string, unknown>,
  issuer = provider.issuer,
): ReturnType<typeof discoverProvider> => {
  provider.behaviour = { discovery }
  return discoverProvider(issuer, testHttp())
}

describe('discoverProvider', () => {
  it('reads what a login needs', async () => {
    await expect(discover({})).resolves.toEqual({
      issuer: provider.issuer,
      authorizationEndpoint: `${provider.issuer}/auth`,
      tokenEndpoint: `${provider.issuer}/token`,
      deviceAuthorizationEndpoint: `${provider.issuer}/device`,
      revocationEndpoint: undefined,
      clientId: 'sigstore',
      refreshes: false,
      namesItself: false,
      demo: false,
    })
  })

  it.each([true, false, 'true', 1])(
    'takes a provider for the demonstration one only when it says true (%j)',
    async (demo) => {
      await expect(discover({ touchmark_demo: demo })).resolves.toMatchObject({ demo: demo === true })
    },
  )

  it.each(['authorization_endpoint', 'token_endpoint', 'issuer'])('refuses a document without %s', async (name) => {
    await expect(discover({ [name]: undefined })).rejects.toThrowCode('CLI_LOGIN_FAILED')
    await expect(discover({ [name]: 5 })).rejects.toThrowCode('CLI_LOGIN_FAILED')
  })

  it('refuses the document of another issuer, to the last slash', async () => {
    await expect(discover({ issuer: `${provider.issuer}/` })).rejects.toThrowCode('CLI_LOGIN_FAILED')
    await expect(discover({}, `${provider.issuer}/`)).rejects.toThrowCode('CLI_LOGIN_FAILED')
  })

  it.each(['authorization_endpoint', 'token_endpoint', 'device_authorization_endpoint', 'revocation_endpoint'])(
    'refuses a %s that is no web address',
    async (name) => {
      for (const endpoint of ['file:///etc/passwd', 'javascript:alert(1)', 'vscode://x', '/auth', ''])
        await expect(discover({ [name]: endpoint })).rejects.toThrowCode('CLI_LOGIN_FAILED')
    },
  )

  it.each([
    [undefined, undefined, false],
    [['openid'], undefined, false],
    ['offline_access', undefined, false],
    [['openid', 'offline_access'], undefined, true],
    [['offline_access'], ['authorization_code'], false],
    [['offline_access'], ['authorization_code', 'refresh_token'], true],
  ])('asks for refresh tokens where they are listed: scopes %j, grants %j: %j', async (scopes, grants, refreshes) => {
    const document = { scopes_supported: scopes, grant_types_supported: grants }
    await expect(discover(document)).resolves.toMatchObject({ refreshes })
  })

  it('refuses a provider that says that it does not check PKCE as we do it', async () => {
    await expect(discover({ code_challenge_methods_supported: ['plain'] })).rejects.toThrowCode('CLI_LOGIN_FAILED')
    await expect(discover({ code_challenge_methods_supported: ['plain', 'S256'] })).resolves.toBeDefined()
  })

  it('follows no redirect to the document of another issuer', async () => {
    const http = testHttp({
      fetch: async () => new Response('', { status: 302, headers: { location: `${provider.issuer}/.well-known/x` } }),
    })
    await expect(discoverProvider(provider.issuer, http)).rejects.toThrowCode('SIGN_SERVICE_ANSWER')
  })

  it('refuses an endpoint that is less protected than its issuer', async () => {
    const issuer = 'https://login.example.com'
    const document = {
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: 'http://login.example.com/token',
    }
    const http = testHttp({ fetch: async () => Response.json(document) })
    await expect(discoverProvider(issuer, http)).rejects.toThrowCode('CLI_LOGIN_FAILED')
  })

  it.each([
    [404, ''],
    [200, '<html>'],
    [200, '[]'],
    [200, '{} x'],
  ])('refuses the answer %d %j', async (status, body) => {
    const http = testHttp({ fetch: async () => new Response(body, { status }) })
    await expect(discoverProvider('https://login.example.com', http)).rejects.toThrowCode('CLI_LOGIN_FAILED')
  })
})

describe('jsonObject', () => {
  it('refuses a member that comes twice', () => {
    expect(() => jsonObject(Buffer.from('{"a":1,"a":2}'), 'test')).toThrowCode('CLI_LOGIN_FAILED')
  })
})
