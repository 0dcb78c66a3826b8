import type { CodedError } from '@touchmark/errors'

const OF_A_ROOT = 'Check that this file is a trusted root; `touchmark trust show --raw` prints the one of an instance.'
const DISHONEST = 'No honest client writes such a bundle: do not trust where it came from.'

/** What a person can do, by code, for errors that do not say it themselves. docs/errors.md says more. */
const BY_CODE: Readonly<Record<string, string>> = {
  BUNDLE_TOO_LARGE: 'Check that this file is a bundle; if it is, get it again from where it was published.',
  BUNDLE_JSON_INVALID: 'The file is no bundle, or was cut off: get it again from where it was published.',
  BUNDLE_MEDIA_TYPE_UNSUPPORTED: 'If a newer client wrote it, get a newer touchmark.',
  BUNDLE_FIELD_UNKNOWN: 'The file is damaged, or was written by a newer client: get a newer touchmark.',
  BUNDLE_FIELD_MISSING: 'The bundle is incomplete: sign again.',
  BUNDLE_FIELD_INVALID: 'The bundle is damaged: get it again from where it was published.',
  BUNDLE_LIMIT_EXCEEDED: DISHONEST,
  BUNDLE_VERSION_RULE: 'The bundle is incomplete: sign again with a current client.',
  BUNDLE_DUPLICATE: DISHONEST,
  BUNDLE_STATEMENT_INVALID: 'The signer signed something else than an attestation: ask who made it.',
  TRUST_TOO_LARGE: OF_A_ROOT,
  TRUST_JSON_INVALID: OF_A_ROOT,
  TRUST_MEDIA_TYPE_UNSUPPORTED:
    'Give a trusted_root.json; `touchmark trust show --raw` prints the one of an instance. If a newer client wrote it, get a newer touchmark.',
  TRUST_FIELD_MISSING: 'The trusted root is incomplete: get it again from who runs the instance.',
  TRUST_FIELD_INVALID: 'The trusted root is damaged: get it again from who runs the instance.',
  KEYFILE_PUBLIC_KEY_INVALID: 'Give the public key of the signer in PEM (PUBLIC KEY), such as cosign.pub.',
  POLICY_EMPTY: 'Name the identity that must have signed and the issuer that vouches for it.',
  CLI_USAGE: 'See the command with --help: it ends with an example.',
  POLICY_INVALID: 'See the command with --help: it ends with an example.',
  CLI_FILE_UNREADABLE: 'Check the path, and that you may read it.',
  CLI_FILE_UNWRITABLE: 'Check the folder, its permissions and the space on its disk.',
  CLI_BUNDLE_MISSING: 'Get the bundle from where the file was published, or name it with --bundle.',
  CLI_NOTHING_TO_VERIFY: 'Name the files or the folder that were signed.',
  CLI_POLICY_INVALID: 'Correct the policy file; docs/policy-file.md describes it.',
  CLI_POLICY_NO_RULE: 'Add a rule for the file, or leave it out with --exclude.',
  CLI_ENTRY_NOT_FOUND:
    'Check the index and the instance; `touchmark log search` finds entries by what was signed and by whom.',
  CLI_LOGIN_TIMEOUT: 'Run the command again; without a browser here use --device, in a pipeline --identity-token.',
}

/** What holds for the rest of a family: the first pattern that fits. */
const BY_FAMILY: readonly (readonly [RegExp, string])[] = [
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

/** What a person can do about an error: what it says itself, else what is known about its code; undefined where there is no advice to give. */
export function adviceFor({ code, details }: CodedError): string | undefined {
  if (details.hint !== undefined) return details.hint
  return Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : BY_FAMILY.find(([pattern]) => pattern.test(code))?.[1]
}
