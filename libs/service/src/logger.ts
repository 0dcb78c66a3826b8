import { pino, type Logger } from 'pino'
import { escapeUnprintable } from './unprintable.js'

export type { Logger } from 'pino'

/** Names whose values never reach a log, wherever they stand. `code` is none of them: our errors are known by it. */
const SECRET_NAMES = [
  'token',
  'authorization',
  'cookie',
  'password',
  'passphrase',
  'secret',
  'credentials',
  'id_token',
  'access_token',
  'code_verifier',
]
/** What a secret looks like inside a text: a JSON Web Token, and the password of a URL. */
const TOKEN = /\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?/g
const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@"]*:)[^\s/@"]+@/gi

/**
 * One JSON line an event on standard error. Tokens and passwords are never handed to it; should one slip into an object under a known name,
 * or into a text, it is removed here as well. A client's text can put nothing into a terminal that shows the log (reliability test A6).
 */
export function createLogger(options: { level: string; destination?: NodeJS.WritableStream }): Logger {
  const paths = SECRET_NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`])
  return pino(
    {
      level: options.level,
      base: null,
      redact: { paths, censor: '[removed]' },
      timestamp: pino.stdTimeFunctions.isoTime,
      hooks: {
        streamWrite: (line) =>
          escapeUnprintable(line.replace(TOKEN, '[removed]').replace(URL_PASSWORD, '$1[removed]@')),
      },
    },
    options.destination ?? pino.destination(2),
  )
}
