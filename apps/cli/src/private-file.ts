import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'

/** What a file of secrets turned out to be. */
export type PrivateFile =
  | { readonly state: 'absent' }
  /** Somebody else may have read or written it. */
  | { readonly state: 'open'; readonly why: string }
  | { readonly state: 'read'; readonly text: string }

/**
 * Reads a file that only its owner may read. One that others may read or write, or that belongs to somebody else, is not read: what is in it may
 * be known, or may be somebody else's. What is looked at is what is read, and a symbolic link is not followed. Of a file that cannot be read, or is
 * larger than the limit, no more is known than of none.
 */
export async function readPrivate(path: string, limitBytes: number): Promise<PrivateFile> {
  let file: FileHandle
  try {
    file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ELOOP') return { state: 'open', why: 'it is a symbolic link' }
    return { state: 'absent' }
  }
  try {
    const found = await file.stat()
    const why = whyOpen(found)
    if (why !== undefined) return { state: 'open', why }
    if (!found.isFile() || found.size > limitBytes) return { state: 'absent' }
    return { state: 'read', text: await file.readFile('utf8') }
  } finally {
    await file.close()
  }
}

/** Why others can get at a file or folder; undefined when they cannot. Windows keeps its permissions elsewhere. */
export function whyOpen(found: { readonly mode: number; readonly uid: number }): string | undefined {
  if (process.getuid === undefined) return undefined
  if (found.uid !== process.getuid()) return 'it belongs to another user'
  if ((found.mode & 0o077) !== 0) return `its mode is 0${(found.mode & 0o777).toString(8)}, and should be 0600`
  return undefined
}
