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
} as const

export const EXIT_TEXT: readonly (readonly [number, string])[] = [
  [EXIT.ok, 'done'],
  [EXIT.unexpected, 'an unexpected error: a fault of touchmark'],
  [EXIT.usage, 'the command line is wrong'],
  [EXIT.notVerified, 'a signature, certificate, log entry or timestamp does not verify'],
  [EXIT.policy, 'the signature is good, but not by whom the policy demands'],
  [EXIT.trust, 'the trust root is unknown, has changed, or belongs to another instance'],
  [EXIT.login, 'no identity token, or it was refused'],
  [EXIT.service, 'a service cannot be reached or failed'],
  [EXIT.file, 'a file cannot be read or written'],
]

const BY_CODE: readonly (readonly [RegExp, number])[] = [
  [/^CLI_USAGE$|^commander\./, EXIT.usage],
  [/^CLI_FILE_/, EXIT.file],
  [/^(CLI_NO_INSTANCE|CLI_TRUST_|CLI_FINGERPRINT_|VERIFY_OTHER_INSTANCE)/, EXIT.trust],
  [/^(CLI_LOGIN_|CLI_NOT_DEMO|SIGN_TOKEN_|SIGN_EMAIL_)/, EXIT.login],
  [/^(CLI_INSTANCE_|CLI_ENTRY_|SIGN_)/, EXIT.service],
  [/^POLICY_/, EXIT.policy],
  [/^(VERIFY_|BUNDLE_|X509_|TIMESTAMP_|MERKLE_|TLOG_|ENTRY_|CRYPTO_|DER_|ENCODING_|TRUST_)/, EXIT.notVerified],
]

/** The exit code of an error; what has no code of ours is our fault. */
export function exitCodeOf(error: unknown): number {
  if (!isCodedError(error)) return EXIT.unexpected
  return BY_CODE.find(([pattern]) => pattern.test(error.code))?.[1] ?? EXIT.unexpected
}
