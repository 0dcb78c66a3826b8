import { CodedError } from '@touchmark/errors'

export type LogApiErrorCode =
  /** A query parameter of the certificate log's API is missing or malformed. */
  | 'LOG_PARAMETER_INVALID'
  /** No entry of the certificate log has this hash or index, in a tree of that size. */
  | 'LOG_ENTRY_NOT_FOUND'
  /** The tree does not reach as far as this tile, or the path is not one of a tile. */
  | 'LOG_TILE_NOT_FOUND'
  /** The level in a tile's path is no number (the reference tells this from a tile that is not there). */
  | 'LOG_TILE_LEVEL_INVALID'
  /** The time the client gave in Grpc-Timeout ran out; what was asked for goes on. */
  | 'LOG_DEADLINE'
  /** Grpc-Timeout is not a time. */
  | 'LOG_DEADLINE_INVALID'
  /** A request of API v1 names a tree, or sizes of one, that cannot be; the text is the reference's and may be sent. */
  | 'LOG_V1_REFUSED'
  /** The thread that validates requests does not start, has ended, or is silent; the process ends for it. */
  | 'LOG_VALIDATION_FAILED'

export class LogApiError extends CodedError<LogApiErrorCode> {}
