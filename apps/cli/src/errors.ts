import { CodedError } from '@touchmark/errors'

export type CliErrorCode =
  | 'CLI_USAGE'
  | 'CLI_FILE_UNREADABLE'
  | 'CLI_FILE_UNWRITABLE'
  | 'CLI_FILE_EXISTS'
  /** A key file needs a password, and none was given or typed. */
  | 'CLI_PASSWORD_MISSING'
  /** A new password was typed in two ways. */
  | 'CLI_PASSWORD_DIFFERS'
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
  /** The system that a token was wanted of is not here, or hands out none as it is set up. */
  | 'CLI_AMBIENT_ABSENT'
  /** The system that this runs on gave no token, or one that is none or is for somebody else. */
  | 'CLI_AMBIENT_REFUSED'
  /** There is no token, and no login was asked for. */
  | 'CLI_TOKEN_NONE'
  /** `doctor`: this machine's clock is minutes off. */
  | 'CLI_MACHINE_CLOCK'
  /** `doctor`: this Node.js is too old. */
  | 'CLI_MACHINE_NODE'
  /** `doctor`: others can write where trust roots are kept. */
  | 'CLI_MACHINE_HOME'
  /** `doctor`: nothing of a kind in the trust root is good now. */
  | 'CLI_TRUST_EXPIRED'
  /** `doctor`: a checkpoint came out of an old cache. */
  | 'CLI_INSTANCE_STALE'
  /** The CA of the instance would not take the token. */
  | 'CLI_TOKEN_UNFIT'
  /** The log has no such entry, or another one at that index. */
  | 'CLI_ENTRY_NOT_FOUND'
  /** The log shows a smaller tree than this user has seen. */
  | 'CLI_LOG_WENT_BACK'
  /** The log shows a tree that does not go on from the one this user has seen. */
  | 'CLI_LOG_FORKED'
  /** What is kept of a log cannot be read, or is not the log's. */
  | 'CLI_LOG_MEMORY_UNREADABLE'
  /** There is no bundle beside a file that is to be verified. */
  | 'CLI_BUNDLE_MISSING'
  /** No file is left to verify: nothing verified is no success. */
  | 'CLI_NOTHING_TO_VERIFY'
  /** A policy file that cannot be read as one. */
  | 'CLI_POLICY_INVALID'
  /** No rule of the policy file is about the file; what no rule is about is refused. */
  | 'CLI_POLICY_NO_RULE'
  /** What the services of the instance answered does not make a bundle that verifies. */
  | 'CLI_SIGNATURE_UNVERIFIED'
  /** A predicate or SBOM is not what its type says. */
  | 'CLI_PREDICATE_INVALID'
  /** What is to be signed as a statement is none, or is not about the files named. */
  | 'CLI_STATEMENT_INVALID'
  /** The attestation verifies and holds no SBOM, or not one of the wanted type. */
  | 'CLI_SBOM_MISSING'

export class CliError extends CodedError<CliErrorCode> {}
