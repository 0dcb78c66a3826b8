import { lstat, readdir, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { CliError } from '../errors.js'

const MOST_FILES = 100_000
const DEEPEST = 64

export interface FoundFile {
  readonly named: string
  readonly sizeBytes: number
  /** Why it cannot be verified: it is no file. */
  readonly refused?: string
}

/**
 * Every file below a folder, in the order of their names, hidden ones too. A link to a file counts as the file; a link to a folder is not entered: what it leads to
 * is either below the folder anyway, or is refused, so that nothing is left out unsaid. Throws CLI_FILE_UNREADABLE, and CLI_USAGE beyond the limits.
 */
export async function filesBelow(folder: string): Promise<FoundFile[]> {
  const files: FoundFile[] = []
  await walk(folder, 0, await realpath(folder), files)
  return files
}

async function walk(folder: string, depth: number, top: string, files: FoundFile[]): Promise<void> {
  if (depth > DEEPEST) throw new CliError('CLI_USAGE', `${folder} is nested deeper than ${DEEPEST} folders`)
  for (const name of await namesIn(folder)) {
    const path = join(folder, name)
    const entry = await lstat(path).catch((cause: unknown) => {
      throw new CliError('CLI_FILE_UNREADABLE', `${path} cannot be read`, { cause, found: String(cause) })
    })
    if (entry.isDirectory()) await walk(path, depth + 1, top, files)
    else if (entry.isFile()) files.push({ named: path, sizeBytes: entry.size })
    else if (entry.isSymbolicLink()) files.push(...(await behindLink(path, top)))
    // Reading a pipe would wait for a writer.
    else files.push({ named: path, sizeBytes: 0, refused: 'it is a pipe, a socket or a device' })
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

async function behindLink(path: string, top: string): Promise<FoundFile[]> {
  const target = await stat(path).catch(() => undefined)
  if (target === undefined) return [{ named: path, sizeBytes: 0, refused: 'it is a link that leads nowhere' }]
  if (target.isFile()) return [{ named: path, sizeBytes: target.size }]
  if (!target.isDirectory()) return [{ named: path, sizeBytes: 0, refused: 'it is a pipe, a socket or a device' }]
  const real = await realpath(path)
  if (real === top || real.startsWith(top.endsWith(sep) ? top : `${top}${sep}`)) return []
  return [{ named: path, sizeBytes: 0, refused: 'it is a link to a folder outside of the one that is verified' }]
}
