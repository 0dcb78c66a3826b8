import { readFileSync, statSync, type Stats } from 'node:fs'
import { CliError } from '../errors.js'

/**
 * Files are read without promises here: of many small ones these would take a seventh of all time. One thread has nothing else to do meanwhile.
 * What is at the path; undefined when nothing is. Throws CLI_FILE_UNREADABLE when that cannot be said, and for a folder.
 */
export function lookNow(path: string): Stats | undefined {
  let found: Stats | undefined
  try {
    found = statSync(path, { throwIfNoEntry: false })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOTDIR' || code === 'ENAMETOOLONG') return undefined
    throw unreadable(path, cause)
  }
  if (found?.isDirectory() === true)
    throw new CliError('CLI_FILE_UNREADABLE', `${path} cannot be read`, { found: 'it is a folder' })
  return found
}

/** Throws CLI_FILE_UNREADABLE, and for more than the limit before anything is read. */
export function readNow(path: string, sizeBytes: number, limitBytes: number): Uint8Array {
  if (sizeBytes > limitBytes)
    throw new CliError('CLI_FILE_UNREADABLE', `${path} cannot be read`, {
      found: `it is larger than ${limitBytes} bytes`,
    })
  try {
    return readFileSync(path)
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

/** Nothing is there, although it was named. */
export function notThere(path: string): CliError {
  return new CliError('CLI_FILE_UNREADABLE', `${path} cannot be read`, { found: 'there is no such file' })
}

function unreadable(path: string, cause: unknown): CliError {
  const { code, message } = cause as NodeJS.ErrnoException
  const found = code === 'EACCES' || code === 'EPERM' ? 'permission is missing' : message
  return new CliError('CLI_FILE_UNREADABLE', `${path} cannot be read`, { cause, found })
}
