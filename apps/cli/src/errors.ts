import { CodedError } from '@touchmark/errors'

export type CliErrorCode =
  | 'CLI_USAGE'
  | 'CLI_FILE_UNREADABLE'
  | 'CLI_FILE_UNWRITABLE'
  | 'CLI_FILE_EXISTS'
  /** Nobody said which instance is meant. */
  | 'CLI_NO_INSTANCE'
  /** What an instance answered is not what a Touchmark instance answers. */
  | 'CLI_INSTANCE_ANSWER'
  /** The trust root is not the one that was stored at first use. */
  | 'CLI_TRUST_CHANGED'
  /** What is stored about an instance cannot be read, or its trusted root has no log. */
  | 'CLI_TRUST_UNKNOWN'
  /** The trust root is not the one whose fingerprint was given. */
  | 'CLI_FINGERPRINT_MISMATCH'
  | 'CLI_LOGIN_FAILED'
  /** The answer of the browser belongs to another login. */
  | 'CLI_LOGIN_STATE'
  /** The identity token was made for another login. */
  | 'CLI_LOGIN_NONCE'
  | 'CLI_LOGIN_TIMEOUT'
  | 'CLI_NOT_DEMO'
  /** The log has no such entry, or another one at that index. */
  | 'CLI_ENTRY_NOT_FOUND'
  /** What the services of the instance answered does not make a bundle that verifies. */
  | 'CLI_SIGNATURE_UNVERIFIED'

export class CliError extends CodedError<CliErrorCode> {}
