import { randomBytes } from 'node:crypto'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { systemClock, type Clock } from '@touchmark/clock'
import { HTTP_DEFAULTS, type HttpOptions } from '@touchmark/sign'

/** What every command is handed: the outside world, in one place. */
export interface CliContext {
  readonly clock: Clock
  readonly environment: NodeJS.ProcessEnv
  readonly http: HttpOptions
  /** Where trust roots and logins are kept. */
  readonly home: string
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

export function createContext(options: { json?: boolean }): CliContext {
  return {
    clock: systemClock,
    environment: process.env,
    http: {
      ...HTTP_DEFAULTS,
      fetch: (url, init) => fetch(url, init),
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      random: () => randomBytes(4).readUInt32BE() / 2 ** 32,
    },
    home: homeFolder(process.env),
    json: options.json === true,
    interactive: process.stderr.isTTY === true && options.json !== true,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
  }
}
