import { chmod, lstat, mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { PostgresError } from '../errors.js'

/**
 * Makes a folder for programs or data that another user must not have prepared for us: it exists afterwards, is a real
 * folder, is owned by the user of this process, and nobody else can write in it. Throws POSTGRES_BINARIES otherwise.
 */
export async function makeOwnFolder(path: string, mode: number): Promise<void> {
  await mkdir(path, { mode }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  const found = await lstat(path)
  if (found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o022) === 0) {
    // The umask may have taken more away than was asked for.
    if ((found.mode & 0o777) !== mode) await chmod(path, mode)
    return
  }
  throw new PostgresError('POSTGRES_BINARIES', `${path} was not made by this user, or others can write in it`, {
    hint: 'remove it and start again',
  })
}

/** Makes a rename or a new file in this folder survive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Writes a file that only this user can read, durably; `wx` refuses an existing one with EEXIST. */
export async function writeSecretFile(path: string, text: string, mode = 0o600): Promise<void> {
  const handle = await open(path, 'wx', mode)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await syncFolder(dirname(path))
}

/** Folders outside a home or a project in which root's server may lie, best first; the others lose files to cleaners. */
export function systemFolders(temporary: string): string[] {
  const uid = process.getuid?.() ?? 0
  const own = [`/var/tmp/touchmark-${uid}`, `${temporary}/touchmark-${uid}`]
  return uid === 0 ? ['/var/lib/touchmark', ...own] : own
}
