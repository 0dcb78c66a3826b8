import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { checkPublicUrl, readConfig, type UpOptions } from './options.js'

let folder: string
const file = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'touchmark-options-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('readConfig', () => {
  it('has an answer to everything that is not said', () => {
    expect(readConfig({}, {})).toEqual({
      dataDir: resolve('.touchmark'),
      listen: '127.0.0.1',
      port: undefined,
      publicUrl: undefined,
      issuersText: undefined,
      demoIssuer: 'auto',
      databaseUrl: undefined,
      passphrase: undefined,
      metricsPort: 0,
      metricsListen: '127.0.0.1',
      logLevel: 'warn',
      workers: 1,
      guard: { folder: undefined, urls: [], optional: false, tokenFile: undefined },
    })
  })

  it('reads the environment, and flags win', () => {
    const environment = {
      TOUCHMARK_DATA: '/env/data',
      TOUCHMARK_PUBLIC_URL: 'https://env.example',
      TOUCHMARK_LISTEN: '0.0.0.0',
      TOUCHMARK_LOG_LEVEL: 'info',
      TOUCHMARK_WORKERS: '2',
      TOUCHMARK_ISSUERS: file('env.yaml', 'env'),
      DATABASE_URL: 'postgresql://env@db/x',
      TOUCHMARK_PASSPHRASE: 'env',
      TOUCHMARK_GUARD: '/env/guard https://env.example',
      TOUCHMARK_GUARD_TOKEN_FILE: '/env/guard-token',
    }
    expect(readConfig({}, environment)).toMatchObject({
      guard: { folder: '/env/guard', urls: ['https://env.example/'], optional: false },
      dataDir: '/env/data',
      publicUrl: 'https://env.example',
      listen: '0.0.0.0',
      logLevel: 'info',
      workers: 2,
      issuersText: 'env',
      databaseUrl: 'postgresql://env@db/x',
      passphrase: { value: 'env' },
    })
    const flags: UpOptions = {
      data: '/flag/data',
      publicUrl: 'https://flag.example/',
      listen: '127.0.0.2',
      logLevel: 'debug',
      issuers: file('flag.yaml', 'flag'),
      databaseUrl: 'postgresql://flag@db/x',
      passphraseFile: '/flag/passphrase',
      port: 0,
      metricsPort: 9360,
      metricsListen: '127.0.0.1',
      demoIssuer: 'off',
      workers: '3',
      guard: ['/flag/guard', 'https://guard.example'],
      guardOptional: true,
    }
    expect(readConfig(flags, environment)).toEqual({
      dataDir: '/flag/data',
      publicUrl: 'https://flag.example',
      listen: '127.0.0.2',
      logLevel: 'debug',
      issuersText: 'flag',
      databaseUrl: 'postgresql://flag@db/x',
      passphrase: { file: '/flag/passphrase' },
      port: 0,
      metricsPort: 9360,
      metricsListen: '127.0.0.1',
      demoIssuer: 'off',
      workers: 3,
      guard: {
        folder: '/flag/guard',
        urls: ['https://guard.example/'],
        optional: true,
        tokenFile: '/env/guard-token',
      },
    })
  })

  it.each<[string, UpOptions, NodeJS.ProcessEnv?]>([
    ['a port below 0', { port: -1 }],
    ['a port above 65535', { port: 65_536 }],
    ['half a port', { port: 1.5 }],
    ['a port that is no number', { port: NaN }],
    ['a metrics port above 65535', { metricsPort: 70_000 }],
    ['an unknown log level', { logLevel: 'loud' }],
    ['an unknown log level in the environment', {}, { TOUCHMARK_LOG_LEVEL: '' }],
    ['an unknown choice of demonstration issuer', { demoIssuer: 'yes' as 'on' }],
    ['a public URL that is none', { publicUrl: 'touchmark.example.com' }],
    ['an empty public URL', {}, { TOUCHMARK_PUBLIC_URL: '' }],
  ])('refuses %s', (_, options, environment = {}) => {
    expect(() => readConfig(options, environment)).toThrowCode('STANDALONE_CONFIG')
  })

  it('refuses an issuer configuration that is not there', () => {
    expect(() => readConfig({ issuers: join(folder, 'none') }, {})).toThrowCode('STANDALONE_ISSUERS_FILE')
  })
})

describe('the password of the database', () => {
  const withPassword = (url: string, password = 'p@ss/w:rd?\n'): string | undefined =>
    readConfig({ databaseUrl: url }, { TOUCHMARK_DATABASE_PASSWORD_FILE: file('password', password) }).databaseUrl

  it.each([
    ['postgres://touchmark@db:5432/touchmark', 'postgres://touchmark:p%40ss%2Fw%3Ard%3F@db:5432/touchmark'],
    ['postgresql://user@/db?host=/run/postgresql', 'postgresql://user:p%40ss%2Fw%3Ard%3F@/db?host=/run/postgresql'],
    ['postgresql://user:old@db/x?a=b@c', 'postgresql://user:p%40ss%2Fw%3Ard%3F@db/x?a=b@c'],
    ['postgresql://us%40er@a,b:1/x', 'postgresql://us%40er:p%40ss%2Fw%3Ard%3F@a,b:1/x'],
  ])('comes from its file into %s', (url, expected) => expect(withPassword(url)).toBe(expected))

  it.each(['postgresql://db/x', 'postgresql:///x', 'mysql://user@db/x', 'db', ''])(
    'is refused where no user is named: %j',
    (url) => expect(() => withPassword(url)).toThrowCode('STANDALONE_CONFIG'),
  )

  it('is refused when the file is empty or not there', () => {
    expect(() => withPassword('postgresql://user@db/x', ' \n')).toThrowCode('STANDALONE_CONFIG')
    const environment = { TOUCHMARK_DATABASE_PASSWORD_FILE: join(folder, 'none') }
    expect(() => readConfig({ databaseUrl: 'postgresql://user@db/x' }, environment)).toThrowCode('STANDALONE_CONFIG')
  })

  it('is not looked for without a database URL', () => {
    const environment = { TOUCHMARK_DATABASE_PASSWORD_FILE: join(folder, 'none') }
    expect(readConfig({}, environment).databaseUrl).toBeUndefined()
  })
})

describe('checkPublicUrl', () => {
  it.each([
    ['https://touchmark.example.com', 'https://touchmark.example.com'],
    ['https://Touchmark.Example.COM/', 'https://touchmark.example.com'],
    ['https://touchmark.example.com:443', 'https://touchmark.example.com'],
    ['http://localhost:8360', 'http://localhost:8360'],
    ['http://127.0.0.2:80', 'http://127.0.0.2'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
    ['https://my_host.local:8443', 'https://my_host.local:8443'],
  ])('%s is stored as %s', (text, stored) => expect(checkPublicUrl(text)).toBe(stored))

  it.each([
    ['no URL', 'touchmark'],
    ['another scheme', 'ftp://touchmark.example.com'],
    ['a scheme that runs code', 'javascript:alert(1)'],
    ['a path', 'https://touchmark.example.com/touchmark'],
    ['a user', 'https://user@touchmark.example.com'],
    ['a password', 'https://user:hunter2@touchmark.example.com'],
    ['a query', 'https://touchmark.example.com?x=1'],
    ['a fragment', 'https://touchmark.example.com#x'],
    ['an IPv6 address', 'http://[::1]:8360'],
    ['a plus sign, which no signed note can name', 'https://a+b.example'],
    ['a dot at its end, which is another name to clients', 'https://touchmark.example.com.'],
    ['no host', 'https://'],
  ])('refuses %s', (_, text) => {
    expect(() => checkPublicUrl(text)).toThrowCode('STANDALONE_CONFIG')
    try {
      checkPublicUrl(text)
    } catch (error) {
      expect(String((error as Error).message)).not.toContain('hunter2')
      expect((error as { details: { hint?: string } }).details.hint).toContain('https://touchmark.example.com')
    }
  })
})
