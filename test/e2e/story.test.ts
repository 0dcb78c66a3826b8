import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startTestStack, type Outcome, type TestStack } from '../support/touchmark.js'

const WHO = 'ada@example.com'
let stack: TestStack
let files: string[]
let who: string[]

beforeAll(async () => {
  stack = await startTestStack()
  files = Array.from({ length: 10 }, (_, i) => join(stack.folder, `file-${i}.txt`))
  files.forEach((file, i) => writeFileSync(file, `content ${i}\n`))
  const build = { buildType: 'https://example.com/build', externalParameters: {} }
  const provenance = { buildDefinition: build, runDetails: { builder: { id: 'https://example.com/builder' } } }
  writeFileSync(join(stack.folder, 'predicate.json'), JSON.stringify(provenance))
  who = ['--certificate-identity', WHO, '--certificate-oidc-issuer', stack.issuer]
}, 120_000)
afterAll(() => stack.remove(), 60_000)

function done({ code, stdout, stderr }: Outcome): { stdout: string; stderr: string } {
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.any(String) })
  return { stdout, stderr }
}
const json = <T>(outcome: Outcome): T => JSON.parse(done(outcome).stdout) as T
const tokenFile = (): string => join(stack.folder, 'token')

describe('a person and an instance, from the first use on', () => {
  it('trusts the instance, once it has been told the fingerprint', async () => {
    const { stdout } = done(await stack.touchmark('trust', 'use', stack.url))
    expect(stdout).toMatch(/fingerprint +sha256:[0-9a-f]{64}\n[^]*first use/)
    const again = json<{ fingerprint: string; first: boolean }>(
      await stack.touchmark('trust', 'use', stack.url, '--json'),
    )
    expect(again.first).toBe(false)
    expect(stdout).toContain(again.fingerprint)
  }, 30_000)

  it('gets a token from the demonstration issuer', async () => {
    const { stdout } = done(await stack.touchmark('token', '--email', WHO))
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
    writeFileSync(tokenFile(), stdout, { mode: 0o600 })
  }, 30_000)

  it('signs many files', async () => {
    const [first, ...rest] = files as [string, ...string[]]
    const { stdout, stderr } = done(await stack.touchmark('sign', first, '--identity-token', tokenFile()))
    expect(stdout).toContain(`signed ${first}\n  bundle     ${first}.sigstore.json\n  log entry  1 of ${stack.url}\n`)
    expect(stdout).toMatch(/as +ada@example.com\nvouched for by +\S+\/oidc\n$/)
    expect(stderr).toBe('')
    const all = json<{ identity: string; signed: { file: string; logIndex: string }[] }>(
      await stack.touchmark('sign', ...rest, '--identity-token', tokenFile(), '--json'),
    )
    expect(all.identity).toBe(WHO)
    expect(all.signed.map(({ file }) => file)).toEqual(rest)
    expect(new Set(all.signed.map(({ logIndex }) => logIndex)).size).toBe(9)
  }, 60_000)

  it('keeps the bundles that are there', async () => {
    const before = readFileSync(`${files[0]}.sigstore.json`, 'utf8')
    const { code, stdout } = await stack.touchmark('sign', files[0]!, '--identity-token', tokenFile())
    expect([code, stdout]).toEqual([8, ''])
    expect(readFileSync(`${files[0]}.sigstore.json`, 'utf8')).toBe(before)
  }, 30_000)

  it('verifies them', async () => {
    const { stdout } = done(await stack.touchmark('verify', ...files, ...who))
    expect(stdout.match(/^verified /gm)).toHaveLength(10)
    const result = json<{ verified: boolean; files: { checks: { check: string }[] }[] }>(
      await stack.touchmark('verify', files[0]!, ...who, '--json'),
    )
    expect(result.verified).toBe(true)
    expect(result.files[0]!.checks.length).toBeGreaterThan(10)
  }, 60_000)

  it('attests to a file, and verifies that', async () => {
    const predicate = ['--predicate', join(stack.folder, 'predicate.json'), '--type', 'slsaprovenance1']
    done(await stack.touchmark('attest', files[0]!, ...predicate, '--identity-token', tokenFile()))
    const { stdout } = done(await stack.touchmark('verify-attestation', files[0]!, ...who, '--type', 'slsaprovenance1'))
    expect(stdout).toContain('says            https://slsa.dev/provenance/v1')
    const other = await stack.touchmark('verify-attestation', files[0]!, ...who, '--type', 'openvex')
    expect([other.code, other.stdout]).toEqual([4, ''])
  }, 60_000)

  it('shows an entry of the log and proves it', async () => {
    const text = done(await stack.touchmark('log', 'show', '1')).stdout
    expect(text).toMatch(/index +1 of 12\n[^]*certificate +for ada@example.com\n[^]*proven: /)
    const shown = json<{ leafHash: string; body: { kind: string } }>(
      await stack.touchmark('log', 'show', '1', '--json'),
    )
    expect(shown.body.kind).toBe('hashedrekord')
    const bundle = `${files[0]}.sigstore.json`
    const proven = json<{ leafHash: string; rootHash: string; treeSize: string; hashes: string[] }>(
      await stack.touchmark('log', 'prove', '--bundle', bundle, '--json'),
    )
    expect(proven).toMatchObject({ leafHash: shown.leafHash, treeSize: '12' })
    expect(done(await stack.touchmark('log', 'prove', '1')).stdout).toContain(`root       ${proven.rootHash}`)
    const none = await stack.touchmark('log', 'show', '12')
    expect([none.code, none.stdout]).toEqual([3, ''])
  }, 60_000)

  it('attests an SBOM, and gives it back byte for byte', async () => {
    const sbom = join(stack.folder, 'sbom.json')
    const components = [{ type: 'library', name: 'left-pad', version: '1.3.0' }]
    const text = `${JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1.0, components }, undefined, 3)}\n`
    writeFileSync(sbom, text)
    const where = ['--bundle', `${files[0]!}.sbom.att.sigstore.json`]
    done(await stack.touchmark('attest', files[0]!, '--sbom', sbom, ...where, '--identity-token', tokenFile()))
    expect(done(await stack.touchmark('sbom', 'get', files[0]!, ...who)).stdout).toBe(text)
    expect(done(await stack.touchmark('sbom', 'show', files[0]!, ...who)).stdout).toMatch(/components +1\n/)
    const wrong = join(stack.folder, 'wrong.json')
    writeFileSync(wrong, text.replace('library', 'librarie'))
    const refused = await stack.touchmark('attest', files[1]!, '--sbom', wrong, '--identity-token', tokenFile())
    expect([refused.code, refused.stdout]).toEqual([2, ''])
    expect(refused.stderr).toContain('CLI_PREDICATE_INVALID')
    const eve = ['--certificate-identity', 'eve@example.com', ...who.slice(2)]
    const unread = await stack.touchmark('sbom', 'get', files[0]!, ...eve)
    expect([unread.code, unread.stdout]).toEqual([4, ''])
  }, 60_000)

  it('shows whom it trusts, and gives the file to other clients', async () => {
    expect(done(await stack.touchmark('trust', 'show')).stdout).toMatch(
      /^instance [^]*certificate authority\n[^]*signature log\n[^]*certificate log\n[^]*timestamp authority\n/,
    )
    expect(
      json<{ signatureLogs: object[] }>(await stack.touchmark('trust', 'show', '--json')).signatureLogs,
    ).toHaveLength(2)
    const { stdout } = done(await stack.touchmark('trust', 'show', '--raw'))
    const served = await (await fetch(`${stack.url}/trust/trusted_root.json`)).text()
    expect(JSON.parse(stdout)).toEqual(JSON.parse(served))
    writeFileSync(join(stack.folder, 'root.json'), stdout)
  }, 60_000)

  it('does not say that it worked when its output was lost', async () => {
    const bin = join(process.cwd(), 'apps', 'cli', 'bin', 'touchmark.mjs')
    const environment = { ...process.env, TOUCHMARK_HOME: join(stack.folder, 'home'), TOUCHMARK_INSTANCE: stack.url }
    const verify = [bin, 'verify', files[0]!, ...who]
    const run = (stdout: 'pipe' | number): ChildProcess =>
      spawn(process.execPath, verify, { env: environment, stdio: ['ignore', stdout, 'ignore'] })
    const exit = (child: ChildProcess): Promise<unknown> => new Promise((resolve) => child.once('exit', resolve))
    const reader = run('pipe')
    reader.stdout!.destroy()
    expect(await exit(reader)).toBe(1)
    if (!existsSync('/dev/full')) return
    expect(await exit(run(openSync('/dev/full', 'w')))).toBe(1)
  }, 30_000)
})

describe('with the stack stopped', () => {
  beforeAll(async () => {
    expect(await stack.stop()).toBe(0)
  }, 30_000)

  it('verifies with the trust that was stored', async () => {
    expect(done(await stack.touchmark('verify', ...files, ...who)).stdout.match(/^verified /gm)).toHaveLength(10)
  }, 30_000)

  it('verifies with a trusted root and nothing else', async () => {
    const stranger = stack.as('stranger', { environment: { TOUCHMARK_INSTANCE: '' } })
    const root = ['--trusted-root', join(stack.folder, 'root.json')]
    expect(done(await stranger('verify', files[0]!, ...who, ...root)).stderr).toBe('')
    done(await stranger('verify-attestation', files[0]!, ...who, ...root))
    const without = await stranger('verify', files[0]!, ...who)
    expect([without.code, without.stdout]).toEqual([5, ''])
    expect(without.stderr).toContain('CLI_NO_INSTANCE')
  }, 60_000)

  it.each<[string, (...args: string[]) => string[]]>([
    ['sign', () => ['sign', files[0]!, '--overwrite', '--identity-token', tokenFile()]],
    [
      'attest',
      () => [
        'attest',
        files[1]!,
        '--predicate',
        join(stack.folder, 'predicate.json'),
        '--type',
        'custom',
        '--identity-token',
        tokenFile(),
      ],
    ],
    ['token', () => ['token', '--email', WHO]],
    ['login', () => ['login']],
    ['log show', () => ['log', 'show', '1']],
    ['log prove', () => ['log', 'prove', '--bundle', `${files[0]}.sigstore.json`]],
    ['trust use', () => ['trust', 'use', stack.url]],
  ])(
    '%s says that the service cannot be reached, and breaks nothing',
    async (_name, args) => {
      const before = readFileSync(`${files[0]}.sigstore.json`, 'utf8')
      const { code, stdout, stderr } = await stack.touchmark(...args())
      expect([code, stdout]).toEqual([7, ''])
      expect(stderr).toContain('SIGN_SERVICE_UNREACHABLE')
      expect(readFileSync(`${files[0]}.sigstore.json`, 'utf8')).toBe(before)
    },
    60_000,
  )

  it('refuses a first use that it cannot make', async () => {
    rmSync(join(stack.folder, 'home'), { recursive: true })
    const { code, stdout } = await stack.touchmark('verify', files[0]!, ...who)
    expect([code, stdout]).toEqual([7, ''])
  }, 30_000)
})
