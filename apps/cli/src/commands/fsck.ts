import { createHasher, type Hasher } from '@touchmark/audit'
import type { FsckDatabaseOptions } from '@touchmark/app-standalone'
import type { CliContext } from '../context.js'
import { CliError } from '../errors.js'
import { EXIT } from '../exit-codes.js'
import { checkFiles } from '../fsck/check-files.js'
import { CheckpointFile } from '../fsck/checkpoint-file.js'
import { isConsistent, printOutcomes, type Outcome } from '../fsck/outcome.js'
import { ProgressBar } from '../fsck/progress-bar.js'
import { keyOfFile, keysOfRoot, type TrustedKey } from '../log-files/log-authority.js'
import { openLogFiles } from '../log-files/log-files.js'
import { trustedRootFile, trustInstance, type InstanceOptions } from '../trust-store.js'
import type { TrustedRoot } from '@touchmark/trust'

export interface FsckOptions extends InstanceOptions, FsckDatabaseOptions {
  readonly url?: string
  readonly database?: boolean
  readonly log?: string
  readonly publicKey?: string
  readonly trustedRoot?: string
  readonly resume?: string
  readonly connections?: number
  readonly threads?: number
}

const CONNECTIONS = 8

/** `touchmark log fsck`: rebuilds trees from their entries and compares everything. Sets the exit code of damage itself: what differs is the result. */
export async function logFsck(context: CliContext, options: FsckOptions): Promise<void> {
  if (options.database === true && (options.url ?? options.publicKey ?? options.trustedRoot) !== undefined) {
    throw new CliError(
      'CLI_USAGE',
      '--database checks with the keys of the instance: give no --url, --public-key or --trusted-root',
    )
  }
  // Who names a number of threads has them from the start.
  const hasher = options.threads === undefined ? createHasher() : createHasher(options.threads, 0)
  try {
    const outcomes =
      options.database === true ? await inDatabase(context, options, hasher) : await byFiles(context, options, hasher)
    printOutcomes(context, outcomes)
    if (!outcomes.every(isConsistent)) process.exitCode = EXIT.damaged
  } finally {
    await hasher.close()
  }
}

async function byFiles(context: CliContext, options: FsckOptions, hasher: Hasher): Promise<Outcome[]> {
  const { places, keys } = await whatToCheck(context, options)
  if (options.resume !== undefined && places.length > 1) {
    throw new CliError('CLI_USAGE', '--resume is of one log: name it with --url')
  }
  const outcomes: Outcome[] = []
  for (const place of places) {
    const connections = options.connections ?? CONNECTIONS
    const files = await openLogFiles(context, place, connections)
    const bar = new ProgressBar(context, files.place)
    const saved = options.resume === undefined ? undefined : new CheckpointFile(options.resume)
    const startedAt = performance.now()
    const report = await checkFiles(files, {
      keys,
      hasher,
      connections,
      onProgress: (progress) => bar.show(progress),
      ...(options.log === undefined ? {} : { origin: options.log }),
      ...(saved === undefined ? {} : { saved }),
    }).finally(() => {
      bar.clear()
      files.close()
    })
    await saved?.remove()
    outcomes.push({
      place: files.place,
      origin: report.origin,
      report,
      seconds: (performance.now() - startedAt) / 1000,
    })
  }
  return outcomes
}

/** The log that `--url` names, or every log of the instance; and the keys that may have signed. */
async function whatToCheck(
  context: CliContext,
  options: FsckOptions,
): Promise<{ places: string[]; keys: TrustedKey[] }> {
  if (options.publicKey !== undefined) {
    if (options.url === undefined) throw new CliError('CLI_USAGE', '--public-key needs --url: whose key is it?')
    return { places: [options.url], keys: [await keyOfFile(options.publicKey)] }
  }
  const root = await trustedRoot(context, options)
  const keys = keysOfRoot(root)
  if (options.url !== undefined) return { places: [options.url], keys }
  const signature = root.tlogs.map(({ baseUrl }) => `${baseUrl.replace(/\/+$/, '')}/api/v2`)
  const places = [...new Set([...signature, ...root.ctlogs.map(({ baseUrl }) => baseUrl)])]
  return { places, keys }
}

async function trustedRoot(context: CliContext, options: FsckOptions): Promise<TrustedRoot> {
  if (options.trustedRoot !== undefined) return trustedRootFile(context, options.trustedRoot, options)
  return (await trustInstance(context, options)).config.trustedRoot
}

async function inDatabase(context: CliContext, options: FsckOptions, hasher: Hasher): Promise<Outcome[]> {
  const { fsckDatabase } = await import('@touchmark/app-standalone')
  const used: CheckpointFile[] = []
  const outcomes: Outcome[] = []
  await fsckDatabase(options, {
    hasher,
    ...(options.log === undefined ? {} : { log: options.log }),
    begin(origin) {
      const bar = new ProgressBar(context, origin)
      const saved =
        options.resume === undefined ? undefined : new CheckpointFile(`${options.resume}.${encodeURIComponent(origin)}`)
      if (saved) used.push(saved)
      const startedAt = performance.now()
      return {
        resume: async (logId) => saved?.load({ origin, logId, how: 'database' }),
        async onProgress(progress, { logId, head, state }) {
          bar.show(progress)
          await saved?.save({ origin, logId, how: 'database' }, head, state)
        },
        done(report) {
          bar.clear()
          outcomes.push({ place: 'database', origin, report, seconds: (performance.now() - startedAt) / 1000 })
        },
      }
    },
  })
  for (const saved of used) await saved.remove()
  return outcomes
}
