import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleFromJSON } from '@sigstore/bundle'
import { TrustedRoot } from '@sigstore/protobuf-specs'
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify'
import { cases, describeSuite, suiteCase } from './support/suite.js'
import { startTestStack, type TestStack } from '../support/touchmark.js'

const CLIENT = join(import.meta.dirname, 'client')
/** As many clients at once as keep two cores busy. */
const AT_ONCE = 4

interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the executable itself, as a conformance runner does. */
const client = (...args: string[]): Promise<Outcome> => clientIn(process.cwd(), ...args)

function clientIn(cwd: string, ...args: string[]): Promise<Outcome> {
  const environment: NodeJS.ProcessEnv = { ...process.env }
  for (const name of ['NODE_OPTIONS', 'TOUCHMARK_CONFORMANCE_ROOT', 'TOUCHMARK_CONFORMANCE_STAGING_ROOT'])
    delete environment[name]
  return new Promise((resolve, reject) => {
    const child = spawn(CLIENT, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], env: environment })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
}

const sha256 = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

function verifyCase(name: string, by: 'path' | 'digest'): Promise<Outcome> {
  const { artifact, bundle, trustedRoot, signer } = suiteCase(name)
  const who =
    'key' in signer
      ? ['--key', signer.key]
      : ['--certificate-identity', signer.identity, '--certificate-oidc-issuer', signer.issuer]
  const what = by === 'path' ? artifact : sha256(readFileSync(artifact))
  return client('verify-bundle', '--bundle', bundle, ...who, '--trusted-root', trustedRoot, what)
}

/** Does the work for each item, several at once, and gives the results in order. */
async function mapAtOnce<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const at = next++
      results[at] = await work(items[at]!)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return results
}

describeSuite('sigstore-conformance through its CLI protocol', () => {
  const runs = cases.flatMap((name) => (['path', 'digest'] as const).map((by) => ({ name, by })))

  it('is right about every folder, by path and by digest', async () => {
    const outcomes = await mapAtOnce(runs, ({ name, by }) => verifyCase(name, by))
    const wrong = runs.flatMap(({ name, by }, i) => {
      const { code, stdout, stderr } = outcomes[i]!
      const right = name.endsWith('_fail')
        ? // Refused for a reason of ours: a usage error or a crash is no verdict.
          code === 1 && /^refused: [A-Z0-9_]+: /.test(stderr)
        : code === 0 && stderr === ''
      return right && stdout === '' ? [] : [`${name} by ${by}: ${code} ${stderr}`]
    })
    expect(wrong).toEqual([])
    expect(runs).toHaveLength(140)
    console.log(`sigstore-conformance client: ${runs.length - wrong.length} of ${runs.length} cases right`)
  }, 240_000)
})

describe('the command line of the protocol', () => {
  const identity = [
    '--certificate-identity',
    'a@example.com',
    '--certificate-oidc-issuer',
    'https://issuer.example.com',
  ]

  it.each([
    ['no command', [], 'there is no command'],
    ['another command', ['verify'], 'there is no command verify'],
    ['a name that every object has', ['toString'], 'there is no command toString'],
    ['no root', ['verify-bundle', '--bundle', 'b', ...identity, 'a'], "the root of Sigstore's public-good instance"],
    ['no root', ['verify-bundle', '--staging', '--bundle', 'b', ...identity, 'a'], "Sigstore's staging instance"],
    ['no bundle', ['verify-bundle', ...identity, '--trusted-root', 'r', 'a'], 'needs --bundle'],
    ['no identity', ['verify-bundle', '--bundle', 'b', '--trusted-root', 'r', 'a'], 'needs --certificate-identity'],
    [
      'an identity and a key',
      ['verify-bundle', '--bundle', 'b', ...identity, '--key', 'k', '--trusted-root', 'r', 'a'],
      'a key has no identity',
    ],
    ['no artifact', ['verify-bundle', '--bundle', 'b', ...identity, '--trusted-root', 'r'], 'takes one artifact'],
    [
      'no signing config',
      ['sign-bundle', '--identity-token', 't', '--bundle', 'b', '--trusted-root', 'r', 'a'],
      'pass --signing-config',
    ],
  ])(
    'refuses %s with 2 and says what is missing',
    async (_what, args, said) => {
      const { code, stderr } = await client(...args)
      expect(stderr).toContain(said)
      expect(code).toBe(2)
    },
    30_000,
  )
})

describe('what is a digest', () => {
  const own = join(import.meta.dirname, '../vectors/own')
  const digest = sha256(readFileSync(join(own, 'a.txt')))
  const { identity, issuer } = JSON.parse(readFileSync(join(own, 'signer.json'), 'utf8')) as Record<string, string>
  const folder = mkdtempSync(join(tmpdir(), 'touchmark-digest-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const verify = (artifact: string): Promise<Outcome> =>
    clientIn(
      folder,
      'verify-bundle',
      '--bundle',
      join(own, 'p256.blob.sigstore.json'),
      '--certificate-identity',
      identity!,
      '--certificate-oidc-issuer',
      issuer!,
      '--trusted-root',
      join(own, 'trusted_root.json'),
      artifact,
    )

  it('is the prefix and 64 digits', async () => {
    expect(await verify(digest)).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(await verify(digest.toUpperCase().replace('SHA256', 'sha256'))).toMatchObject({ code: 0 })
  }, 30_000)

  it.each([digest.slice(0, -2), digest.slice(7), digest.replace('sha256', 'sha512')])(
    'is not %s, which is a path',
    async (named) => {
      const { code, stderr } = await verify(named)
      expect(stderr).toMatch(/^refused: FILE_ENOENT: /)
      expect(code).toBe(1)
    },
    30_000,
  )

  it('is not the name of a file', async () => {
    writeFileSync(join(folder, digest), 'another artifact\n')
    const { code, stderr } = await verify(digest)
    expect(stderr).toMatch(/^refused: VERIFY_ARTIFACT_CHANGED: /)
    expect(code).toBe(1)
  }, 30_000)
})

describe('signing at an instance', () => {
  let stack: TestStack
  let folder: string
  let token: string
  let places: string[]
  const WHO = 'ada@example.com'

  beforeAll(async () => {
    stack = await startTestStack()
    folder = mkdtempSync(join(tmpdir(), 'touchmark-conformance-'))
    token = (await stack.touchmark('token', '--email', WHO)).stdout.trim()
    for (const name of ['trusted_root.json', 'signing_config.v0.2.json'])
      writeFileSync(join(folder, name), await (await fetch(`${stack.url}/trust/${name}`)).text())
    places = ['--trusted-root', join(folder, 'trusted_root.json')]
    writeFileSync(join(folder, 'a.txt'), 'an artifact\n')
    const subject = [{ name: 'a.txt', digest: { sha256: sha256(readFileSync(join(folder, 'a.txt'))).slice(7) } }]
    writeFileSync(
      join(folder, 'statement.json'),
      JSON.stringify({
        _type: 'https://in-toto.io/Statement/v1',
        subject,
        predicateType: 'https://example.com/predicate/v1',
        predicate: {},
      }),
    )
  }, 120_000)
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true })
    await stack.remove()
  }, 60_000)

  const sign = (bundle: string, artifact: string, ...more: string[]): Promise<Outcome> =>
    client(
      'sign-bundle',
      ...more,
      '--identity-token',
      token,
      '--bundle',
      bundle,
      ...places,
      '--signing-config',
      join(folder, 'signing_config.v0.2.json'),
      artifact,
    )

  it.each([
    ['a file', [], 'a.txt', 'messageSignature'],
    ['an in-toto statement', ['--in-toto'], 'statement.json', 'dsseEnvelope'],
  ])(
    'makes a bundle of %s that this client verifies, and sigstore-js as far as it can',
    async (_what, more, signed, content) => {
      const bundle = join(folder, `${signed}.sigstore.json`)
      expect(await sign(bundle, join(folder, signed), ...more)).toEqual({ code: 0, stdout: '', stderr: '' })
      const written = JSON.parse(readFileSync(bundle, 'utf8')) as Record<string, unknown>
      expect(Object.keys(written)).toEqual(['mediaType', 'verificationMaterial', content])
      if (content === 'dsseEnvelope') {
        const { payload } = written[content] as { payload: string }
        expect(Buffer.from(payload, 'base64').equals(readFileSync(join(folder, signed)))).toBe(true)
      }
      const artifact = readFileSync(join(folder, 'a.txt'))
      for (const named of [join(folder, 'a.txt'), sha256(artifact)])
        for (const [who, verdict] of [
          [WHO, 0],
          ['eve@example.com', 1],
        ] as const) {
          const outcome = await client(
            'verify-bundle',
            '--bundle',
            bundle,
            '--certificate-identity',
            who,
            '--certificate-oidc-issuer',
            stack.issuer,
            ...places,
            named,
          )
          expect(outcome).toMatchObject({ code: verdict, stdout: '' })
        }
      const root = TrustedRoot.fromJSON(JSON.parse(readFileSync(places[1]!, 'utf8')))
      const judge = new Verifier(toTrustMaterial(root))
      const entity = toSignedEntity(bundleFromJSON(written), artifact)
      // The sigstore-js of this major version compares a hashedrekord 0.0.2 entry of an envelope with the hash of its payload.
      const policy = { subjectAlternativeName: WHO, extensions: { issuer: stack.issuer } }
      if (content === 'messageSignature') judge.verify(entity, policy)
      else expect(() => judge.verify(entity, policy)).toThrow('digest mismatch')
    },
    60_000,
  )

  it('writes nothing when the token is refused', async () => {
    const bundle = join(folder, 'refused.json')
    const [head, claims] = token.split('.')
    const forged = [head, claims, 'AAAA'].join('.')
    const good = token
    token = forged
    const { code, stderr } = await sign(bundle, join(folder, 'a.txt'))
    token = good
    expect(code).toBe(1)
    expect(stderr).toMatch(/^refused: SIGN_/)
    expect(stderr).not.toContain(claims)
    expect(existsSync(bundle)).toBe(false)
  }, 30_000)

  it('signs no file as a statement', async () => {
    const bundle = join(folder, 'no-statement.json')
    const { code, stderr } = await sign(bundle, join(folder, 'a.txt'), '--in-toto')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^refused: BUNDLE_STATEMENT_INVALID/)
    expect(existsSync(bundle)).toBe(false)
  }, 30_000)
})
