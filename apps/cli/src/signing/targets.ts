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
}

/** Everything that can be refused before somebody logs in. */
export async function planTargets(files: readonly string[], options: TargetOptions, suffix: string): Promise<Target[]> {
  if (options.bundle !== undefined && files.length > 1)
    throw new CliError('CLI_USAGE', '--bundle goes with one file; without it each file gets its own bundle')
  if (options.overwrite === true && options.resume === true)
    throw new CliError('CLI_USAGE', '--overwrite makes every bundle anew, --resume keeps the good ones: choose one')
  const twice = files.find((file, at) => files.indexOf(file) !== at)
  if (twice !== undefined) throw new CliError('CLI_USAGE', `${twice} is named twice`)
  const targets: Target[] = []
  for (const file of files) {
    const bundle = options.bundle ?? `${file}${suffix}`
    const sizeBytes = await sizeOf(file)
    const there = await exists(bundle)
    const replace = options.overwrite === true || (there && options.resume === true)
    if (there && !replace) throw fileExists(bundle)
    targets.push({ file, bundle, sizeBytes, replace, resume: there && options.resume === true })
  }
  return targets
}
