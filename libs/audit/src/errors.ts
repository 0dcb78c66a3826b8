import { CodedError } from '@touchmark/errors'

export type AuditErrorCode =
  /** The file of a check that was interrupted cannot be gone on from. */
  | 'AUDIT_STATE_INVALID'
  /** It belongs to another log, or to a head that this log does not have. */
  | 'AUDIT_STATE_OTHER_LOG'
  /** The target of an export holds something else, or more. */
  | 'AUDIT_EXPORT_REFUSED'
  | 'AUDIT_EXPORT_FAILED'
  /** What an export is to go to cannot be an S3 target. */
  | 'AUDIT_TARGET_INVALID'
  /** The tiles of a log that was to be exported do not lead to its checkpoint. */
  | 'AUDIT_LOG_INCONSISTENT'
  /** The check cannot run at all: a thread ended. */
  | 'AUDIT_THREAD_FAILED'

export class AuditError extends CodedError<AuditErrorCode> {}
