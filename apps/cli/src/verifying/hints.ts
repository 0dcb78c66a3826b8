import type { CodedError } from '@touchmark/errors'

/**
 * What a person can do, by code, for errors that do not say it themselves (those of libs/verify do). A test goes through all codes that a verification
 * can end with.
 */
const HINTS: Readonly<Record<string, string>> = {
  BUNDLE_TOO_LARGE: 'Check that this file is a bundle; if it is, get it again from where it was published.',
  BUNDLE_JSON_INVALID: 'The file is no bundle, or was cut off: get it again from where it was published.',
  BUNDLE_MEDIA_TYPE_UNSUPPORTED: 'If a newer client wrote it, get a newer touchmark.',
  BUNDLE_FIELD_UNKNOWN: 'The file is damaged, or was written by a newer client: get a newer touchmark.',
  BUNDLE_FIELD_MISSING: 'The bundle is incomplete: sign again.',
  BUNDLE_FIELD_INVALID: 'The bundle is damaged: get it again from where it was published.',
  BUNDLE_LIMIT_EXCEEDED: 'No honest client writes such a bundle: do not trust where it came from.',
  BUNDLE_VERSION_RULE: 'The bundle is incomplete: sign again with a current client.',
  BUNDLE_DUPLICATE: 'No honest client writes such a bundle: do not trust where it came from.',
  BUNDLE_STATEMENT_INVALID: 'The signer signed something else than an attestation: ask who made it.',
  TRUST_TOO_LARGE:
    'Check that this file is a trusted root; `touchmark trust show --raw` prints the one of an instance.',
  TRUST_JSON_INVALID:
    'Check that this file is a trusted root; `touchmark trust show --raw` prints the one of an instance.',
  TRUST_MEDIA_TYPE_UNSUPPORTED:
    'Give a trusted_root.json; `touchmark trust show --raw` prints the one of an instance. If a newer client wrote it, get a newer touchmark.',
  TRUST_FIELD_MISSING: 'The trusted root is incomplete: get it again from who runs the instance.',
  TRUST_FIELD_INVALID: 'The trusted root is damaged: get it again from who runs the instance.',
  KEYFILE_PUBLIC_KEY_INVALID: 'Give the public key of the signer in PEM (PUBLIC KEY), such as cosign.pub.',
  CLI_USAGE: 'Read `touchmark verify --help`.',
  CLI_FILE_UNREADABLE: 'Check the path and who may read it.',
  CLI_FILE_UNWRITABLE: 'Check the folder, who may write in it, and the space that is left.',
  CLI_BUNDLE_MISSING: 'Get the bundle from where the file was published, or name it with --bundle.',
  CLI_NOTHING_TO_VERIFY: 'Name the files or the folder that were signed.',
  CLI_POLICY_INVALID: 'Correct the policy file; docs/policy-file.md describes it.',
  CLI_POLICY_NO_RULE: 'Add a rule for the file, or leave it out with --exclude.',
}

/** What a person can do about an error. */
export function hintFor({ code, details }: CodedError): string | undefined {
  return details.hint ?? (Object.hasOwn(HINTS, code) ? HINTS[code] : undefined)
}
