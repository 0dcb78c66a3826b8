import { randomBytes } from 'node:crypto'
import { link, mkdir, open, rename, stat, unlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { KeysError } from './errors.js'

/** More than any file of a store has. */
const MAX_FILE_BYTES = 64 * 1024
/** Windows has no such modes: what they say there means nothing. */
const hasModes = process.platform !== 'win32'

/** True for an error of the file system with this code. */
export function isErrno(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === code
}

function storage(path: string, cause: unknown): KeysError {
  return new KeysError('KEYS_STORAGE', `${path}: ${(cause as Error).message}`, { cause })
}

/** Makes a folder for its owner alone, or checks that others cannot write to the one that is there: they could swap files in it. */
export async function preparePrivateFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    const { mode } = await stat(path)
    if (hasModes && (mode & 0o022) !== 0) throw permissions(path, mode, 'chmod 700')
  } catch (error) {
    throw error instanceof KeysError ? error : storage(path, error)
  }
}

/**
 * Reads a small file that must be readable by its owner alone. undefined when there is none.
 * Throws KEYS_PERMISSIONS, KEYS_FILE_INVALID (too large), KEYS_STORAGE.
 */
export async function readPrivateFile(
  path: string,
  options: { anyMode?: boolean } = {},
): Promise<Uint8Array | undefined> {
  let handle: FileHandle
  try {
    handle = await open(path, 'r')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw storage(path, error)
  }
  try {
    // Asked of the open file, so that what is checked is what is read.
    const { mode } = await handle.stat()
    if (hasModes && options.anyMode !== true && (mode & 0o077) !== 0) throw permissions(path, mode, 'chmod 600')
    const content = await readAll(handle)
    if (content === undefined)
      throw new KeysError('KEYS_FILE_INVALID', `${path} is larger than ${MAX_FILE_BYTES} bytes`)
    return content
  } catch (error) {
    throw error instanceof KeysError ? error : storage(path, error)
  } finally {
    await handle.close()
  }
}

async function readAll(handle: FileHandle): Promise<Uint8Array | undefined> {
  // A pipe has size 0 and any amount of bytes, and a file may grow: the limit holds here too.
  const buffer = new Uint8Array(MAX_FILE_BYTES + 1)
  let length = 0
  while (length <= MAX_FILE_BYTES) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length)
    if (bytesRead === 0) return buffer.slice(0, length)
    length += bytesRead
  }
  return undefined
}

function permissions(path: string, mode: number, fix: string): KeysError {
  const octal = (mode & 0o777).toString(8).padStart(3, '0')
  return new KeysError('KEYS_PERMISSIONS', `${path} is open to other users (mode ${octal})`, { hint: `${fix} ${path}` })
}

/**
 * Makes a file with mode 0600, whole or not at all, and durable when it resolves. It MUST NOT replace a file: of two processes that
 * create the same name at the same time, one gets KEYS_EXISTS.
 */
export async function createPrivateFile(path: string, content: Uint8Array | string): Promise<void> {
  await publish(path, content, async (temporary) => {
    try {
      // A hard link, unlike a rename, fails when the name is taken. A crash before it leaves only a temporary file that nobody reads.
      await link(temporary, path)
    } catch (error) {
      if (isErrno(error, 'EEXIST')) throw new KeysError('KEYS_EXISTS', `${path} exists already`, { cause: error })
      throw error
    } finally {
      await unlink(temporary)
    }
  })
}

/** Makes or replaces a file, whole or not at all, and durable when it resolves. Never for keys. */
export async function replacePrivateFile(path: string, content: Uint8Array | string): Promise<void> {
  await publish(path, content, (temporary) => rename(temporary, path))
}

async function publish(
  path: string,
  content: Uint8Array | string,
  into: (temporary: string) => Promise<void>,
): Promise<void> {
  const folder = dirname(path)
  const temporary = join(folder, `.new-${randomBytes(12).toString('hex')}`)
  try {
    await writeDurably(temporary, content)
    await into(temporary)
    await syncFolder(folder)
  } catch (error) {
    throw error instanceof KeysError ? error : storage(path, error)
  }
}

async function writeDurably(path: string, content: Uint8Array | string): Promise<void> {
  const handle = await open(path, 'wx', 0o600)
  try {
    await handle.writeFile(content)
    await handle.sync()
  } catch (error) {
    await unlink(path)
    throw error
  } finally {
    await handle.close()
  }
}

/** Makes a new name durable (POSIX: the entry belongs to the folder). Windows cannot open a folder, and needs not. */
async function syncFolder(path: string): Promise<void> {
  if (!hasModes) return
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
