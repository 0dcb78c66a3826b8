import { createHash, randomBytes } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { link, mkdir, open, rename, stat, unlink, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CliError } from './errors.js'
import { interrupts } from './interrupt.js'

/** As much as Node reads into one buffer. */
const MOST_BYTES = 2 ** 31 - 1

const PIECE_BYTES = 1 << 20

/** Reads a file, or a pipe, that a person named. Throws CLI_FILE_UNREADABLE, also for more than the limit: no more than that is read or held in memory. */
export function readInput(path: string, limitBytes = MOST_BYTES): Promise<Uint8Array> {
  return withFile(path, constants.O_RDONLY, async (file, found) => {
    if (found.size > limitBytes) throw tooLarge(path, limitBytes)
    const pieces: Buffer[] = []
    let total = 0
    for (;;) {
      const piece = Buffer.allocUnsafeSlow(
        Math.min(PIECE_BYTES, limitBytes + 1 - total, Math.max(found.size + 1 - total, 4096)),
      )
      const { bytesRead } = await file.read(piece, 0, piece.length, null)
      if (bytesRead === 0) return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
      total += bytesRead
      if (total > limitBytes) throw tooLarge(path, limitBytes)
      pieces.push(piece.subarray(0, bytesRead))
    }
  })
}

/** What is done with an open file. Throws CLI_FILE_UNREADABLE for what the system refuses, and for a folder. */
async function withFile<T>(
  path: string,
  flags: number,
  use: (file: FileHandle, found: Stats) => Promise<T>,
): Promise<T> {
  let file: FileHandle | undefined
  try {
    file = await open(path, flags)
    const found = await file.stat()
    if (found.isDirectory())
      throw new CliError('CLI_FILE_UNREADABLE', `${path} cannot be read`, { found: `it is ${kindOfFile(found)}` })
    return await use(file, found)
  } catch (cause) {
    throw cause instanceof CliError ? cause : unreadable(path, cause)
  } finally {
    await file?.close()
  }
}

/** What something is that is no regular file. */
export function kindOfFile(found: Stats): string {
  if (found.isDirectory()) return 'a folder'
  if (found.isFIFO()) return 'a pipe'
  return found.isSocket() ? 'a socket' : 'a device'
}

export function tooLarge(path: string, limitBytes: number): CliError {
  return new CliError('CLI_FILE_UNREADABLE', `${path} cannot be read`, {
    found: `it is larger than ${limitBytes} bytes`,
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
  return (await hashFileInto(path, [algorithm], constants.O_RDONLY))[0]!
}

/** Several digests of a regular file of any size, from one pass over it. Throws CLI_FILE_UNREADABLE, also for what is no regular file. */
export function hashRegularFile(
  path: string,
  algorithms: readonly ('sha256' | 'sha384' | 'sha512')[],
): Promise<Uint8Array[]> {
  // A pipe that was put in the place of the file meanwhile must not be waited for.
  return hashFileInto(path, algorithms, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0), true)
}

function hashFileInto(
  path: string,
  algorithms: readonly string[],
  flags: number,
  regularOnly = false,
): Promise<Uint8Array[]> {
  return withFile(path, flags, async (file, found) => {
    if (regularOnly && !found.isFile())
      throw new CliError('CLI_FILE_UNREADABLE', `${path} cannot be read`, { found: `it is ${kindOfFile(found)}` })
    const hashes = algorithms.map((algorithm) => createHash(algorithm))
    for await (const part of file.createReadStream({ highWaterMark: PIECE_BYTES, autoClose: false }))
      for (const hash of hashes) hash.update(part as Buffer)
    return hashes.map((hash) => hash.digest())
  })
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
