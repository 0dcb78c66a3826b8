import { spawn, type ChildProcess } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'

const BIN = join(process.cwd(), 'apps', 'cli', 'bin', 'touchmark.mjs')
const START_PATIENCE_MS = 90_000

export interface StackProcess {
  readonly url: string
  readonly port: number
  readonly child: ChildProcess
  readonly stdout: () => string
  readonly stderr: () => string
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

/** `touchmark up` as a process of its own. Rejects with what it printed when it ends before it serves. */
export async function startStack(options: {
  port: number
  data: string
  args?: readonly string[]
  environment?: NodeJS.ProcessEnv
  /** As root: the user and group to run as. */
  user?: number
}): Promise<StackProcess> {
  const args = [BIN, 'up', '--port', String(options.port), '--data', options.data, ...(options.args ?? [])]
  const environment: NodeJS.ProcessEnv = { ...process.env, ...options.environment }
  delete environment['NODE_OPTIONS']
  const user = options.user === undefined ? {} : { uid: options.user, gid: options.user }
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env: environment, ...user })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (err = (err + chunk.toString()).slice(-20_000)))
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve))
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`not ready within ${START_PATIENCE_MS / 1000} s: ${err}`))
    }, START_PATIENCE_MS)
    child.stdout.on('data', () => {
      if (!/^ready /m.test(out)) return
      clearTimeout(timer)
      resolve()
    })
    void exit.then((code) => {
      clearTimeout(timer)
      reject(Object.assign(new Error(`ended with ${code}: ${err}`), { exitCode: code, stderr: err }))
    })
  })
  return {
    url: `http://localhost:${options.port}`,
    port: options.port,
    child,
    stdout: () => out,
    stderr: () => err,
    stop: () => {
      child.kill('SIGTERM')
      return exit
    },
    kill: async () => {
      child.kill('SIGKILL')
      await exit
    },
  }
}
