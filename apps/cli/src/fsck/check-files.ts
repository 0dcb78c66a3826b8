import {
  checkTree,
  headWentBack,
  StaticSource,
  type CheckedHead,
  type CheckProgress,
  type CheckState,
  type Difference,
  type Hasher,
  type TreeReport,
} from '@touchmark/audit'
import { portableSha256 } from '@touchmark/merkle'
import { utf8Decode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { parseCheckpoint, parseSignedNote } from '@touchmark/tlog'
import type { LogFiles } from '../log-files/log-files.js'
import { verifyTrustedHead, type TrustedKey } from '../log-files/log-authority.js'
import type { CheckpointFile } from './checkpoint-file.js'

export interface CheckFilesOptions {
  readonly keys: readonly TrustedKey[]
  readonly origin?: string
  readonly connections: number
  readonly hasher: Hasher
  readonly saved?: CheckpointFile
  onProgress(progress: CheckProgress): void
}

export interface FilesReport extends TreeReport {
  readonly origin: string
}

const NOTHING: TreeReport = {
  size: 0n,
  bytes: 0n,
  tiles: 0,
  root: new Uint8Array(0),
  frontier: new Uint8Array(0),
  differences: [],
  unlisted: 0,
}

/** Checks a log by its files, as anybody can: checkpoint, every entry bundle, every tile. Throws what keeps it from reading them. */
export async function checkFiles(files: LogFiles, options: CheckFilesOptions): Promise<FilesReport> {
  const bytes = await files.read('checkpoint')
  if (bytes === undefined) {
    const message = `${files.place} has no checkpoint`
    return {
      ...NOTHING,
      origin: options.origin ?? '',
      differences: [{ kind: 'checkpoint', message, path: 'checkpoint' }],
    }
  }
  const found = readHead(bytes, options)
  if (found.head === undefined) return { ...NOTHING, origin: found.origin, differences: found.differences }
  const { origin, logId, head } = found
  const resumed = await options.saved?.load({ origin, logId, how: 'url' })
  const wentBack = resumed && headWentBack(resumed.head, head)
  const from = resumed && resumed.state.tiles <= head.size >> 8n ? resumed.state : undefined
  const report = await checkTree({
    source: new StaticSource(files.read, options.connections),
    hasher: options.hasher,
    ...head,
    ...(from ? { from } : {}),
    onProgress(progress: CheckProgress, state: () => CheckState) {
      options.onProgress(progress)
      return options.saved?.save({ origin, logId, how: 'url' }, head, state)
    },
  })
  const differences = [...found.differences, ...(wentBack ? [wentBack] : []), ...report.differences]
  return { ...report, origin, differences }
}

interface Head {
  readonly origin: string
  readonly logId: Uint8Array
  /** Undefined: the checkpoint cannot even be read. */
  readonly head: CheckedHead | undefined
  readonly differences: readonly Difference[]
}

/** A checkpoint that is not signed as it should be is a difference; the tree is compared with what it says all the same. */
function readHead(bytes: Uint8Array, { keys, origin }: CheckFilesOptions): Head {
  try {
    const { checkpoint, logId } = verifyTrustedHead(utf8Decode(bytes), keys, origin)
    return { origin: checkpoint.origin, logId, head: checkpoint, differences: [] }
  } catch (error) {
    if (!isCodedError(error) || error.code.startsWith('CLI_')) throw error
    const { expected, found } = error.details
    const details = { ...(expected === undefined ? {} : { expected }), ...(found === undefined ? {} : { found }) }
    const difference: Difference = { kind: 'checkpoint', message: error.message, path: 'checkpoint', ...details }
    const unsigned = readUnsigned(bytes)
    // Without a key that vouches for it, what was checked is known by the checkpoint's own words.
    const logId = portableSha256(bytes)
    return { origin: unsigned?.origin ?? origin ?? '', logId, head: unsigned, differences: [difference] }
  }
}

function readUnsigned(bytes: Uint8Array): (CheckedHead & { origin: string }) | undefined {
  try {
    return parseCheckpoint(parseSignedNote(utf8Decode(bytes)).text)
  } catch (error) {
    if (isCodedError(error)) return undefined
    throw error
  }
}
