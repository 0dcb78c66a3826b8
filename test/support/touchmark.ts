import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeEmbeddedPostgres } from '@touchmark/postgres'
import { freePort, startStack, type StackProcess } from './stack.js'

const BIN = join(process.cwd(), 'apps', 'cli', 'bin', 'touchmark.mjs')
const PATIENCE_MS = 60_000

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly environment?: NodeJS.ProcessEnv
  /** Sees everything printed so far, each time there is more. */
  readonly onText?: (text: string) => void
}

/** Runs one `touchmark` command as a process of its own, to its end. */
export function runTouchmark(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const environment: NodeJS.ProcessEnv = { ...process.env, ...options.environment }
  for (const name of ['NODE_OPTIONS', 'SIGSTORE_ID_TOKEN', 'TOUCHMARK_ROOT_FINGERPRINT']) delete environment[name]
  // A test that runs on a CI system is not to sign as that system's job.
  const ofSystem =
    /^(GITHUB_ACTIONS|GITLAB_CI|BUILDKITE|CIRCLECI|ACTIONS_ID_TOKEN_\w+|\w+_TOKEN_FILE|GCE_METADATA_HOST)$/
  for (const name of Object.keys(environment))
    if (ofSystem.test(name) && options.environment?.[name] === undefined) delete environment[name]
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BIN, ...args], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString()
      options.onText?.(stdout + stderr)
    })
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
      options.onText?.(stdout + stderr)
    })
    child.once('error', reject)
    child.once('close', (code) => {
      clearTimeout(timer)
      resolve({ code, stdout, stderr })
    })
  })
}

/** A stack of its own with a folder beside it, and commands that use it. */
export interface TestStack {
  readonly url: string
  readonly issuer: string
  readonly folder: string
  touchmark(...args: string[]): Promise<Outcome>
  /** The same, with its own trust and logins. */
  as(home: string, options?: RunOptions): (...args: string[]) => Promise<Outcome>
  stop(): Promise<number | null>
  /** Stops what runs and removes everything. */
  remove(): Promise<void>
}

/** `publicUrl`: where clients reach it, if a proxy stands before its port. */
export async function startTestStack(options: { port?: number; publicUrl?: string } = {}): Promise<TestStack> {
  const folder = await mkdtemp(join(tmpdir(), 'touchmark-e2e-'))
  const data = join(folder, 'data')
  const args = options.publicUrl === undefined ? [] : ['--public-url', options.publicUrl]
  let stack: StackProcess | undefined = await startStack({ port: options.port ?? (await freePort()), data, args })
  const url = options.publicUrl ?? stack.url
  const as =
    (home: string, options: RunOptions = {}) =>
    (...args: string[]): Promise<Outcome> =>
      runTouchmark(args, {
        ...options,
        environment: { TOUCHMARK_HOME: join(folder, home), TOUCHMARK_INSTANCE: url, ...options.environment },
      })
  const stop = async (): Promise<number | null> => {
    const running = stack
    stack = undefined
    return running === undefined ? null : running.stop()
  }
  return {
    url,
    issuer: `${url}/oidc`,
    folder,
    touchmark: as('home'),
    as,
    stop,
    remove: async () => {
      await stop()
      await removeEmbeddedPostgres(join(data, 'postgres'))
      await rm(folder, { recursive: true, force: true })
    },
  }
}
