import { execFile } from 'node:child_process'
import { readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** What a server wrote in its postmaster.pid (PostgreSQL: src/include/utils/pidfile.h). */
export interface PidFile {
  pid: number
  port: number | undefined
  status: 'starting' | 'stopping' | 'ready' | 'standby' | ''
}

/** Reads postmaster.pid; undefined when there is none. A file that was only begun has no port and no status yet. */
export async function readPidFile(dataFolder: string): Promise<PidFile | undefined> {
  const text = await readFile(join(dataFolder, 'postmaster.pid'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return undefined
  const lines = text.split('\n')
  const pid = Math.abs(Number.parseInt(lines[0] ?? '', 10))
  const port = Number.parseInt(lines[3] ?? '', 10)
  const status = (lines[7] ?? '').trim() as PidFile['status']
  return { pid: Number.isNaN(pid) ? 0 : pid, port: port > 0 ? port : undefined, status }
}

/** True while the process exists and is not only a zombie that nobody has waited for. */
export async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  // The name in parentheses may itself hold parentheses and spaces; the state follows the last one.
  return text === undefined ? process.platform !== 'linux' : !/^ [ZX]/.test(text.slice(text.lastIndexOf(')') + 1))
}

/** The arguments of a running process, or undefined where the machine does not tell. */
export async function argumentsOf(pid: number): Promise<string[] | undefined> {
  const raw = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined)
  return raw === undefined ? undefined : raw.split('\0').slice(0, -1)
}

/**
 * True when `pid` is a server on this data folder: the number in a pid file left by a crash may since belong to anyone.
 * Where neither /proc nor ps can tell, a running process is taken for the server: nothing is started beside it.
 */
export async function isServerOf(pid: number, dataFolder: string): Promise<boolean> {
  if (pid <= 1 || !(await isRunning(pid))) return false
  const known = await argumentsOf(pid)
  if (known && known.length > 0) return known.includes(dataFolder)
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined)
  if (cwd !== undefined) return cwd === dataFolder
  const listed = await promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => undefined)
  return listed === undefined || listed.stdout.includes(dataFolder)
}
