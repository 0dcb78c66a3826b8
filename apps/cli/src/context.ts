import { randomBytes } from 'node:crypto'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { systemClock, type Clock } from '@touchmark/clock'
import type { AmbientPlaces } from './ambient/provider.js'
import { HTTP_DEFAULTS, type HttpOptions } from '@touchmark/sign'
import { CliError } from './errors.js'
import { nodeFetch } from './node-fetch.js'

/** What every command is handed: the outside world, in one place. */
export interface CliContext {
  readonly clock: Clock
  readonly environment: NodeJS.ProcessEnv
  readonly http: HttpOptions
  /** Where trust roots and logins are kept. */
  readonly home: string
  /** Where systems put tokens and signs of themselves, if it is not where they usually do. */
  readonly ambientPlaces?: AmbientPlaces
  readonly json: boolean
  /** A person looks at standard error: progress may be shown there. */
  readonly interactive: boolean
  out(text: string): void
  err(text: string): void
}

/** `TOUCHMARK_HOME`, else the configuration folder of the system. */
function homeFolder(environment: NodeJS.ProcessEnv): string {
  const own = environment['TOUCHMARK_HOME']
  if (own !== undefined && own !== '') return own
  const config = environment['XDG_CONFIG_HOME']
  return join(config !== undefined && config !== '' ? config : join(homedir(), '.config'), 'touchmark')
}

/**
 * `TOUCHMARK_TIMEOUT`: the seconds that a service has for one answer; all tries of one request together have five times that. Throws CLI_USAGE.
 */
function timeouts(environment: NodeJS.ProcessEnv): Pick<HttpOptions, 'timeoutMs' | 'deadlineMs'> {
  const text = environment['TOUCHMARK_TIMEOUT']
  if (text === undefined || text === '') return HTTP_DEFAULTS
  if (!/^\d{1,4}$/.test(text) || Number(text) < 1 || Number(text) > 3600)
    throw new CliError(
      'CLI_USAGE',
      `TOUCHMARK_TIMEOUT must be a number of seconds from 1 to 3600, not ${text.slice(0, 20)}`,
    )
  return { timeoutMs: Number(text) * 1000, deadlineMs: Number(text) * 5000 }
}

export function createContext(options: { json?: boolean }): CliContext {
  let http: HttpOptions | undefined
  return {
    clock: systemClock,
    environment: process.env,
    // Read when it is needed, where a wrong setting ends as an error of the command.
    get http() {
      return (http ??= httpOptions(process.env))
    },
    home: homeFolder(process.env),
    json: options.json === true,
    interactive: process.stderr.isTTY === true && options.json !== true,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
  }
}

function httpOptions(environment: NodeJS.ProcessEnv): HttpOptions {
  return {
    ...HTTP_DEFAULTS,
    ...timeouts(environment),
    fetch: nodeFetch,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    random: () => randomBytes(4).readUInt32BE() / 2 ** 32,
  }
}
