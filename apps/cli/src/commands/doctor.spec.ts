import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { testToken, URLS } from '../../../../libs/sign/src/testing/services.js'
import { TestInstance } from '../../../../libs/verify/src/testing/instance.js'
import type { Finding } from '../doctor/finding.js'
import { EXIT } from '../exit-codes.js'
import { testContext, type TestContext } from '../testing/context.js'
import { HealthyInstance } from '../testing/healthy-instance.js'
import { INSTANCE_URL, ISSUER_URL, ServedInstance } from '../testing/instance.js'
import type { TokenOptions } from '../tokens.js'
import { trustInstance, type InstanceOptions } from '../trust-store.js'
import { doctorCommand } from './doctor.js'

let instance: TestInstance
let other: TestInstance
let healthy: HealthyInstance
let context: TestContext
let environment: NodeJS.ProcessEnv
let options: InstanceOptions & TokenOptions

beforeAll(async () => {
  instance = await TestInstance.create()
  other = await TestInstance.create()
})
beforeEach(async () => {
  healthy = await HealthyInstance.create(instance)
  healthy.date = () => 'Mon, 01 Jun 2026 12:00:00 GMT'
  environment = {}
  context = await testContext({ environment, json: true, fetch: (url, init) => healthy.served.fetch(url, init) })
  options = { instance: INSTANCE_URL, identityToken: testToken() }
  process.exitCode = 0
})
afterEach(async () => {
  process.exitCode = 0
  await context.remove()
})

const trust = (): Promise<unknown> => trustInstance(context, { instance: INSTANCE_URL })

async function examine(node?: string): Promise<{ ok: boolean; checks: Finding[]; exit: unknown }> {
  context.said.out = ''
  await doctorCommand(context, options, node)
  return { ...(JSON.parse(context.said.out) as { ok: boolean; checks: Finding[] }), exit: process.exitCode }
}
/** The lines that are not ok. */
async function complaints(node?: string): Promise<string[]> {
  const { checks } = await examine(node)
  return checks
    .filter(({ state }) => state !== 'ok')
    .map(({ check, state, code }) => [check, state, code].filter(Boolean).join(' '))
}
const CHECKPOINT = `${URLS.logUrl}/api/v2/checkpoint`
const refused = (status: number) => (): Response => new Response('no', { status })

describe('touchmark doctor', () => {
  it('has nothing to say about an instance that is well', async () => {
    await trust()
    const { ok, checks, exit } = await examine()
    expect({ ok, exit, bad: checks.filter(({ state }) => state !== 'ok') }).toEqual({ ok: true, exit: 0, bad: [] })
    expect(checks.map(({ check }) => check)).toEqual([
      'node',
      'home',
      'instance',
      'trust root',
      'certificate authority',
      'signature log key',
      'certificate log key',
      'timestamp authority',
      'health',
      'CA',
      'log',
      'timestamps',
      'identity provider',
      'clock',
      'token',
    ])
  })

  it('prints a table with what to do under each line that needs it', async () => {
    context = { ...context, json: false }
    await trust()
    healthy.answers.set(CHECKPOINT, refused(404))
    await doctorCommand(context, options)
    expect(context.said.out).toMatch(/^ok {11}node +Node\.js /m)
    expect(context.said.out).toMatch(/^problem {6}log +the log answered 404.*\n {13}found +no\n {13}do /m)
    expect(context.said.out).toMatch(/\n1 to fix\.\n$/)
  })

  it('trusts nobody: a first use is left to others', async () => {
    await expect(complaints()).resolves.toEqual(['trust root warning'])
    await expect(complaints()).resolves.toEqual(['trust root warning'])
    expect(process.exitCode).toBe(0)
  })

  it('asks for no certificate, writes nothing to a log, and shows no token', async () => {
    await trust()
    await examine()
    expect(healthy.served.services.asked.map(({ service }) => service)).toEqual(['tsa'])
    expect(context.said.out).not.toContain(testToken().split('.')[1])
  })

  it.each(['18.20.1', '20.18.9', '20', 'x'])('finds Node.js %s too old', async (version) => {
    await trust()
    await expect(complaints(version)).resolves.toEqual(['node problem CLI_MACHINE_NODE'])
    expect(process.exitCode).toBe(EXIT.machine)
  })

  it.each(['20.19.0', '22.0.0', '24.1.2'])('takes Node.js %s', async (version) => {
    await trust()
    await expect(complaints(version)).resolves.toEqual([])
  })

  it('finds a home that cannot be written', async () => {
    writeFileSync(context.home, 'a file in its place')
    const { checks, exit } = await examine()
    expect(checks[1]).toMatchObject({ check: 'home', state: 'problem', code: 'CLI_FILE_UNWRITABLE' })
    expect(exit).toBe(EXIT.file)
  })

  it.each([
    [0o777, 'home problem CLI_MACHINE_HOME'],
    [0o770, 'home problem CLI_MACHINE_HOME'],
    [0o755, 'home warning'],
  ])('minds who else can get at the home (%o)', async (mode, line) => {
    await trust()
    chmodSync(context.home, mode)
    await expect(complaints()).resolves.toEqual([line])
  })

  it('finds that no instance is chosen', async () => {
    options = { identityToken: testToken() }
    await expect(complaints()).resolves.toEqual(['instance problem CLI_NO_INSTANCE', 'the rest not checked'])
    expect(process.exitCode).toBe(EXIT.trust)
  })

  it('finds an instance that does not answer, and goes on with what is kept', async () => {
    await trust()
    healthy.answers.set(`${INSTANCE_URL}/trust/client_trust_config.json`, () => {
      throw new TypeError('no route')
    })
    await expect(complaints()).resolves.toEqual(['instance problem SIGN_SERVICE_UNREACHABLE'])
    expect(process.exitCode).toBe(EXIT.service)
  })

  it('stops where nothing answers and nothing is kept', async () => {
    healthy.answers.set(`${INSTANCE_URL}/trust/client_trust_config.json`, refused(404))
    await expect(complaints()).resolves.toEqual([
      'instance problem CLI_INSTANCE_ANSWER',
      'trust root not checked',
      'clock not checked',
      'services not checked',
      'token not checked',
    ])
  })

  it('finds a root that has changed, and one that is not the one that was named', async () => {
    await trust()
    healthy.served.root = other.trustedRoot
    expect((await complaints())[0]).toBe('trust root problem CLI_TRUST_CHANGED')
    expect(process.exitCode).toBe(EXIT.trust)
    options = { ...options, rootFingerprint: 'ab'.repeat(32) }
    expect((await complaints())[0]).toBe('trust root problem CLI_FINGERPRINT_MISMATCH')
  })

  it('finds that what is kept cannot be read', async () => {
    await trust()
    const { createHash } = await import('node:crypto')
    const file = join(context.home, 'instances', `${createHash('sha256').update(INSTANCE_URL).digest('hex')}.json`)
    writeFileSync(file, '{}')
    await expect(complaints()).resolves.toEqual(['trust root problem CLI_TRUST_UNKNOWN'])
  })

  it('finds windows that are over, and says so a month before', async () => {
    const end = (text: string) => ({ start: new Date('2026-01-01T00:00:00Z'), end: new Date(text) })
    const root = instance.trustedRoot
    const [log] = root.tlogs
    healthy.served.root = {
      ...root,
      tlogs: root.tlogs.map((one) => ({
        ...one,
        publicKey: { ...log!.publicKey, ...one.publicKey, validFor: end('2026-06-20T00:00:00Z') },
      })),
    }
    await trust()
    await expect(complaints()).resolves.toEqual(['signature log key warning'])
    expect(process.exitCode).toBe(0)
    context.clock.set('2026-06-20T00:00:01Z')
    options = { instance: INSTANCE_URL }
    expect(await complaints()).toContain('signature log key problem CLI_TRUST_EXPIRED')
    expect(process.exitCode).toBe(EXIT.trust)
  })

  it('finds certificates that are over, where no window says so', async () => {
    await trust()
    context.clock.set('2090-06-20T00:00:01Z')
    const lines = await complaints()
    expect(lines).toContain('certificate authority problem CLI_TRUST_EXPIRED')
    expect(lines).toContain('timestamp authority problem CLI_TRUST_EXPIRED')
  })

  it.each<[string, string, () => Response, string]>([
    ['health', `${INSTANCE_URL}/readyz`, refused(503), 'health problem SIGN_SERVICE_FAILED'],
    ['health', `${INSTANCE_URL}/readyz`, refused(404), 'health not checked'],
    ['CA', `${URLS.caUrl}/api/v2/configuration`, refused(500), 'CA problem SIGN_SERVICE_FAILED'],
    ['CA', `${URLS.caUrl}/api/v2/configuration`, () => new Response('<html>'), 'CA problem CLI_INSTANCE_ANSWER'],
    ['log', CHECKPOINT, refused(404), 'log problem CLI_INSTANCE_ANSWER'],
    ['log', CHECKPOINT, () => new Response('nonsense'), 'log problem TLOG_NOTE_INVALID'],
    ['timestamps', URLS.tsaUrl, refused(503), 'timestamps problem SIGN_SERVICE_FAILED'],
    ['timestamps', URLS.tsaUrl, () => new Response('x', { status: 201 }), 'timestamps problem SIGN_SERVICE_ANSWER'],
    [
      'timestamps',
      URLS.tsaUrl,
      () => new Response('', { status: 302, headers: { location: 'https://x.example.com' } }),
      'timestamps problem SIGN_SERVICE_ANSWER',
    ],
    [
      'provider',
      `${ISSUER_URL}/.well-known/openid-configuration`,
      () => Response.json({ issuer: 'https://evil.example.com' }),
      'identity provider problem CLI_LOGIN_FAILED',
    ],
  ])('finds what is wrong with the %s (%s)', async (_name, url, respond, line) => {
    await trust()
    healthy.answers.set(url, respond)
    expect((await complaints()).filter((one) => !one.startsWith('token'))).toEqual([line])
  })

  it('finds a checkpoint by another key, one out of an old cache, and timestamps by another authority', async () => {
    await trust()
    const { checkpoint: note } = await HealthyInstance.create(other)
    healthy.answers.set(CHECKPOINT, () => new Response(note))
    await expect(complaints()).resolves.toEqual(['log problem TLOG_CHECKPOINT_SIGNATURE'])
    healthy.answers.delete(CHECKPOINT)
    const own = healthy.checkpoint
    healthy.answers.set(CHECKPOINT, () => new Response(own, { headers: { age: '601' } }))
    await expect(complaints()).resolves.toEqual(['log problem CLI_INSTANCE_STALE'])
    healthy.answers.delete(CHECKPOINT)
    const real = healthy.served.fetch
    const fake = new ServedInstance(other)
    context = {
      ...context,
      http: { ...context.http, fetch: (url, init) => (url === URLS.tsaUrl ? fake.fetch(url, init) : real(url, init)) },
    }
    await expect(complaints()).resolves.toEqual(['timestamps problem TIMESTAMP_AUTHORITY_UNKNOWN'])
  })

  it.each([
    ['2026-06-01T12:00:20Z', []],
    ['2026-06-01T12:00:40Z', ['clock warning']],
    ['2026-06-01T11:59:00Z', ['clock warning']],
    ['2026-06-01T12:05:10Z', ['clock problem CLI_MACHINE_CLOCK']],
    ['2026-06-01T11:54:00Z', ['clock problem CLI_MACHINE_CLOCK']],
  ])('minds a clock that says %s when it is noon by the authority', async (time, lines) => {
    await trust()
    context.clock.set(time)
    await expect(complaints()).resolves.toEqual(lines)
  })

  it('goes by the Date of the hosts when there is no timestamp, and says when they differ from it', async () => {
    await trust()
    healthy.date = () => 'Mon, 01 Jun 2026 11:50:00 GMT'
    await expect(complaints()).resolves.toEqual(['clocks of the services warning'])
    healthy.answers.set(URLS.tsaUrl, refused(404))
    await expect(complaints()).resolves.toEqual([
      'timestamps problem SIGN_REQUEST_REFUSED',
      'clock problem CLI_MACHINE_CLOCK',
    ])
  })

  it.each<[string, () => void, string[]]>([
    [
      'has expired',
      () => (options = { ...options, identityToken: testToken({ exp: 1 }) }),
      ['token problem CLI_TOKEN_UNFIT'],
    ],
    [
      'expires soon',
      () => (options = { ...options, identityToken: testToken({ exp: Date.parse('2026-06-01T12:01:00Z') / 1000 }) }),
      ['token warning'],
    ],
    [
      'is for another audience',
      () => (options = { ...options, identityToken: testToken({ aud: 'x' }) }),
      ['token problem CLI_TOKEN_UNFIT'],
    ],
    ['is of an issuer that the CA does not know', () => (healthy.issuers = []), ['token problem CLI_TOKEN_UNFIT']],
    [
      'is none',
      () => (options = { ...options, identityToken: 'eyJhIjoxfQ.b.c' }),
      ['token problem SIGN_TOKEN_MALFORMED'],
    ],
    ['is not there', () => (options = { instance: INSTANCE_URL }), ['token warning']],
    [
      'is not given to this job',
      () => {
        options = { instance: INSTANCE_URL }
        environment['GITHUB_ACTIONS'] = 'true'
      },
      ['token problem CLI_AMBIENT_ABSENT'],
    ],
  ])('says when the token %s', async (_what, change, lines) => {
    await trust()
    change()
    await expect(complaints()).resolves.toEqual(lines)
    expect(process.exitCode).toBe(lines[0]!.includes('problem') ? EXIT.login : 0)
  })

  it('says when a kept login is not used', async () => {
    await trust()
    options = { instance: INSTANCE_URL }
    const { keptFile } = await import('../kept-login.js')
    const file = keptFile(context, { issuer: ISSUER_URL, clientId: 'sigstore' })
    mkdirSync(join(context.home, 'logins'), { mode: 0o700 })
    writeFileSync(file, '{}', { mode: 0o644 })
    chmodSync(file, 0o644)
    const { checks } = await examine()
    expect(checks.at(-1)).toMatchObject({ check: 'token', state: 'warning', found: expect.stringContaining('0644') })
  })
})
