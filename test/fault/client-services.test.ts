import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { cryptoProvider, X509CertificateGenerator } from '@peculiar/x509'
import { parseBundle } from '@touchmark/bundle'
import { nodeCrypto } from '@touchmark/crypto/node'
import { parseTrustedRoot, type TrustedRoot } from '@touchmark/trust'
import { verifyBundle } from '@touchmark/verify'
import { browse } from '../interop/fake-browser.mjs'
import { freePort } from '../support/stack.js'
import { startTestStack, type Outcome, type TestStack } from '../support/touchmark.js'
import { everyCase, SERVICE_TEXT, someCases, type ClientCase } from './support/client-cases.js'
import { FaultProxy, type ServiceName } from './support/fault-proxy.mjs'

/** `npm run test:fault`: every fault at every service. */
const LONG = Number(process.env['TOUCHMARK_FAULT_MINUTES'] ?? 0) > 0
const CASES = LONG ? everyCase() : someCases()
const AT_ONCE = 5
interface Result {
  readonly outcome: Outcome
  /** Requests to the service until the command ended. */
  readonly asked: number
  readonly leftBehind: string[]
  /** The same command with --resume, when the service is well again; undefined where the first one went well. */
  readonly resumed: Outcome | undefined
}

let stack: TestStack
let port: number
/** The instance's public address: an identity provider has one name, so what fails at a login fails here, one case after another. */
let front: FaultProxy
let token: string
let trust: TrustedRoot
const results = new Map<string, Result>()

/** A folder of its own, a proxy of its own, and commands that go through it. */
class Client {
  readonly folder: string
  readonly proxy: FaultProxy
  home = '.home'

  private constructor(folder: string, proxy: FaultProxy) {
    this.folder = folder
    this.proxy = proxy
  }

  static async create(): Promise<Client> {
    return new Client(await folder(), await FaultProxy.start(`http://localhost:${port}`, front.url))
  }

  static async atTheFront(): Promise<Client> {
    front.heal()
    return new Client(await folder(), front)
  }

  file(name: string): string {
    const path = join(this.folder, name)
    writeFileSync(path, `${path}\n`)
    return path
  }

  run(...args: string[]): Promise<Outcome> {
    const environment = {
      TOUCHMARK_INSTANCE: this.proxy.url,
      TOUCHMARK_TIMEOUT: '1',
      TOUCHMARK_BROWSER: 'none',
      TOUCHMARK_HOME: join(this.folder, this.home),
    }
    let visit: Promise<unknown> | undefined
    const onText = (text: string): void => {
      const page = /(http:\/\/localhost:\d+\/oidc\/auth\?\S+)/.exec(text)?.[1]
      if (page !== undefined) visit ??= browse(page).catch(() => undefined)
    }
    return stack.as('unused', { environment, onText })(...args)
  }

  files(): string[] {
    return readdirSync(this.folder).filter((name) => name !== '.home')
  }

  async close(): Promise<void> {
    if (this.proxy === front) front.heal()
    else await this.proxy.close()
  }
}

const folder = (): Promise<string> => mkdtemp(join(stack.folder, 'client-'))
const ofLogin = (service: ServiceName): boolean => service === 'token' || service === 'discovery'
const clientFor = (service: ServiceName): Promise<Client> => (ofLogin(service) ? Client.atTheFront() : Client.create())
const login = (service: ServiceName): string[] => (ofLogin(service) ? [] : ['--identity-token', token])

/** Throws unless the bundle beside the file is whole and verifies. */
function verified(file: string): void {
  const bundle = parseBundle(readFileSync(`${file}.sigstore.json`))
  const artifact = { bytes: readFileSync(file) }
  const policy = { identities: [{ subject: { pattern: '(ada|dev)@example\\.com' }, issuer: stack.issuer }] }
  verifyBundle({ bundle, artifact, trust, policy, crypto: nodeCrypto })
}

async function play({ service, fault }: ClientCase): Promise<Result> {
  const client = await clientFor(service)
  try {
    const before = client.proxy.asked(service)
    const file = client.file('artifact')
    client.proxy.fault(service, { ...fault })
    const outcome = await client.run('sign', file, ...login(service))
    const asked = client.proxy.asked(service) - before
    const leftBehind = client.files()
    client.proxy.heal()
    const again = ['sign', file, '--resume', '--identity-token', token]
    const resumed = outcome.code === 0 ? undefined : await client.run(...again)
    verified(file)
    return { outcome, asked, leftBehind, resumed }
  } finally {
    await client.close()
  }
}

beforeAll(async () => {
  port = await freePort()
  front = await FaultProxy.start(`http://localhost:${port}`)
  stack = await startTestStack({ port, publicUrl: front.url })
  token = (await stack.touchmark('token', '--email', 'ada@example.com')).stdout.trim()
  trust = parseTrustedRoot(Buffer.from((await stack.touchmark('trust', 'show', '--raw')).stdout))
  const worker = async (queue: ClientCase[]): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) results.set(next.name, await play(next))
  }
  const others = CASES.filter(({ service }) => !ofLogin(service))
  const logins = CASES.filter(({ service }) => ofLogin(service))
  await Promise.all([worker(logins), ...Array.from({ length: AT_ONCE - 1 }, () => worker(others))])
}, 600_000)
afterAll(async () => {
  await stack.remove()
  await front.close()
}, 60_000)

describe('F13: when a service fails', () => {
  it.each(CASES.filter(({ exit }) => exit !== 0))('$name: $code', ({ name, service, exit, code, asked }) => {
    const { outcome, asked: found, leftBehind, resumed } = results.get(name)!
    expect([outcome.code, outcome.stdout]).toEqual([exit, ''])
    expect(outcome.stderr).toMatch(new RegExp(`^touchmark: .*\\n(  .*\\n)*  do +\\S.*\\n  code +${code}\\n`, 'm'))
    if (exit === 7) expect(outcome.stderr).toMatch(SERVICE_TEXT[service])
    expect(leftBehind).toEqual(['artifact'])
    expect(found).toBe(asked)
    expect(resumed).toMatchObject({ code: 0 })
  })

  it.each(CASES.filter(({ exit }) => exit === 0))(
    '$name: it is asked again, and the file is signed',
    ({ name, asked }) => {
      const { outcome, asked: found, leftBehind } = results.get(name)!
      expect([outcome.code, outcome.code === 0 ? '' : outcome.stderr, found]).toEqual([0, '', asked])
      expect(leftBehind.sort()).toEqual(['artifact', 'artifact.sigstore.json'])
    },
  )
})

describe('F13', () => {
  let client: Client
  const through = async (work: () => Promise<void>, made: Promise<Client> = Client.create()): Promise<void> => {
    client = await made
    try {
      await work()
    } finally {
      await client.close()
    }
  }

  it(
    'gives a busy service the pause that it asks for',
    () =>
      through(async () => {
        client.proxy.fault('log', { kind: 'status', status: 429, headers: { 'retry-after': '2' }, times: 1 })
        expect(await client.run('sign', client.file('artifact'), ...login('log'))).toMatchObject({ code: 0 })
        // Timers of Node.js may be a millisecond early.
        expect(client.proxy.gapMs('log')).toBeGreaterThanOrEqual(1_990)
      }),
    30_000,
  )

  it(
    'ends within its bound when every service takes requests and never answers',
    () =>
      through(async () => {
        const file = client.file('artifact')
        await client.run('trust', 'use', client.proxy.url)
        for (const service of ['trust', 'ca', 'log', 'tsa'] as const) client.proxy.fault(service, { kind: 'hang' })
        const outcome = await client.run('sign', file, ...login('ca'))
        expect(outcome).toMatchObject({ code: 7, stdout: '', stderr: expect.stringContaining('certificate authority') })
        expect([client.proxy.asked('ca'), client.files()]).toEqual([3, ['artifact']])
      }),
    30_000,
  )

  it(
    'signs on with the stored root when the instance does not say what it is now',
    () =>
      through(async () => {
        await client.run('trust', 'use', client.proxy.url)
        client.proxy.fault('trust', { kind: 'status', status: 503 })
        expect(await client.run('sign', client.file('artifact'), ...login('ca'))).toMatchObject({ code: 0 })
      }),
    30_000,
  )

  it.each(['ca', 'log', 'tsa', 'discovery'] as const)(
    'believes no certificate of nobody: %s',
    (service) =>
      through(async () => {
        const file = client.file('artifact')
        const { key, certificate } = await certificateOfNobody()
        client.proxy.move(service, await client.proxy.tls(key, certificate))
        const outcome = await client.run('sign', file, ...login(service))
        expect(outcome).toMatchObject({ code: 7, stdout: '', stderr: expect.stringContaining('NODE_EXTRA_CA_CERTS') })
        expect(outcome.stderr).toMatch(SERVICE_TEXT[service])
        expect([client.proxy.asked(service), client.files()]).toEqual([0, ['artifact']])
      }),
    30_000,
  )

  it(
    'believes no certificate of nobody: the instance itself',
    () =>
      through(async () => {
        const { key, certificate } = await certificateOfNobody()
        const url = await client.proxy.tls(key, certificate)
        const outcome = await client.run('sign', client.file('artifact'), '--instance', url, ...login('ca'))
        expect(outcome).toMatchObject({ code: 7, stdout: '', stderr: expect.stringContaining('NODE_EXTRA_CA_CERTS') })
        expect([client.proxy.asked('trust'), client.files()]).toEqual([0, ['artifact']])
      }),
    30_000,
  )

  it.each([
    ['ca', 7, 'SIGN_SERVICE_ANSWER', 'for another key'],
    ['log', 3, 'CLI_SIGNATURE_UNVERIFIED', 'VERIFY_ENTRY'],
    ['tsa', 7, 'SIGN_SERVICE_ANSWER', 'over other bytes'],
    ['token', 6, 'CLI_LOGIN_NONCE', 'another login'],
  ] as const)(
    'takes no answer to another request: %s',
    (service, exit, code, said) =>
      through(async () => {
        const first = await client.run('sign', client.file('first'), ...login(service))
        expect(first).toMatchObject({ code: 0 })
        client.proxy.fault(service, { kind: 'replay', answer: client.proxy.answers.get(service)! })
        const file = client.file('second')
        // Nothing is kept from the first login.
        client.home = join('.home', 'other')
        const outcome = await client.run('sign', file, ...login(service))
        expect([outcome.code, outcome.stdout]).toEqual([exit, ''])
        expect(outcome.stderr).toContain(code)
        expect(outcome.stderr).toContain(said)
        expect(client.files().sort()).toEqual(['first', 'first.sigstore.json', 'second'])
      }, clientFor(service)),
    30_000,
  )

  it(
    'keeps the bundles that were made before the log failed, and --resume makes the others',
    () =>
      through(async () => {
        const files = Array.from({ length: 12 }, (_one, at) => client.file(`file-${at}`))
        client.proxy.fault('log', { kind: 'status', status: 502, after: 5 })
        const outcome = await client.run('sign', ...files, ...login('log'))
        expect([outcome.code, outcome.stdout]).toEqual([7, ''])
        const made = files.filter((file) =>
          client.files().includes(`${file.slice(client.folder.length + 1)}.sigstore.json`),
        )
        expect(made).toHaveLength(5)
        expect(client.files()).toHaveLength(17)
        expect(outcome.stderr).toContain('Bundles of 5 files are there already; --resume goes on with the rest.')
        made.forEach(verified)
        const stamps = made.map((file) => statSync(`${file}.sigstore.json`).mtimeMs)
        client.proxy.heal()
        const entries = client.proxy.asked('log')
        expect(await client.run('sign', ...files, '--resume', ...login('log'))).toMatchObject({ code: 0 })
        expect(client.proxy.asked('log') - entries).toBe(7)
        files.forEach(verified)
        expect(made.map((file) => statSync(`${file}.sigstore.json`).mtimeMs)).toEqual(stamps)
      }),
    60_000,
  )
})

async function certificateOfNobody(): Promise<{ key: string; certificate: string }> {
  cryptoProvider.set(globalThis.crypto as never)
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=localhost',
    keys,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
  })
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  return {
    key: `-----BEGIN PRIVATE KEY-----\n${der.replace(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`,
    certificate: certificate.toString('pem'),
  }
}
