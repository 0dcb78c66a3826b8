import { CodedError } from '@touchmark/errors'

export type CliErrorCode =
  | 'CLI_USAGE'
  | 'CLI_FILE_UNREADABLE'
  | 'CLI_FILE_EXISTS'
  | 'CLI_NO_INSTANCE'
  | 'CLI_INSTANCE_UNREACHABLE'
  | 'CLI_INSTANCE_ANSWER'
  | 'CLI_TRUST_CHANGED'
  | 'CLI_TRUST_UNKNOWN'
  | 'CLI_FINGERPRINT_MISMATCH'
  | 'CLI_LOGIN_FAILED'
  | 'CLI_LOGIN_STATE'
  | 'CLI_LOGIN_NONCE'
  | 'CLI_LOGIN_TIMEOUT'
  | 'CLI_NOT_DEMO'
  | 'CLI_ENTRY_NOT_FOUND'

export class CliError extends CodedError<CliErrorCode> {}
