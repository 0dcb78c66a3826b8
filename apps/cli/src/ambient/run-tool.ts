import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { printableExcerpt } from '@touchmark/sign'
import { CliError } from '../errors.js'
import { ANSWER_LIMIT_BYTES } from './ask-service.js'
import type { AmbientOutside } from './provider.js'

const TIMEOUT_MS = 30_000

/** Where a program is in the PATH; undefined when it is not. */
export async function findTool(name: string, outside: AmbientOutside): Promise<string | undefined> {
  for (const folder of (outside.environment['PATH'] ?? '').split(delimiter)) {
    if (folder === '') continue
    const path = join(folder, name)
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (found) return path
  }
  return undefined
}

/**
 * Runs a CI system's own tool, with no shell, and takes what it prints as the token: at most 128 KiB, within 30 s. Its standard output is never shown.
 * Throws CLI_AMBIENT_REFUSED.
 */
export async function runTool(
  name: string,
  args: readonly string[],
  outside: AmbientOutside,
  timeoutMs = TIMEOUT_MS,
): Promise<string> {
  const path = await findTool(name, outside)
  if (path === undefined) throw new CliError('CLI_AMBIENT_REFUSED', `there is no ${name} in the PATH`)
  return new Promise((resolve, reject) => {
    const options = {
      env: outside.environment,
      timeout: timeoutMs,
      killSignal: 'SIGKILL' as const,
      maxBuffer: ANSWER_LIMIT_BYTES,
      encoding: 'utf8' as const,
    }
    const child = execFile(path, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout.trim())
      const why = error.killed === true ? `it took longer than ${timeoutMs / 1000} s` : printableExcerpt(stderr)
      const found = error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER' ? 'it printed too much' : why
      reject(
        new CliError('CLI_AMBIENT_REFUSED', `${name} gave no token`, { found: found || `it ended with ${error.code}` }),
      )
    })
    child.stdin?.end()
  })
}
