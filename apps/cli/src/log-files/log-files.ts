import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ReadPath } from '@touchmark/audit'
import { excerpt, HttpFiles } from '@touchmark/sign'
import type { CliContext } from '../context.js'
import { CliError } from '../errors.js'

/** A full bundle of the longest entries (256 × 65,537 bytes) is the largest file of a log. */
const MAX_FILE_BYTES = 17 << 20

/** Where a log's files are: an address with a path (`https://…/api/v2`), a `file:` address or a folder. */
export interface LogFiles {
  /** The address without a slash at its end, or the folder. */
  readonly place: string
  readonly isFolder: boolean
  /** Throws SIGN_SERVICE_* and CLI_INSTANCE_ANSWER over HTTP, CLI_FILE_UNREADABLE in a folder. */
  readonly read: ReadPath
  close(): void
}

/** Opens what `--url` names. Throws CLI_USAGE. */
export async function openLogFiles(context: CliContext, url: string, connections: number): Promise<LogFiles> {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol === 'http:' || parsed?.protocol === 'https:') return httpFiles(context, parsed, connections)
  if (parsed !== undefined && parsed.protocol !== 'file:') {
    throw new CliError(
      'CLI_USAGE',
      `--url must be an http, https or file address, or a folder, not ${url.slice(0, 100)}`,
    )
  }
  const folder = parsed === undefined ? url : fileURLToPath(parsed)
  const found = await stat(folder).catch(() => undefined)
  if (!found?.isDirectory()) throw new CliError('CLI_USAGE', `${folder} is no folder, and no http or https address`)
  return { place: folder, isFolder: true, read: (path) => readFolder(folder, path), close: () => undefined }
}

function httpFiles(context: CliContext, url: URL, connections: number): LogFiles {
  if (`${url.username}${url.password}${url.search}${url.hash}` !== '') {
    throw new CliError('CLI_USAGE', 'the address of a log has no user, query or fragment')
  }
  const place = url.href.replace(/\/+$/, '')
  const { timeoutMs, tries, sleep, random } = context.http
  const http = new HttpFiles({ connections, timeoutMs, tries, sleep, random, limitBytes: MAX_FILE_BYTES })
  return {
    place,
    isFolder: false,
    async read(path) {
      const { status, body } = await http.read('transparency log', `${place}/${path}`)
      if (status === 200) return body
      if (status === 404 || status === 410) return undefined
      throw new CliError('CLI_INSTANCE_ANSWER', `the log answered ${status} to ${path}`, { found: excerpt(body) })
    },
    close: () => http.close(),
  }
}

async function readFolder(folder: string, path: string): Promise<Uint8Array | undefined> {
  const file = join(folder, path)
  try {
    const { size } = await stat(file)
    if (size > MAX_FILE_BYTES) {
      throw new CliError('CLI_FILE_UNREADABLE', `${file} is larger than any file of a log`, { found: `${size} bytes` })
    }
    return await readFile(file)
  } catch (cause) {
    if (cause instanceof CliError) throw cause
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new CliError('CLI_FILE_UNREADABLE', `${file} cannot be read`, { cause, found: message })
  }
}
