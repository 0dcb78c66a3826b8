import { exportLog, S3Target, type ExportReport, type ExportTarget } from '@touchmark/audit'
import { utf8Decode } from '@touchmark/encoding'
import type { CliContext } from '../context.js'
import { CliError } from '../errors.js'
import { counted } from '../fsck/progress-bar.js'
import { keyOfFile, keysOfRoot, verifyTrustedHead, type TrustedKey } from '../log-files/log-authority.js'
import { openExportTarget } from '../log-files/export-target.js'
import { openLogFiles, type LogFiles } from '../log-files/log-files.js'
import { printJson, Progress, rows } from '../output.js'
import { trustedRootFile, trustInstance, type InstanceOptions } from '../trust-store.js'

export interface ExportOptions extends InstanceOptions {
  readonly to: string
  readonly endpoint?: string
  readonly region?: string
  readonly url?: string
  readonly log?: string
  readonly publicKey?: string
  readonly trustedRoot?: string
  readonly follow?: boolean
  readonly every?: number
  readonly connections?: number
}

const CONNECTIONS = 8
const FOLLOW_SECONDS = 5

/** `touchmark log export`: copies a log's files to a folder or a bucket, for a web server or a CDN; each time only what is new. */
export async function logExport(context: CliContext, options: ExportOptions): Promise<void> {
  const target = openExportTarget(context, options)
  const { url, keys } = await whatToExport(context, options)
  const connections = options.connections ?? CONNECTIONS
  const files = await openLogFiles(context, url, connections)
  const progress = new Progress(context)
  try {
    for (;;) {
      const report = await exportOnce(files, target, { keys, connections, log: options.log }, progress)
      if (!options.follow || report.files > 0) print(context, files, target, report)
      if (!options.follow) return
      // A signal ends it here or anywhere else: a copy may be interrupted at any place.
      await context.http.sleep((options.every ?? FOLLOW_SECONDS) * 1000)
    }
  } finally {
    progress.clear()
    files.close()
  }
}

async function exportOnce(
  files: LogFiles,
  target: ExportTarget,
  { keys, connections, log }: { keys: readonly TrustedKey[]; connections: number; log: string | undefined },
  progress: Progress,
): Promise<ExportReport> {
  const note = await files.read('checkpoint')
  if (note === undefined) throw new CliError('CLI_INSTANCE_ANSWER', `${files.place} has no checkpoint`)
  const newest = verifyTrustedHead(utf8Decode(note), keys, log)
  const { origin, size, root } = newest.checkpoint
  const report = await exportLog({
    read: files.read,
    head: { origin, size, root, note: newest.note },
    logId: newest.logId,
    verify: (old) => verifyTrustedHead(old, keys, origin).checkpoint,
    target,
    parallel: connections,
    onProgress: (done, of) => progress.show(`${counted(done)} of ${counted(of)} entries copied`),
  })
  progress.clear()
  return report
}

function print(context: CliContext, files: LogFiles, target: ExportTarget, report: ExportReport): void {
  const guarded = target instanceof S3Target ? target.guarded : undefined
  if (context.json)
    return printJson(context, {
      url: files.place,
      to: target.name,
      size: report.size,
      before: report.from,
      files: report.files,
      ...(guarded === undefined ? {} : { guarded }),
    })
  const pairs: [string, string][] = [
    ['exported', files.place],
    ['to', target.name],
    ['entries', `${counted(report.size)}, ${counted(report.size - report.from)} of them new`],
    ['files', counted(report.files)],
  ]
  if (guarded !== undefined) {
    pairs.push(['writes', guarded ? 'conditional' : 'not conditional at this store: let one exporter at a time write'])
  }
  context.out(rows(pairs, ''))
}

async function whatToExport(context: CliContext, options: ExportOptions): Promise<{ url: string; keys: TrustedKey[] }> {
  if (options.publicKey !== undefined) {
    if (options.url === undefined) throw new CliError('CLI_USAGE', '--public-key needs --url: whose key is it?')
    return { url: options.url, keys: [await keyOfFile(options.publicKey)] }
  }
  const root =
    options.trustedRoot === undefined
      ? (await trustInstance(context, options)).config.trustedRoot
      : await trustedRootFile(context, options.trustedRoot, options)
  const newest = root.tlogs.at(-1)
  const url = options.url ?? (newest && `${newest.baseUrl.replace(/\/+$/, '')}/api/v2`)
  if (url === undefined) throw new CliError('CLI_TRUST_UNKNOWN', 'the trusted root names no signature log')
  return { url, keys: keysOfRoot(root) }
}
