import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runTouchmark, startTouchmark, type Outcome } from './processes.js'

/** `npm run demo`: the whole story in a temporary folder, through the same commands that a person would type. */

const WHO = 'ada@example.com'
const OTHER = 'mallory@example.com'

/** Prints one aligned line a step, with its time. */
async function step<T>(title: string, work: () => Promise<T>, said: (value: T) => string): Promise<T> {
  const started = performance.now()
  const value = await work()
  const seconds = ((performance.now() - started) / 1000).toFixed(2)
  console.log(`  ${title.padEnd(32)} ${seconds.padStart(6)} s   ${said(value)}`)
  return value
}

function expectSuccess(outcome: Outcome): Outcome {
  if (outcome.code !== 0)
    throw new Error(`a command failed (exit ${outcome.code}): ${outcome.stderr || outcome.stdout}`)
  return outcome
}

function expectRefusal(outcome: Outcome, code: string): { code: string; message: string } {
  const { files } = JSON.parse(outcome.stdout) as { files: { error?: { code: string; message: string } }[] }
  const error = files[0]?.error
  if (outcome.code === 0 || error?.code !== code)
    throw new Error(`a refusal with ${code} was wanted: exit ${outcome.code}, ${outcome.stdout}`)
  return error
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function story(folder: string): Promise<void> {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const environment = { TOUCHMARK_HOME: join(folder, 'home'), TOUCHMARK_INSTANCE: url }
  const touchmark = (...args: string[]): Promise<Outcome> => runTouchmark(args, environment)
  const file = join(folder, 'hello.txt')
  const issuer = `${url}/oidc`
  const as = (who: string): string[] => ['--certificate-identity', who, '--certificate-oidc-issuer', issuer, '--json']

  const stack = await step(
    'start the stack',
    () => startTouchmark(['up', '--port', String(port), '--data', join(folder, 'data')]),
    () => `CA, log, timestamps and issuer at ${url}`,
  )
  try {
    await step(
      'trust this instance',
      async () => expectSuccess(await touchmark('trust', 'use', url, '--json')),
      ({ stdout }) => (JSON.parse(stdout) as { fingerprint: string }).fingerprint,
    )
    const { stdout: token } = await step(
      'log in (code flow with PKCE)',
      async () => expectSuccess(await touchmark('token', '--email', WHO)),
      () => `as ${WHO}, demonstration issuer`,
    )
    await writeFile(file, 'Hello, Touchmark.\n')
    await writeFile(join(folder, 'token'), token.trim(), { mode: 0o600 })
    const signing = await step(
      'sign hello.txt',
      async () => expectSuccess(await touchmark('sign', file, '--identity-token', join(folder, 'token'), '--json')),
      () => 'certificate, signature, log entry, timestamp; verified before it was written',
    )
    const { signed } = JSON.parse(signing.stdout) as { signed: { logIndex: string }[] }
    await step(
      'verify hello.txt (offline)',
      async () => expectSuccess(await touchmark('verify', file, ...as(WHO))),
      ({ stdout }) =>
        `${(JSON.parse(stdout) as { files: { checks: unknown[] }[] }).files[0]!.checks.length} checks passed, signed by ${WHO}`,
    )
    const index = signed[0]!.logIndex
    await step(
      `show log entry ${index}`,
      async () => expectSuccess(await touchmark('log', 'show', index, '--json')),
      ({ stdout }) =>
        `${(JSON.parse(stdout) as { body: { kind: string } }).body.kind}, leaf ${(JSON.parse(stdout) as { leafHash: string }).leafHash.slice(0, 16)}…`,
    )
    await step(
      'prove it is in the log',
      async () => expectSuccess(await touchmark('log', 'prove', '--bundle', `${file}.sigstore.json`, '--json')),
      ({ stdout }) => {
        const { hashes, rootHash, treeSize } = JSON.parse(stdout) as {
          hashes: string[]
          rootHash: string
          treeSize: string
        }
        return `${hashes.length} ${hashes.length === 1 ? 'hash leads' : 'hashes lead'} to the signed root ${rootHash.slice(0, 16)}… of ${treeSize} entries`
      },
    )
    const original = await readFile(file)
    await writeFile(file, 'Hello, Touchmark!\n')
    await step(
      'a changed file is refused',
      async () => expectRefusal(await touchmark('verify', file, ...as(WHO)), 'VERIFY_ARTIFACT_CHANGED'),
      ({ code }) => code,
    )
    await writeFile(file, original)
    await step(
      'a foreign identity is refused',
      async () => expectRefusal(await touchmark('verify', file, ...as(OTHER)), 'POLICY_IDENTITY_MISMATCH'),
      ({ code }) => code,
    )
  } finally {
    await step(
      'stop the stack',
      () => stack.stop(),
      (code) => `exit ${code}`,
    )
  }
}

const started = performance.now()
const folder = await mkdtemp(join(tmpdir(), 'touchmark-demo-'))
console.log('Touchmark demo: keyless signing on your own machine\n')
try {
  await story(folder)
  console.log(
    `\nAll of it took ${((performance.now() - started) / 1000).toFixed(1)} s. To keep a stack running: npm start`,
  )
} catch (error) {
  console.error(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
} finally {
  const { removeEmbeddedPostgres } = await import('@touchmark/app-standalone')
  await removeEmbeddedPostgres(join(folder, 'data', 'postgres'))
  await rm(folder, { recursive: true, force: true })
}
