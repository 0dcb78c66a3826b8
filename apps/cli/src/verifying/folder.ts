import { lstat, readdir, stat } from 'node:fs/promises'
import { sep } from 'node:path'
import { CliError } from '../errors.js'
import { kindOfFile } from '../files.js'

const MOST_FILES = 100_000
const DEEPEST = 64

export interface FoundFile {
  readonly named: string
  readonly sizeBytes: number
  /** Why it cannot be verified: it is no file. */
  readonly refused?: string
}

/**
 * Every file below a folder, in the order of their names, hidden ones too. A link to a file counts as the file. A link to a folder is refused: what lies
 * behind it would have two names, and a rule or `--exclude` about one of them would not hold for the other. Throws CLI_FILE_UNREADABLE, and CLI_USAGE
 * beyond the limits.
 */
export async function filesBelow(folder: string): Promise<FoundFile[]> {
  const files: FoundFile[] = []
  await walk(folder, 0, files)
  return files
}

/** A name in a folder. Not normalised: `link/..` is another folder than `.`, and what is opened must be what was listed. */
export function inFolder(folder: string, name: string): string {
  return folder.endsWith('/') || folder.endsWith(sep) ? `${folder}${name}` : `${folder}${sep}${name}`
}

async function walk(folder: string, depth: number, files: FoundFile[]): Promise<void> {
  if (depth > DEEPEST) throw new CliError('CLI_USAGE', `${folder} is nested deeper than ${DEEPEST} folders`)
  for (const name of await namesIn(folder)) {
    const path = inFolder(folder, name)
    const entry = await lstat(path).catch((cause: unknown) => {
      throw new CliError('CLI_FILE_UNREADABLE', `${path} cannot be read`, { cause, found: String(cause) })
    })
    if (entry.isDirectory()) await walk(path, depth + 1, files)
    else if (entry.isFile()) files.push({ named: path, sizeBytes: entry.size })
    else if (entry.isSymbolicLink()) files.push(await behindLink(path))
    // Reading a pipe would wait for a writer.
    else files.push(refusedFile(path, `it is ${kindOfFile(entry)}`))
    if (files.length > MOST_FILES)
      throw new CliError('CLI_USAGE', `there are more than ${MOST_FILES} files to verify at once`, {
        hint: 'Verify folder by folder.',
      })
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort()
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause)
    throw new CliError('CLI_FILE_UNREADABLE', `${folder} cannot be read`, { cause, found })
  }
}

async function behindLink(path: string): Promise<FoundFile> {
  const target = await stat(path).catch(() => undefined)
  if (target === undefined) return refusedFile(path, 'it is a link that leads nowhere')
  if (target.isFile()) return { named: path, sizeBytes: target.size }
  return refusedFile(path, `it is a link to ${kindOfFile(target)}`)
}

function refusedFile(named: string, refused: string): FoundFile {
  return { named, sizeBytes: 0, refused }
}
