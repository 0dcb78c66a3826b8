import { PostgresError } from './errors.js'
import type { PostgresErrorCode } from './errors.js'

/** SQLSTATE (whole, or its class of two characters) to our code: PostgreSQL documentation, Appendix A. */
const BY_STATE: Readonly<Record<string, PostgresErrorCode>> = {
  '08': 'POSTGRES_UNAVAILABLE',
  '22': 'POSTGRES_QUERY',
  '23': 'POSTGRES_CONSTRAINT',
  '25006': 'POSTGRES_READ_ONLY',
  '25P02': 'POSTGRES_ROLLED_BACK',
  '25P03': 'POSTGRES_TIMEOUT',
  '25P04': 'POSTGRES_TIMEOUT',
  '28': 'POSTGRES_REFUSED',
  '3D000': 'POSTGRES_REFUSED',
  '40': 'POSTGRES_SERIALIZATION',
  '40002': 'POSTGRES_CONSTRAINT',
  '40P01': 'POSTGRES_DEADLOCK',
  '42501': 'POSTGRES_REFUSED',
  '53100': 'POSTGRES_DISK_FULL',
  '53': 'POSTGRES_BUSY',
  '55P03': 'POSTGRES_TIMEOUT',
  '55P04': 'POSTGRES_BUSY',
  '57014': 'POSTGRES_TIMEOUT',
  '57P': 'POSTGRES_UNAVAILABLE',
  '58': 'POSTGRES_CORRUPT',
  XX001: 'POSTGRES_CORRUPT',
  XX002: 'POSTGRES_CORRUPT',
}

const NETWORK = new Set(
  'ECONNREFUSED ECONNRESET ECONNABORTED EPIPE ETIMEDOUT ENOTFOUND EAI_AGAIN EHOSTUNREACH ENETUNREACH ENETDOWN EADDRNOTAVAIL'.split(
    ' ',
  ),
)

/** What pg and pg-pool say without a code. The texts are theirs; the integration tests hold them to it. */
const BY_TEXT: readonly [RegExp, PostgresErrorCode][] = [
  [/^timeout exceeded when trying to connect/, 'POSTGRES_BUSY'],
  [/^Query read timeout/, 'POSTGRES_TIMEOUT'],
  [/^Cannot use a pool after calling end/, 'POSTGRES_CLOSED'],
  [/^Connection terminated|^timeout expired|^Client has encountered a connection error/, 'POSTGRES_UNAVAILABLE'],
  [/^Client was closed and is not queryable/, 'POSTGRES_UNAVAILABLE'],
]

interface DriverError extends Error {
  code?: unknown
  severity?: unknown
  constraint?: unknown
}

/** The driver's own error under TypeORM's QueryFailedError, if that is what it is. */
function unwrap(error: unknown): unknown {
  const inner = (error as { driverError?: unknown } | undefined)?.driverError
  return inner instanceof Error ? inner : error
}

/** True for an error that the server itself sent (it has a SQLSTATE and a severity). */
export function isServerError(error: unknown): boolean {
  const { code, severity } = unwrap(error) as DriverError
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && typeof severity === 'string'
}

function codeOfState(state: string): PostgresErrorCode {
  return BY_STATE[state] ?? BY_STATE[state.slice(0, 3)] ?? BY_STATE[state.slice(0, 2)] ?? 'POSTGRES_QUERY'
}

/**
 * Gives an error of the driver its code; any other error comes back as it is, so that what a caller throws inside a
 * transaction reaches its own caller unchanged.
 */
export function mapDriverError(error: unknown): unknown {
  const found = unwrap(error)
  if (!(found instanceof Error) || found instanceof PostgresError) return found
  const { code, constraint } = found as DriverError
  if (isServerError(found)) {
    const state = code as string
    return new PostgresError(codeOfState(state), `PostgreSQL says: ${found.message} (SQLSTATE ${state})`, {
      cause: found,
      sqlState: state,
      ...(typeof constraint === 'string' ? { constraint } : {}),
    })
  }
  const known = BY_TEXT.find(([text]) => text.test(found.message))
  return known ? new PostgresError(known[1], `PostgreSQL: ${found.message}`, { cause: found }) : found
}

/** The same for an error that a statement of ours gave: an error of the network is then one of the database's. */
export function mapStatementError(error: unknown): unknown {
  const mapped = mapDriverError(error)
  return mapped instanceof Error && 'syscall' in mapped ? mapConnectionError(mapped) : mapped
}

/** The same for an error of connecting, or of a connection known to be broken: whatever it is, the database is not there. */
export function mapConnectionError(error: unknown): PostgresError {
  const mapped = mapDriverError(error)
  if (mapped instanceof PostgresError) return mapped
  const { message, code } = mapped as DriverError
  const text = message || String(code ?? mapped)
  if (typeof code === 'string' && !NETWORK.has(code) && /CERT|TLS|SSL|SIGNATURE/.test(code)) {
    return new PostgresError('POSTGRES_REFUSED', `the TLS connection to PostgreSQL was refused: ${text}`, {
      cause: error,
      hint: 'check sslmode and sslrootcert in DATABASE_URL',
    })
  }
  return new PostgresError('POSTGRES_UNAVAILABLE', `no connection to PostgreSQL: ${text}`, {
    cause: error,
    hint: 'check that the server runs and that DATABASE_URL names it',
  })
}
