/** What a person can do about an error that does not say it itself; the first pattern that fits. docs/errors.md says more. */
const NEXT_STEPS: readonly (readonly [RegExp, string])[] = [
  [/^(CLI_USAGE|POLICY_EMPTY|POLICY_INVALID)$/, 'See the command with --help: it ends with an example.'],
  [/^CLI_FILE_UNREADABLE$/, 'Check the path, and that you may read it.'],
  [/^CLI_FILE_UNWRITABLE$/, 'Check the folder, its permissions and the space on its disk.'],
  [
    /^CLI_LOGIN_TIMEOUT$/,
    'Run the command again; without a browser here use --device, in a pipeline --identity-token.',
  ],
  [
    /^(CLI_LOGIN_|CLI_NOT_DEMO)/,
    'Run the command again; if it goes on, tell who runs the identity provider what is said here.',
  ],
  [/^SIGN_TOKEN_/, 'Give a fresh token: the JWT itself, or a file that holds nothing else.'],
  [/^SIGN_EMAIL_/, 'Have the identity provider verify the e-mail address, then log in again.'],
  [
    /^(CLI_INSTANCE_|SIGN_|TRUST_SERVICE_)/,
    'Check the address of the instance and what stands between; if it goes on, tell who runs it.',
  ],
  [
    /^(CLI_TRUST_|VERIFY_TRUSTED_ROOT_|TRUST_)/,
    'Get the trusted root again from who runs the instance, and compare its fingerprint.',
  ],
  [/^KEYFILE_/, 'Check that it is the right key file, and the right password.'],
  [/^BUNDLE_/, 'This is no bundle, or a damaged one. Get it again from where the file came from.'],
  [
    /^POLICY_/,
    'The signature is good, but not what you asked for. Do not use the file unless you meant something else.',
  ],
  [
    /^(VERIFY_|X509_|TIMESTAMP_|MERKLE_|TLOG_|ENTRY_|DER_|ENCODING_)/,
    'Do not use the file. Get file and bundle again; if it goes on, tell who signed it.',
  ],
]

/** The advice for an error code that comes without one; undefined where there is none to give. */
export function nextStep(code: string): string | undefined {
  return NEXT_STEPS.find(([pattern]) => pattern.test(code))?.[1]
}
