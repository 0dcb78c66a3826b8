import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { open, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { PostgresError } from '../errors.js'
import type { Binaries } from './binaries.js'
import type { Claim, Sharing } from './claim.js'
import { ForeignServer, takeClaim } from './claim.js'
import type { Passwords, Place } from './cluster.js'
import { argumentsOf, isRunning, isServerOf, readPidFile } from './postmaster.js'
import type { PidFile } from './postmaster.js'
import { SERVER_ENVIRONMENT, serverArguments } from './settings.js'

/** What bringUp() needs to know; the same for a first start and for a later one. */
export interface ServerPlan {
  place: Place
  binaries: Binaries
  passwords: Passwords
  settings: Readonly<Record<string, string>>
  sharing: Sharing
  startTimeoutMs: number
  log: (line: string) => void
}

export interface RunningServer {
  pid: number
  port: number
  claim: Claim
  /** False when it was running already. */
  started: boolean
}

const LOG_LIMIT_BYTES = 5_000_000
/** A server that says it is ready and lets nobody in for this long is started anew. */
const DEAF_AFTER_MS = 5_000

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** The superuser's URL of a server. */
export function adminUrl(passwords: Passwords, port: number): string {
  return `postgresql://postgres:${passwords.superuser}@127.0.0.1:${port}/postgres?sslmode=disable`
}

/**
 * Makes a server run on the data folder and claims it: adopts the one that runs, or starts one. Whatever a killed
 * process (ours, or the server's own) left is dealt with here, by the code that runs at every start.
 */
export async function bringUp(plan: ServerPlan, fixedPort?: number): Promise<RunningServer> {
  const { dataFolder } = plan.place
  const until = performance.now() + plan.startTimeoutMs
  let port = fixedPort ?? (await freePort())
  let readySince: number | undefined
  while (performance.now() < until) {
    const found = await readPidFile(dataFolder)
    if (found && (await isServerOf(found.pid, dataFolder))) {
      const claim = await adopt(plan, found)
      if (claim) return { pid: found.pid, port: found.port!, claim, started: false }
      readySince = found.status === 'ready' ? (readySince ?? performance.now()) : undefined
      if (readySince !== undefined && performance.now() - readySince > DEAF_AFTER_MS)
        await stopServer(found.pid, dataFolder)
      await sleep(20)
      continue
    }
    const ended = await launch(plan, port, until)
    if (typeof ended === 'number') {
      const claim = await claimFresh(plan, port)
      if (claim) return { pid: ended, port, claim, started: true }
      continue
    }
    if (/lock file "postmaster.pid" already exists/.test(ended)) await disarm(dataFolder, found)
    else if (/could not create any TCP\/IP sockets/.test(ended)) port = fixedPort ?? (await freePort())
    // The workers of a server that was killed go on for a moment; two servers must never write to one folder.
    else if (!/pre-existing shared memory block/.test(ended)) throw startFailure(plan, ended)
    await sleep(50)
  }
  throw tooSlow(plan)
}

function tooSlow(plan: ServerPlan): PostgresError {
  return new PostgresError('POSTGRES_START_FAILED', `PostgreSQL did not get ready in ${plan.startTimeoutMs} ms`, {
    hint: `read ${join(plan.place.path, 'server.log')}; it may still be starting, and is then adopted by the next start`,
  })
}

/** Claims a server that runs already; undefined when it is not ready, deaf, ending, or was stopped to be started anew. */
async function adopt(plan: ServerPlan, found: PidFile): Promise<Claim | undefined> {
  const { dataFolder } = plan.place
  if (found.port === undefined || (found.status !== 'ready' && found.status !== 'standby')) return undefined
  const claim = await claimFresh(plan, found.port)
  if (!claim) return undefined
  const current = await argumentsOf(found.pid)
  const wanted = [plan.binaries.postgres, ...serverArguments(dataFolder, found.port, plan.settings)]
  const same = current === undefined || JSON.stringify(current) === JSON.stringify(wanted)
  if (same || plan.sharing === 'shared') {
    plan.log(`adopted the PostgreSQL that was running (process ${found.pid})`)
    return claim
  }
  plan.log(`stopping a PostgreSQL with other programs or settings (process ${found.pid})`)
  await claim.release()
  await stopServer(found.pid, dataFolder)
  return undefined
}

async function claimFresh(plan: ServerPlan, port: number): Promise<Claim | undefined> {
  try {
    return await takeClaim(adminUrl(plan.passwords, port), plan.place.dataFolder, plan.sharing)
  } catch (error) {
    if (error instanceof ForeignServer) return undefined
    if (error instanceof PostgresError && error.code !== 'POSTGRES_IN_USE') return undefined
    throw error
  }
}

/**
 * Starts a server and waits until it is ready: gives its process id, or, when it ended, what it said.
 * It is a session leader of its own with its output in a file, so neither a Ctrl-C in our terminal nor our death ends
 * it: a shutdown is ours to order, after we have drained.
 */
async function launch(plan: ServerPlan, port: number, until: number): Promise<number | string> {
  const { place, binaries, settings } = plan
  const logFile = join(place.path, 'server.log')
  const size = await stat(logFile).then((found) => found.size, () => 0) // prettier-ignore
  if (size > LOG_LIMIT_BYTES) await rename(logFile, `${logFile}.1`)
  const output = await open(logFile, 'a', 0o600)
  let child: ChildProcess
  let from: number
  try {
    from = (await output.stat()).size
    child = spawn(binaries.postgres, serverArguments(place.dataFolder, port, settings), {
      cwd: '/',
      env: { ...SERVER_ENVIRONMENT },
      detached: true,
      stdio: ['ignore', output.fd, output.fd],
      ...(place.account.other ? { uid: place.account.uid, gid: place.account.gid } : {}),
    })
  } finally {
    await output.close()
  }
  let ended: string | undefined
  child.on('exit', (code, signal) => (ended = `exit ${signal ?? code}`))
  child.on('error', (error) => (ended = error.message))
  child.unref()
  let reported = performance.now()
  for (;;) {
    if (ended !== undefined) return `${await readFrom(logFile, from)}${ended}`
    const found = await readPidFile(place.dataFolder)
    if (found?.pid === child.pid && found?.status === 'ready') return found!.pid
    if (performance.now() > until) throw tooSlow(plan)
    if (performance.now() - reported > 5_000) {
      reported = performance.now()
      plan.log('PostgreSQL is still starting (it replays its write-ahead log after a crash)')
    }
    await sleep(5)
  }
}

async function readFrom(path: string, offset: number): Promise<string> {
  const handle = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(65_536), 0, 65_536, offset)
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await handle.close()
  }
}

function startFailure(plan: ServerPlan, said: string): PostgresError {
  const full = /No space left on device/.test(said)
  const lines = said.trim().split('\n').filter((line) => /FATAL|PANIC|exit |spawn /.test(line)) // prettier-ignore
  return new PostgresError(
    full ? 'POSTGRES_DISK_FULL' : 'POSTGRES_START_FAILED',
    `PostgreSQL did not start: ${lines.slice(-3).join(' ')}`,
    { hint: `read ${join(plan.place.path, 'server.log')}` },
  )
}

/**
 * A crash left a pid file whose number now belongs to an unrelated process, so PostgreSQL takes it for a server. The
 * file is not removed, because PostgreSQL also finds the shared memory of surviving workers through it: the number
 * becomes that of the new server's parent (us), which PostgreSQL knows cannot be a server (CreateLockFile).
 */
async function disarm(dataFolder: string, before: PidFile | undefined): Promise<void> {
  const now = await readPidFile(dataFolder)
  if (!before || now?.pid !== before.pid || (await isServerOf(now.pid, dataFolder))) return
  const path = join(dataFolder, 'postmaster.pid')
  const rest = (await readFile(path, 'utf8')).replace(/^-?\d*/, String(process.pid))
  await writeFile(path, rest)
}

/** Shuts a server down: sessions end, data is flushed. Waits until the process is gone. Throws POSTGRES_STOP_FAILED. */
export async function stopServer(pid: number, dataFolder: string): Promise<void> {
  // Fast, then immediate (crash-safe: the next start replays the log), each with its time.
  for (const [signal, ms] of [
    ['SIGINT', 30_000],
    ['SIGQUIT', 10_000],
  ] as const) {
    // prettier-ignore
    if (!(await isServerOf(pid, dataFolder))) return
    process.kill(pid, signal)
    const until = performance.now() + ms
    while (performance.now() < until) {
      if (!(await isRunning(pid))) return
      await sleep(5)
    }
  }
  throw new PostgresError('POSTGRES_STOP_FAILED', `PostgreSQL (process ${pid}) does not stop`)
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve, reject) => probe.once('error', reject).listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}
