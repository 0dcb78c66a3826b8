import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CliError } from './errors.js'

/** Reads a file a person named. Throws CLI_FILE_UNREADABLE. */
export async function readInput(path: string, limitBytes = 4 * 1024 ** 3): Promise<Uint8Array> {
  try {
    const { size } = await stat(path)
    if (size > limitBytes) throw new Error(`it is larger than ${limitBytes} bytes`)
    return await readFile(path)
  } catch (cause) {
    throw new CliError('CLI_FILE_UNREADABLE', `${path} cannot be read`, { cause, found: reason(cause) })
  }
}

/** True when there is a file at the path. */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

/** Writes a whole file or none: a reader never sees half of it, and a crash leaves what was there before. */
export async function writeWhole(path: string, content: string, mode = 0o644): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const file = await open(temporary, 'wx', mode)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (cause) {
    await unlink(temporary).catch(() => undefined)
    throw new CliError('CLI_FILE_UNREADABLE', `${path} cannot be written`, { cause, found: reason(cause) })
  }
}

/** Writes a file that only its owner may read, in a folder that only its owner may enter. */
export async function writePrivate(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeWhole(path, content, 0o600)
}

function reason(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException).code
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES') return 'permission is missing'
  return cause instanceof Error ? cause.message : String(cause)
}
