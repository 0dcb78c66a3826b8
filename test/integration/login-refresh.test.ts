import { generateKeyPairSync } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { ManualClock, systemClock } from '@touchmark/clock'
import { HTTP_DEFAULTS } from '@touchmark/sign'
import { Provider } from 'oidc-provider'
import type { CliContext } from '../../apps/cli/src/context.js'
import { findToken, login } from '../../apps/cli/src/tokens.js'

// The demonstration issuer gives no refresh tokens, so this is another configuration of the same OpenID provider: one that gives them, changes them at
// each use, and ends the login when an old one is used again.

const PERSON = 'dev@example.com'
let server: Server
let issuer: string
let folder: string
let refreshes: number

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'touchmark-refresh-'))
  refreshes = 0
  server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  issuer = `http://localhost:${(server.address() as AddressInfo).port}`
  const provider = providerAt(issuer)
  const handle = provider.callback()
  server.on('request', (request, response) => {
    if (request.url?.startsWith('/approve/') !== true) return void handle(request, response)
    void provider.interactionFinished(request, response, { login: { accountId: PERSON }, consent: {} })
  })
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await rm(folder, { recursive: true, force: true })
})

function providerAt(url: string): Provider {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const provider = new Provider(url, {
    clients: [
      {
        client_id: 'sigstore',
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        redirect_uris: ['http://localhost/auth/callback'],
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' } as never] },
    cookies: { keys: ['of this test'] },
    scopes: ['openid', 'email', 'offline_access'],
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    conformIdTokenClaims: false,
    rotateRefreshToken: true,
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id, email: id, email_verified: true }) }),
    interactions: { url: (_ctx, interaction) => `/approve/${interaction.uid}` },
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({ clientId: 'sigstore', accountId: ctx.oidc.session!.accountId! })
      grant.addOIDCScope('openid email offline_access')
      await grant.save()
      return grant
    },
    features: { devInteractions: { enabled: false }, revocation: { enabled: true } },
    ttl: { IdToken: 600, AccessToken: 600, RefreshToken: 86_400, Grant: 86_400, Session: 600, Interaction: 600 },
  })
  provider.on('grant.success', (ctx) => {
    if (ctx.oidc.params?.['grant_type'] === 'refresh_token') refreshes++
  })
  return provider
}

/** Follows redirects as a browser does, with cookies, up to the listener of the login. */
async function browse(from: string): Promise<void> {
  const cookies = new Map<string, string>()
  let url = from
  for (let step = 0; step < 10; step++) {
    const headers = { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') }
    const response = await fetch(url, { redirect: 'manual', headers })
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
      cookies.set(name!, value!)
    }
    await response.text()
    const next = response.headers.get('location')
    if (next === null) return
    url = new URL(next, url).href
  }
}

function context(clock: CliContext['clock']): CliContext {
  const visiting: Promise<void>[] = []
  return {
    clock,
    environment: { TOUCHMARK_BROWSER: 'none' },
    http: {
      ...HTTP_DEFAULTS,
      fetch: (url, init) => fetch(url, init),
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      random: Math.random,
    },
    home: join(folder, 'home'),
    ambientPlaces: { productName: join(folder, 'none'), projectedToken: join(folder, 'none') },
    json: false,
    interactive: true,
    out: () => undefined,
    err: (text) => {
      const url = /(http:\S+\/auth\?\S+)/.exec(text)?.[1]
      if (url !== undefined) visiting.push(browse(url))
    },
  }
}

async function keptRefreshToken(): Promise<string> {
  const logins = join(folder, 'home', 'logins')
  const [file] = await readdir(logins)
  return (JSON.parse(await readFile(join(logins, file!), 'utf8')) as { refreshToken: string }).refreshToken
}

it('keeps a login going with a provider that changes refresh tokens at each use', async () => {
  const now = systemClock.now()
  await expect(login(context(systemClock), issuer, {})).resolves.toMatchObject({ source: 'browser' })
  const first = await keptRefreshToken()
  expect(first).toMatch(/^\S{20,}$/)

  // Four processes nearly ten minutes later, with less than half a minute left. The provider's clock has not moved, so a token that it gives now has hardly
  // more: each process may refresh in its turn, always with the newest refresh token. An old one would end the login.
  const later = new ManualClock(new Date(now.getTime() + 570_500))
  const found = await Promise.all(Array.from({ length: 4 }, () => findToken(context(later), issuer, {})))
  expect(found.map(({ claims }) => claims.principal)).toEqual(Array.from({ length: 4 }, () => PERSON))
  expect(refreshes).toBeGreaterThanOrEqual(1)
  expect(await keptRefreshToken()).not.toBe(first)
}, 60_000)
