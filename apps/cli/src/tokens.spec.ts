import { chmodSync, readdirSync, readFileSync, statSync, symlinkSync, renameSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { testContext, type TestContext } from './testing/context.js'
import { TestProvider, unsignedToken, type ProviderBehaviour } from './testing/provider.js'
import { findToken, login, lookForToken, type FoundToken, type TokenOptions } from './tokens.js'

let provider: TestProvider
let context: TestContext
let environment: NodeJS.ProcessEnv
beforeEach(async () => {
  provider = await TestProvider.start()
  environment = {}
  context = await testContext({ fetch: (url, init) => fetch(url, init), environment })
})
afterEach(async () => {
  await provider.close()
  await context.remove()
})

const token = (email: string): string =>
  unsignedToken({ iss: 'https://x.example.com', email, email_verified: true, exp: 1_900_000_000 })
const find = (options: TokenOptions = {}): Promise<FoundToken> => findToken(context, provider.issuer, options)
const loginsFolder = (): string => join(context.home, 'logins')

describe('findToken', () => {
  it('takes the token given, then SIGSTORE_ID_TOKEN, then a kept login, then a new one', async () => {
    await expect(find()).resolves.toMatchObject({ source: 'device', claims: { principal: 'dev@example.com' } })
    await expect(find()).resolves.toMatchObject({ source: 'kept login', claims: { principal: 'dev@example.com' } })
    environment['SIGSTORE_ID_TOKEN'] = `${token('ambient@example.com')}\n`
    await expect(find()).resolves.toMatchObject({
      source: 'SIGSTORE_ID_TOKEN',
      claims: { email: 'ambient@example.com' },
    })
    await expect(find({ identityToken: token('given@example.com') })).resolves.toMatchObject({
      source: 'given',
      claims: { email: 'given@example.com' },
    })
    environment['SIGSTORE_ID_TOKEN'] = ''
    await expect(find()).resolves.toMatchObject({ source: 'kept login' })
  })

  it('reads a token from a file, of any name, without its last newline', async () => {
    for (const name of ['token', 'app.token.txt', 'eyJ.x.y']) {
      const file = join(context.folder, name)
      await writeFile(file, `${token('file@example.com')}\n`)
      await expect(find({ identityToken: file })).resolves.toMatchObject({ claims: { email: 'file@example.com' } })
    }
  })

  it.each([
    ['', 'CLI_FILE_UNREADABLE'],
    ['no-such-file', 'CLI_FILE_UNREADABLE'],
    ['a.b.c', 'CLI_FILE_UNREADABLE'],
    ['x'.repeat(100_000), 'CLI_FILE_UNREADABLE'],
    ['eyJhIjoxfQ.b.c', 'SIGN_TOKEN_MALFORMED'],
  ])('refuses %j', async (identityToken, code) => {
    await expect(find({ identityToken })).rejects.toThrowCode(code)
  })

  it('does not go on to a login when the token that is there is bad', async () => {
    environment['SIGSTORE_ID_TOKEN'] = 'rubbish'
    await expect(find()).rejects.toThrowCode('SIGN_TOKEN_MALFORMED')
    expect(provider.requests).toEqual([])
  })

  it('keeps a login for its owner alone', async () => {
    await find()
    const [file, ...more] = readdirSync(loginsFolder())
    expect(more).toEqual([])
    expect(statSync(join(loginsFolder(), file!)).mode & 0o777).toBe(0o600)
    expect(statSync(loginsFolder()).mode & 0o777).toBe(0o700)
  })

  it('forgets a kept login that has half a minute left', async () => {
    await find()
    context.clock.set('2026-06-01T12:09:29Z')
    await expect(find()).resolves.toMatchObject({ source: 'kept login' })
    context.clock.set('2026-06-01T12:09:30Z')
    await expect(find()).resolves.toMatchObject({ source: 'device' })
  })

  it.each([
    '',
    'not json',
    'null',
    '{}',
    '{"issuer":"ISSUER","token":5}',
    '{"issuer":"ISSUER","token":"x"}',
    '{"issuer":"https://other","token":"TOKEN"}',
  ])('logs in anew when the kept login is %j', async (text) => {
    await find()
    const file = join(loginsFolder(), readdirSync(loginsFolder())[0]!)
    await writeFile(file, text.replace('ISSUER', provider.issuer).replace('TOKEN', token('kept@example.com')))
    await expect(find()).resolves.toMatchObject({ source: 'device' })
  })

  it('keeps no token that it cannot read, or that never expires', async () => {
    provider.behaviour = { claims: { email_verified: false } }
    await expect(login(context, provider.issuer, {})).rejects.toThrowCode('SIGN_EMAIL_NOT_VERIFIED')
    expect(() => readdirSync(loginsFolder())).toThrow()
    provider.behaviour = { claims: { exp: undefined } }
    await find()
    await expect(find()).resolves.toMatchObject({ source: 'device' })
  })
})

describe('an ambient token', () => {
  const ambient = async (aud: unknown): Promise<void> => {
    const file = join(context.folder, 'ambient')
    await writeFile(file, unsignedToken({ iss: 'https://ci.example.com', sub: 'job-1', aud, exp: 1_900_000_000 }))
    environment['TOUCHMARK_TOKEN_FILE'] = file
  }

  it('comes after SIGSTORE_ID_TOKEN and before a kept login', async () => {
    await find()
    await ambient('sigstore')
    await expect(find()).resolves.toMatchObject({ source: 'kubernetes', claims: { principal: 'job-1' } })
    environment['SIGSTORE_ID_TOKEN'] = token('ambient@example.com')
    await expect(find()).resolves.toMatchObject({ source: 'SIGSTORE_ID_TOKEN' })
    await expect(find({ oidcProvider: 'kubernetes' })).resolves.toMatchObject({ source: 'kubernetes' })
    await expect(find({ oidcProvider: 'kubernetes', ambient: false })).resolves.toMatchObject({ source: 'kubernetes' })
    environment['SIGSTORE_ID_TOKEN'] = ''
    await expect(find({ ambient: false })).resolves.toMatchObject({ source: 'kept login' })
  })

  it('is for the audience that a person named, and for none that an instance names', async () => {
    await ambient('ca.example.com')
    await expect(find({ oidcClientId: 'ca.example.com' })).resolves.toMatchObject({ source: 'kubernetes' })
    environment['TOUCHMARK_OIDC_CLIENT_ID'] = 'ca.example.com'
    await expect(find()).resolves.toMatchObject({ source: 'kubernetes' })
  })

  it('that cannot be had ends a job at once, and not with a login that nobody answers', async () => {
    environment['GITHUB_ACTIONS'] = 'true'
    await expect(find()).rejects.toThrowCode('CLI_AMBIENT_ABSENT')
    expect(provider.requests).toEqual([])
    await expect(find({ device: true })).resolves.toMatchObject({ source: 'device' })
    await expect(find()).resolves.toMatchObject({ source: 'kept login' })
  })

  it('is the only one that is looked for when a system was chosen', async () => {
    await find()
    await expect(find({ oidcProvider: 'aws' })).rejects.toThrowCode('CLI_AMBIENT_ABSENT')
  })
})

describe('a kept login', () => {
  const keptFile = (): string => join(loginsFolder(), readdirSync(loginsFolder())[0]!)
  const kept = (): { token: string; refreshToken?: string } =>
    JSON.parse(readFileSync(keptFile(), 'utf8')) as { token: string; refreshToken?: string }
  const LATER = { exp: Date.parse('2026-06-01T13:00:00Z') / 1000 }
  const grants = (): (string | null)[] =>
    provider.requests.filter(({ path }) => path === '/token').map(({ form }) => form.get('grant_type'))

  it.each([0o640, 0o604, 0o620, 0o666, 0o601])(
    'that others can get at (%o) is not used, which is said, and is replaced',
    async (mode) => {
      await find()
      chmodSync(keptFile(), mode)
      await expect(lookForToken(context, provider.issuer, {})).resolves.toMatchObject({
        found: undefined,
        unused: { file: keptFile(), why: expect.stringContaining('0600') },
      })
      await expect(find()).resolves.toMatchObject({ source: 'device' })
      expect(context.said.err).toContain('is not used')
      expect(statSync(keptFile()).mode & 0o777).toBe(0o600)
      await expect(find()).resolves.toMatchObject({ source: 'kept login' })
    },
  )

  it('that is a link to another file is not used', async () => {
    await find()
    const file = keptFile()
    renameSync(file, join(context.folder, 'elsewhere'))
    symlinkSync(join(context.folder, 'elsewhere'), file)
    await expect(lookForToken(context, provider.issuer, {})).resolves.toMatchObject({
      unused: { why: 'it is a symbolic link' },
    })
  })

  it('is of one client', async () => {
    await find()
    provider.behaviour = { claims: { aud: 'other' } }
    await expect(find({ oidcClientId: 'other' })).resolves.toMatchObject({
      source: 'device',
      claims: { audiences: ['other'] },
    })
    await expect(find({ oidcClientId: 'other' })).resolves.toMatchObject({ source: 'kept login' })
    await expect(find()).resolves.toMatchObject({ source: 'kept login', claims: { audiences: ['sigstore'] } })
  })

  it('is refreshed when it has run out, each time with the newest refresh token', async () => {
    provider.behaviour = { refresh: true }
    await find()
    expect(provider.requests.find(({ path }) => path === '/device')!.form.get('scope')).toBe(
      'openid email offline_access',
    )
    expect(kept().refreshToken).toBe('refresh-1')
    context.clock.set('2026-06-01T12:30:00Z')
    provider.behaviour = { refresh: true, claims: LATER }
    await expect(find()).resolves.toMatchObject({ source: 'refreshed login', claims: { principal: 'dev@example.com' } })
    expect(kept().refreshToken).toBe('refresh-2')
    expect(statSync(keptFile()).mode & 0o777).toBe(0o600)
    await expect(find()).resolves.toMatchObject({ source: 'kept login' })
    context.clock.set('2026-06-01T13:30:00Z')
    provider.behaviour = { refresh: true, claims: { exp: Date.parse('2026-06-01T14:00:00Z') / 1000 } }
    await expect(find()).resolves.toMatchObject({ source: 'refreshed login' })
    expect(kept().refreshToken).toBe('refresh-3')
  })

  it('is refreshed once by many processes at a time', async () => {
    provider.behaviour = { refresh: true }
    await find()
    context.clock.set('2026-06-01T12:30:00Z')
    provider.behaviour = { refresh: true, claims: LATER }
    const waiting = {
      ...context,
      http: { ...context.http, sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms / 10)) },
    }
    const found = await Promise.all(Array.from({ length: 8 }, () => findToken(waiting, provider.issuer, {})))
    expect(new Set(found.map((one) => one.token)).size).toBe(1)
    expect(grants().filter((grant) => grant === 'refresh_token')).toHaveLength(1)
    expect(readdirSync(loginsFolder())).toHaveLength(1)
  })

  it('is not held up for ever by a process that died while it refreshed', async () => {
    provider.behaviour = { refresh: true }
    await find()
    await writeFile(`${keptFile()}.lock`, '')
    context.clock.set('2026-06-01T12:30:00Z')
    provider.behaviour = { refresh: true, claims: LATER }
    await expect(find()).resolves.toMatchObject({ source: 'refreshed login' })
    expect(context.pauses.filter((ms) => ms === 100)).toHaveLength(150)
  })

  it('keeps its refresh token when the provider gives no new one', async () => {
    provider.behaviour = { refresh: true }
    await find()
    context.clock.set('2026-06-01T12:30:00Z')
    provider.behaviour = { claims: LATER }
    await find()
    expect(kept().refreshToken).toBe('refresh-1')
  })

  it.each<[string, ProviderBehaviour]>([
    ['has ended it', { tokenAnswers: [[400, '{"error":"invalid_grant"}']] }],
    ['gives no ID token that way', { tokenAnswers: [[200, '{"access_token":"x"}']] }],
  ])('is forgotten, and made anew, when the provider %s', async (_what, behaviour) => {
    provider.behaviour = { refresh: true }
    await find()
    context.clock.set('2026-06-01T12:30:00Z')
    provider.behaviour = { ...behaviour, claims: LATER }
    await expect(lookForToken(context, provider.issuer, {})).resolves.toMatchObject({ found: undefined })
    expect(readdirSync(loginsFolder())).toEqual([])
    await expect(find()).resolves.toMatchObject({ source: 'device' })
  })

  it.each<[string, ProviderBehaviour, string]>([
    ['of somebody else', { claims: { ...LATER, sub: 'user-2' } }, 'CLI_LOGIN_FAILED'],
    ['of another issuer', { claims: { ...LATER, iss: 'https://evil.example.com' } }, 'CLI_LOGIN_FAILED'],
    ['that nobody signed', { claims: LATER, header: { alg: 'none' } }, 'CLI_LOGIN_FAILED'],
    ['that is none', { tokenAnswers: [[200, '{"id_token":"x"}']] }, 'SIGN_TOKEN_MALFORMED'],
    ['after another refusal', { tokenAnswers: [[400, '{"error":"invalid_client"}']] }, 'CLI_LOGIN_FAILED'],
    ['after a refusal of the client', { tokenAnswers: [[401, '{"error":"invalid_grant"}']] }, 'CLI_LOGIN_FAILED'],
    ['after a refusal by a proxy', { tokenAnswers: [[403, '<html>no</html>']] }, 'CLI_LOGIN_FAILED'],
    ['after a refusal that says nothing', { tokenAnswers: [[400, 'no']] }, 'CLI_LOGIN_FAILED'],
    ['after a failure', { tokenAnswers: [[503, 'busy']] }, 'SIGN_SERVICE_FAILED'],
    ['after a redirect', { tokenAnswers: [[307, '']] }, 'SIGN_SERVICE_ANSWER'],
  ])('is left as it is when it is refreshed with a token %s', async (_what, behaviour, code) => {
    provider.behaviour = { refresh: true }
    await find()
    const before = readFileSync(keptFile(), 'utf8')
    context.clock.set('2026-06-01T12:30:00Z')
    provider.behaviour = behaviour
    await expect(find()).rejects.toThrowCode(code)
    expect(readFileSync(keptFile(), 'utf8')).toBe(before)
    expect(grants().filter((grant) => grant === 'refresh_token')).toHaveLength(1)
  })

  it('is not used when the provider hands out an expired token', async () => {
    context.clock.set('2026-06-01T12:30:00Z')
    await expect(find()).rejects.toThrowCode('CLI_LOGIN_FAILED')
    expect(() => readdirSync(loginsFolder())).toThrow()
  })
})

describe('login', () => {
  it('announces the page and the code on standard error, with control characters shown', async () => {
    provider.behaviour = { device: { user_code: 'AB\u001b[2JCD', verification_uri: 'https://x.example.com/\u0007' } }
    await login(context, provider.issuer, { device: true })
    expect(context.said.out).toBe('')
    expect(context.said.err).toContain('AB\\u001b[2JCD')
    expect(context.said.err).not.toContain('\u001b')
    expect(context.said.err).not.toContain('\u0007')
  })

  it('uses a browser on a terminal, and shows the address', async () => {
    environment['TOUCHMARK_BROWSER'] = 'none'
    const going: Promise<Response>[] = []
    const err = (text: string): void => {
      const url = /(http:\S*\/auth\?\S+)/.exec(text)?.[1]
      if (url !== undefined) going.push(fetch(provider.approve(url)))
    }
    await expect(login({ ...context, err }, provider.issuer, {})).resolves.toMatchObject({ source: 'browser' })
    expect(going).toHaveLength(1)
    await (await going[0]!).text()
  })
})
