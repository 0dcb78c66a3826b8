import { stat } from 'node:fs/promises'
import type { Bundle } from '@touchmark/bundle'
import type { Artifact } from '@touchmark/verify'
import { CliError } from '../errors.js'
import { exists, fileExists, sizeOf } from '../files.js'

/** Which file gets which bundle. */
export interface TargetOptions {
  /** Where the bundle goes; only with one file. */
  readonly bundle?: string
  readonly overwrite?: boolean
  /** Leave the files alone whose bundle is there and good. */
  readonly resume?: boolean
}

export interface Target {
  readonly file: string
  readonly bundle: string
  readonly sizeBytes: number
  /** A bundle is there already, and stays if it is good. */
  readonly resume: boolean
  readonly replace: boolean
  /** The digest to hold the bundle against, where the file is not read for it. */
  readonly artifact?: Artifact
  /** Whether a good bundle that is there is the one that would be made; without it, any is. */
  readonly wants?: (bundle: Bundle) => boolean
}

/** Everything that can be refused before somebody logs in. Throws CLI_USAGE, CLI_FILE_UNREADABLE, CLI_FILE_EXISTS. */
export async function planTargets(
  files: readonly string[],
  options: TargetOptions,
  suffix: string,
  wants: (bundle: Bundle) => boolean,
): Promise<Target[]> {
  if (options.bundle !== undefined && files.length > 1)
    throw new CliError('CLI_USAGE', '--bundle goes with one file; without it each file gets its own bundle')
  const twice = files.find((file, at) => files.indexOf(file) !== at)
  if (twice !== undefined) throw new CliError('CLI_USAGE', `${twice} is named twice`)
  const targets: Target[] = []
  for (const file of files) {
    const bundle = options.bundle ?? `${file}${suffix}`
    const sizeBytes = await sizeOfFile(file)
    targets.push({ file, sizeBytes, wants, ...(await placeOfBundle(bundle, options)) })
  }
  return targets
}

async function sizeOfFile(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory() === true)
    throw new CliError('CLI_FILE_UNREADABLE', `${path} is a folder, and sign takes files`, {
      expected: 'files',
      hint: `Name the files in it: touchmark sign ${path.replace(/\/+$/, '')}/*`,
    })
  return sizeOf(path)
}

/** What is to be done with a bundle that may be there already. Throws CLI_USAGE, CLI_FILE_EXISTS. */
export async function placeOfBundle(
  bundle: string,
  options: TargetOptions,
): Promise<Pick<Target, 'bundle' | 'replace' | 'resume'>> {
  if (options.overwrite === true && options.resume === true)
    throw new CliError('CLI_USAGE', '--overwrite makes every bundle anew, --resume keeps the good ones: choose one')
  const there = await exists(bundle)
  const resume = there && options.resume === true
  const replace = options.overwrite === true || resume
  if (there && !replace) throw fileExists(bundle)
  return { bundle, replace, resume }
}
