import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { testToken, URLS } from '../../../../libs/sign/src/testing/services.js'
import { TestInstance } from '../../../../libs/verify/src/testing/instance.js'
import { EXIT } from '../exit-codes.js'
import { keepLogin, readKept } from '../kept-login.js'
import { testContext, type TestContext } from '../testing/context.js'
import { CA_ISSUERS, HealthyInstance } from '../testing/healthy-instance.js'
import { INSTANCE_URL, ISSUER_URL } from '../testing/instance.js'
import { logoutCommand } from './logout.js'
import { whoamiCommand } from './whoami.js'

let instance: TestInstance
let healthy: HealthyInstance
let context: TestContext
let environment: NodeJS.ProcessEnv
const PLACE = { issuer: ISSUER_URL, clientId: 'sigstore' }

beforeAll(async () => {
  instance = await TestInstance.create()
})
beforeEach(async () => {
  healthy = await HealthyInstance.create(instance)
  environment = {}
  context = await testContext({ environment, fetch: (url, init) => healthy.served.fetch(url, init) })
  process.exitCode = 0
})
afterEach(async () => {
  process.exitCode = 0
  await context.remove()
})

const whoami = (options: Parameters<typeof whoamiCommand>[1] = {}): Promise<void> =>
  whoamiCommand(context, { instance: INSTANCE_URL, ...options })

describe('touchmark whoami', () => {
  it('shows the token that would be used, and what the certificate would say', async () => {
    await whoami({ identityToken: testToken({ exp: Date.parse('2026-06-01T12:09:30Z') / 1000 }) })
    expect(context.said.out).toBe(
      [
        'token     given',
        `issuer    ${ISSUER_URL}`,
        'subject   user-1',
        'e-mail    dev@example.com',
        'audience  sigstore',
        'expires   2026-06-01T12:09:30.000Z (in 9 min)',
        'The certificate would say',
        '  name          dev@example.com (email)',
        `  issuer        ${ISSUER_URL}`,
        '  tokenSubject  user-1',
        '',
      ].join('\n'),
    )
    expect(process.exitCode).toBe(0)
  })

  it('says the same as JSON', async () => {
    context = { ...context, json: true }
    environment['SIGSTORE_ID_TOKEN'] = testToken()
    await whoami()
    expect(JSON.parse(context.said.out)).toMatchObject({
      instance: INSTANCE_URL,
      tokenSource: 'SIGSTORE_ID_TOKEN',
      issuer: ISSUER_URL,
      audiences: ['sigstore'],
      certificate: { state: 'known', name: 'dev@example.com', kind: 'email' },
    })
  })

  it('sends the token to nobody, and shows nothing of it', async () => {
    const bodies: unknown[] = []
    const real = context.http.fetch
    const fetch: typeof real = (url, init) => {
      bodies.push([url, init.body ?? null, init.headers])
      return real(url, init)
    }
    context = { ...context, http: { ...context.http, fetch } }
    await whoami({ identityToken: testToken() })
    const part = testToken().split('.')[1]!
    expect(`${JSON.stringify(bodies)}${context.said.out}${context.said.err}`).not.toContain(part)
  })

  it('ends with 6 when there is none, and begins no login', async () => {
    await expect(whoami()).rejects.toThrowCode('CLI_TOKEN_NONE')
    environment['GITHUB_ACTIONS'] = 'true'
    await expect(whoami()).rejects.toThrowCode('CLI_AMBIENT_ABSENT')
    expect(healthy.served.visited.some((url) => url.startsWith(ISSUER_URL))).toBe(false)
    await expect(whoami({ login: true, device: true })).rejects.toThrowCode('CLI_LOGIN_FAILED')
    expect(healthy.served.visited.some((url) => url.startsWith(ISSUER_URL))).toBe(true)
  })

  it('ends with 6 when the CA would refuse it, and says why', async () => {
    await whoami({ identityToken: testToken({ aud: 'other' }) })
    expect(context.said.out).toContain('audience  other')
    expect(context.said.err).toContain('CLI_TOKEN_UNFIT')
    expect(process.exitCode).toBe(EXIT.login)
    expect(context.said.out).not.toContain('would say')
  })

  it('says what cannot be known', async () => {
    healthy.issuers = [{ ...CA_ISSUERS[0], issuerType: 'ci-provider' }]
    await whoami({ identityToken: testToken() })
    expect(context.said.out).toContain('cannot be known beforehand')
    healthy.answers.set(`${URLS.caUrl}/api/v2/configuration`, () => new Response('', { status: 404 }))
    context.said.out = ''
    await whoami({ identityToken: testToken() })
    expect(context.said.out).toContain('cannot be known beforehand')
    expect(process.exitCode).toBe(0)
  })

  it('shows control characters in a token, and sends none of them to the terminal', async () => {
    await whoami({ identityToken: testToken({ email: undefined, sub: 'a\u001b[31m\nname  x' }) })
    expect(context.said.out).not.toContain('\u001b')
    expect(context.said.out).toContain('a\\u001b[31m\\u000aname')
  })
})

describe('touchmark logout', () => {
  const logout = (): Promise<void> => logoutCommand(context, { instance: INSTANCE_URL })
  const DISCOVERY = `${ISSUER_URL}/.well-known/openid-configuration`
  const provider = (more: object): void =>
    void healthy.answers.set(DISCOVERY, () =>
      Response.json({
        issuer: ISSUER_URL,
        authorization_endpoint: `${ISSUER_URL}/auth`,
        token_endpoint: `${ISSUER_URL}/token`,
        ...more,
      }),
    )

  it('forgets the login, and ends it at the provider', async () => {
    provider({ revocation_endpoint: `${ISSUER_URL}/revoke` })
    healthy.answers.set(`${ISSUER_URL}/revoke`, () => new Response('', { status: 200 }))
    await keepLogin(context, PLACE, { idToken: testToken(), refreshToken: 'r' })
    await logout()
    expect(context.said.out).toBe('Logged out.\n')
    expect(healthy.served.visited).toContain(`${ISSUER_URL}/revoke`)
    await expect(readKept(context, PLACE)).resolves.toEqual({ state: 'absent' })
  })

  it('forgets it also when the provider does not answer, and says that', async () => {
    healthy.answers.set(DISCOVERY, () => new Response('', { status: 500 }))
    await keepLogin(context, PLACE, { idToken: testToken(), refreshToken: 'r' })
    await logout()
    expect(context.said.out).toContain('did not end the login')
    await expect(readKept(context, PLACE)).resolves.toEqual({ state: 'absent' })
  })

  it('asks nobody for a login without a refresh token, and says that nobody was logged in', async () => {
    await keepLogin(context, PLACE, { idToken: testToken(), refreshToken: undefined })
    await logout()
    await logout()
    expect(context.said.out).toBe('Logged out.\nNobody was logged in.\n')
    expect(healthy.served.visited).not.toContain(DISCOVERY)
  })
})
