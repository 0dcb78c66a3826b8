import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const TOUCHMARK = fileURLToPath(new URL('../../bin/touchmark.mjs', import.meta.url))
const START_PATIENCE_MS = 120_000

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunningStack {
  /** Asks it to stop and resolves with its exit code. */
  stop(): Promise<number>
}

/** Runs one touchmark command to its end. */
export async function runTouchmark(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Outcome> {
  const child = spawn(process.execPath, [TOUCHMARK, ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr, code] = await Promise.all([collect(child.stdout), collect(child.stderr), exitOf(child)])
  return { code, stdout, stderr }
}

/** Starts `touchmark up` and resolves when it serves. */
export async function startTouchmark(args: readonly string[]): Promise<RunningStack> {
  const child = spawn(process.execPath, [TOUCHMARK, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const exit = exitOf(child)
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4000)))
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`the stack was not ready within ${START_PATIENCE_MS / 1000} s`)),
      START_PATIENCE_MS,
    )
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (/^ready /m.test(text)) resolve()
    })
    void exit.then((code) => reject(new Error(`the stack ended with ${code}: ${said}`)))
    void exit.finally(() => clearTimeout(timer))
  })
  return {
    stop: () => {
      child.kill('SIGTERM')
      return exit
    },
  }
}

async function collect(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(code ?? (signal === null ? 1 : 128)))
  })
}
