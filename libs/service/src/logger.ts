import { pino, type Logger } from 'pino'

export type { Logger } from 'pino'

/** Names whose values never reach a log, wherever they stand. */
const SECRET_PATHS = [
  'token',
  'authorization',
  'password',
  'passphrase',
  'secret',
  'credentials',
  'id_token',
  'access_token',
  'code',
]

/**
 * One JSON line an event on standard error. Tokens and passwords are never handed to it; should one slip into an object under a known name,
 * it is removed here as well.
 */
export function createLogger(options: { level: string; destination?: NodeJS.WritableStream }): Logger {
  const redact = { paths: SECRET_PATHS.flatMap((name) => [name, `*.${name}`]), censor: '[removed]' }
  return pino(
    { level: options.level, base: null, redact, timestamp: pino.stdTimeFunctions.isoTime },
    options.destination ?? pino.destination(2),
  )
}
