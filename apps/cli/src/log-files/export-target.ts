import { FolderTarget, isS3Name, parseS3Place, S3Target, type ExportTarget } from '@touchmark/audit'
import type { CliContext } from '../context.js'
import { CliError } from '../errors.js'

export interface TargetOptions {
  /** A folder, or `s3://BUCKET/PREFIX`. */
  readonly to: string
  readonly endpoint?: string
  readonly region?: string
}

/** Tries for one object: with the pauses between them, a store may be away for some seconds. */
const TRIES = 6

/**
 * Opens what `--to` names. The credentials of a store are taken from the environment alone, where no list of processes shows them.
 * Throws CLI_USAGE, AUDIT_TARGET_INVALID.
 */
export function openExportTarget({ environment, http, clock }: CliContext, options: TargetOptions): ExportTarget {
  const { to, endpoint, region } = options
  if (!isS3Name(to)) {
    if (endpoint !== undefined || region !== undefined) {
      throw new CliError('CLI_USAGE', '--endpoint and --region are for a target s3://BUCKET/PREFIX')
    }
    return new FolderTarget(to)
  }
  const place = parseS3Place(to, {
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
  })
  const accessKeyId = keyOf(environment, 'AWS_ACCESS_KEY_ID')
  const secretAccessKey = keyOf(environment, 'AWS_SECRET_ACCESS_KEY')
  const sessionToken = keyOf(environment, 'AWS_SESSION_TOKEN')
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new CliError('CLI_USAGE', 'an S3 target needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment')
  }
  return new S3Target(
    place,
    { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    { ...http, clock, tries: TRIES },
  )
}

function keyOf(environment: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = environment[name]
  if (value === undefined || value === '') return undefined
  // A line break at the end of it is the usual one; the store would refuse it, or the request could not be made, without a reason that helps.
  if (/^[\x21-\x7e]{1,4096}$/.test(value)) return value
  throw new CliError('CLI_USAGE', `${name} has a space, a line break or another character that no key has`)
}
