import { closeSync, constants, fstatSync, openSync, readSync, statSync, type Stats } from 'node:fs'
import { CliError } from '../errors.js'
import { kindOfFile, tooLarge } from '../files.js'

const PIECE_BYTES = 1 << 20
/** A pipe that was put in the place of a file meanwhile must not be waited for. */
const WITHOUT_WAITING = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0)

/** Who chose the file: what was merely found must be a regular file; what a person named may be a pipe, and is waited for. */
export type Chosen = 'named' | 'found'

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
  if (found?.isDirectory() === true) refuseKind(path, found)
  return found
}

/** Throws CLI_FILE_UNREADABLE: for more than the limit, of which no more is read or held in memory, and for what is merely found and is no regular file. */
export function readNow(path: string, found: Stats, limitBytes: number, chosen: Chosen): Uint8Array {
  // Before it is opened: opening a device can do something by itself.
  if (chosen === 'found' && !found.isFile()) refuseKind(path, found)
  let file: number | undefined
  try {
    file = openSync(path, chosen === 'found' ? WITHOUT_WAITING : constants.O_RDONLY)
    // What was looked at before may be something else by now.
    const opened = fstatSync(file)
    if (opened.isDirectory() || (chosen === 'found' && !opened.isFile())) refuseKind(path, opened)
    if (opened.size > limitBytes) throw tooLarge(path, limitBytes)
    return opened.isFile() ? readFile(file, path, opened.size, limitBytes) : readPipe(file, path, limitBytes)
  } catch (cause) {
    throw cause instanceof CliError ? cause : unreadable(path, cause)
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/** Of the size that it says, which is all of it but for files that the system makes up while they are read. */
function readFile(file: number, path: string, sizeBytes: number, limitBytes: number): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(sizeBytes)
  let filled = 0
  while (filled < sizeBytes) {
    const count = readSync(file, bytes, filled, sizeBytes - filled, null)
    if (count === 0) return bytes.subarray(0, filled)
    filled += count
  }
  const more = readPipe(file, path, limitBytes - sizeBytes, limitBytes)
  return more.length === 0 ? bytes : Buffer.concat([bytes, more])
}

function readPipe(file: number, path: string, leftBytes: number, limitBytes = leftBytes): Uint8Array {
  const pieces: Buffer[] = []
  let total = 0
  for (;;) {
    // A small file ends here with its first, empty piece.
    const piece = Buffer.allocUnsafe(pieces.length === 0 ? 1024 : Math.min(PIECE_BYTES, leftBytes + 1 - total))
    const count = readSync(file, piece, 0, piece.length, null)
    if (count === 0) return Buffer.concat(pieces)
    total += count
    if (total > leftBytes) throw tooLarge(path, limitBytes)
    pieces.push(piece.subarray(0, count))
  }
}

/** Nothing is there, although it was named. */
export function notThere(path: string): CliError {
  return new CliError('CLI_FILE_UNREADABLE', `${path} cannot be read`, { found: 'there is no such file' })
}

function refuseKind(path: string, found: Stats): never {
  throw new CliError('CLI_FILE_UNREADABLE', `${path} cannot be read`, { found: `it is ${kindOfFile(found)}` })
}

function unreadable(path: string, cause: unknown): CliError {
  const { code, message } = cause as NodeJS.ErrnoException
  const found = code === 'EACCES' || code === 'EPERM' ? 'permission is missing' : message
  return new CliError('CLI_FILE_UNREADABLE', `${path} cannot be read`, { cause, found })
}
