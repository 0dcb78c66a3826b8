import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { link, mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CliError } from './errors.js'
import { interrupts } from './interrupt.js'

/** As much as Node reads into one buffer. */
const MOST_BYTES = 2 ** 31 - 1

/** Reads a file a person named. Throws CLI_FILE_UNREADABLE, and for more than the limit before anything is read. */
export async function readInput(path: string, limitBytes = MOST_BYTES): Promise<Uint8Array> {
  if ((await sizeOf(path)) > limitBytes)
    throw new CliError('CLI_FILE_UNREADABLE', `${path} cannot be read`, {
      found: `it is larger than ${limitBytes} bytes`,
    })
  return readFile(path).catch((cause: unknown) => {
    throw unreadable(path, cause)
  })
}

/** Size of a file in bytes. Throws CLI_FILE_UNREADABLE when there is none, and for a folder. */
export async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch((cause: unknown) => {
    throw unreadable(path, cause)
  })
  if (found.isDirectory())
    throw new CliError('CLI_FILE_UNREADABLE', `${path} cannot be read`, { found: 'it is a folder' })
  return found.size
}

/** Hashes a file of any size, a piece at a time. Throws CLI_FILE_UNREADABLE. */
export async function hashFile(path: string, algorithm: 'sha256' | 'sha384' | 'sha512'): Promise<Uint8Array> {
  const hash = createHash(algorithm)
  try {
    for await (const part of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(part as Buffer)
  } catch (cause) {
    throw unreadable(path, cause)
  }
  return hash.digest()
}

/** True when there is something at the path. Throws CLI_FILE_UNREADABLE when that cannot be said: what cannot be seen may be there. */
export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes((cause as NodeJS.ErrnoException).code ?? '')) return false
    throw unreadable(path, cause)
  }
}

export interface WriteOptions {
  /** Default 0644, less the umask. */
  readonly mode?: number
  /** Replace what is there; else CLI_FILE_EXISTS. */
  readonly replace: boolean
}

/** Writes a whole file or none: a reader never sees half of it, and a crash leaves what was there before. Throws CLI_FILE_EXISTS, CLI_FILE_UNWRITABLE. */
export function writeWhole(path: string, content: string, options: WriteOptions): Promise<void> {
  // Cut short it would leave its temporary file behind.
  return interrupts.whole(() => writeAndPublish(path, content, options))
}

async function writeAndPublish(path: string, content: string, options: WriteOptions): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const file = await open(temporary, 'wx', options.mode ?? 0o644)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    if (options.replace) await rename(temporary, path)
    else await publishNew(temporary, path)
  } catch (cause) {
    await unlink(temporary).catch(() => undefined)
    if (cause instanceof CliError) throw cause
    throw new CliError('CLI_FILE_UNWRITABLE', `${path} cannot be written`, { cause, found: reason(cause) })
  }
}

/** Writes a file that only its owner may read, in a folder that only its owner may enter. */
export async function writePrivate(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw new CliError('CLI_FILE_UNWRITABLE', `${dirname(path)} cannot be made`, { cause, found: reason(cause) })
  })
  await writeWhole(path, content, { mode: 0o600, replace: true })
}

export function fileExists(path: string): CliError {
  return new CliError('CLI_FILE_EXISTS', `${path} is there already`, {
    hint: 'Pass --overwrite to replace it, --resume to keep it if it is good, or --bundle FILE to write elsewhere.',
  })
}

/** Unlike a rename, a link never replaces a file that somebody else wrote meanwhile. */
async function publishNew(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path)
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? ''
    if (code === 'EEXIST') throw fileExists(path)
    // Some file systems have no links; the look before signing must do there.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code)) throw cause
    if (await exists(path)) throw fileExists(path)
    return rename(temporary, path)
  }
  await unlink(temporary)
}

function unreadable(path: string, cause: unknown): CliError {
  return new CliError('CLI_FILE_UNREADABLE', `${path} cannot be read`, { cause, found: reason(cause) })
}

function reason(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException).code
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES' || code === 'EPERM') return 'permission is missing'
  return cause instanceof Error ? cause.message : String(cause)
}
