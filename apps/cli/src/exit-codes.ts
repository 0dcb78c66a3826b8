import { isCodedError } from '@touchmark/errors'

/** What a script may rely on; `touchmark --help` and docs/cli.md list the same. */
export const EXIT = {
  ok: 0,
  unexpected: 1,
  usage: 2,
  notVerified: 3,
  policy: 4,
  trust: 5,
  login: 6,
  service: 7,
  file: 8,
  serving: 9,
  damaged: 10,
  machine: 11,
} as const

export const EXIT_TEXT: readonly (readonly [number, string])[] = [
  [EXIT.ok, 'done'],
  [EXIT.unexpected, 'an unexpected error: a fault of touchmark, or its output could not be written'],
  [EXIT.usage, 'the command line is wrong'],
  [EXIT.notVerified, 'a signature, certificate, log entry or timestamp is missing or does not verify'],
  [
    EXIT.policy,
    'the signature is good, but not by whom or not for what was asked; or no rule is about the file, and it was not looked at',
  ],
  [EXIT.trust, 'the trust root is unknown or unusable, has changed, or belongs to another instance'],
  [EXIT.login, 'no identity token or password, or it was refused'],
  [EXIT.service, 'a service cannot be reached, failed or answered nonsense'],
  [EXIT.file, 'a file cannot be read or written, or is there already'],
  [EXIT.serving, 'the stack of `touchmark up` could not start'],
  [EXIT.damaged, '`log fsck` found a log to be damaged: the report names what differs'],
  [EXIT.machine, '`doctor` found this machine unfit: its clock, its Node.js, or who can write its trust roots'],
]

/** The first pattern that fits decides. */
const BY_CODE: readonly (readonly [RegExp, number])[] = [
  [
    /^(CLI_USAGE|CLI_POLICY_INVALID|CLI_PREDICATE_INVALID|CLI_STATEMENT_INVALID|POLICY_EMPTY|POLICY_INVALID|ENTRY_SEARCH_INVALID|LEDGER_RECOVERY_REFUSED|AUDIT_TARGET_INVALID)$/,
    EXIT.usage,
  ],
  [/^(CLI_FILE_|CLI_LOG_MEMORY_|AUDIT_STATE_|AUDIT_EXPORT_)/, EXIT.file],
  [/^KEYFILE_(?!PASSWORD_)/, EXIT.file],
  [/^AUDIT_LOG_/, EXIT.damaged],
  [/^CLI_MACHINE_/, EXIT.machine],
  [/^TRUST_SERVICE_/, EXIT.service],
  [/^(CLI_NO_INSTANCE|CLI_TRUST_|CLI_FINGERPRINT_|VERIFY_OTHER_INSTANCE|VERIFY_TRUSTED_ROOT_|TRUST_)/, EXIT.trust],
  [
    /^(CLI_LOGIN_|CLI_PASSWORD_|KEYFILE_PASSWORD_|CLI_NOT_DEMO|CLI_AMBIENT_|CLI_TOKEN_|SIGN_TOKEN_|SIGN_EMAIL_)/,
    EXIT.login,
  ],
  [/^(CLI_INSTANCE_|SIGN_)/, EXIT.service],
  [/^(POLICY_|CLI_POLICY_|CLI_SBOM_MISSING)/, EXIT.policy],
  [/^(CLI_ENTRY_|CLI_SIGNATURE_|CLI_BUNDLE_|CLI_NOTHING_|CLI_LOG_)/, EXIT.notVerified],
  [/^(VERIFY_|BUNDLE_|X509_|TIMESTAMP_|MERKLE_|TLOG_|ENTRY_|CRYPTO_|DER_|ENCODING_)/, EXIT.notVerified],
  [/^(AUDIT_|STANDALONE_|KEYS_|POSTGRES_|LEDGER_|SERVICE_|IDENTITY_|CA_|LOG_|TSA_)/, EXIT.serving],
]

/** The exit code of an error; what has no code of ours is our fault. */
export function exitCodeOf(error: unknown): number {
  if (!isCodedError(error)) return EXIT.unexpected
  return BY_CODE.find(([pattern]) => pattern.test(error.code))?.[1] ?? EXIT.unexpected
}
