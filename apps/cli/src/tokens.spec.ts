import { readdirSync, statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { testContext, type TestContext } from './testing/context.js'
import { TestProvider, unsignedToken } from './testing/provider.js'
import { findToken, login, type FoundToken } from './tokens.js'

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
const find = (options: { identityToken?: string; device?: boolean } = {}): Promise<FoundToken> =>
  findToken(context, provider.issuer, options)
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
