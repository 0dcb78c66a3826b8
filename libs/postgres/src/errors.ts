import { CodedError } from '@touchmark/errors'
import type { ErrorDetails } from '@touchmark/errors'

/** The codes of everything that can go wrong with the database; listed in docs/errors.md. */
export type PostgresErrorCode =
  // The server or the connection
  | 'POSTGRES_UNAVAILABLE'
  | 'POSTGRES_BUSY'
  | 'POSTGRES_REFUSED'
  | 'POSTGRES_TOO_OLD'
  | 'POSTGRES_URL_INVALID'
  | 'POSTGRES_CLOSED'
  // A statement or a transaction
  | 'POSTGRES_COMMIT_UNKNOWN'
  | 'POSTGRES_ROLLED_BACK'
  | 'POSTGRES_TIMEOUT'
  | 'POSTGRES_SERIALIZATION'
  | 'POSTGRES_DEADLOCK'
  | 'POSTGRES_CONSTRAINT'
  | 'POSTGRES_DISK_FULL'
  | 'POSTGRES_READ_ONLY'
  | 'POSTGRES_CORRUPT'
  | 'POSTGRES_QUERY'
  // The schema
  | 'POSTGRES_SCHEMA_NEWER'
  | 'POSTGRES_MIGRATION_FAILED'
  // The embedded server
  | 'POSTGRES_IN_USE'
  | 'POSTGRES_BINARIES'
  | 'POSTGRES_DATA_INVALID'
  | 'POSTGRES_START_FAILED'
  | 'POSTGRES_STOP_FAILED'

export interface PostgresErrorDetails extends ErrorDetails {
  /** The five characters of SQLSTATE, when the server sent one. */
  sqlState?: string
  /** The constraint that a POSTGRES_CONSTRAINT broke. */
  constraint?: string
}

export class PostgresError extends CodedError<PostgresErrorCode> {
  readonly sqlState: string | undefined
  readonly constraint: string | undefined

  constructor(code: PostgresErrorCode, message: string, details: PostgresErrorDetails = {}) {
    const { sqlState, constraint, ...rest } = details
    super(code, message, rest)
    this.sqlState = sqlState
    this.constraint = constraint
  }
}

/** True for an outcome that another attempt of the same transaction can change: nothing was committed. */
export function isRetryable(error: unknown): boolean {
  return (
    error instanceof PostgresError && (error.code === 'POSTGRES_SERIALIZATION' || error.code === 'POSTGRES_DEADLOCK')
  )
}
