import { CodedError } from '@touchmark/errors'

export type BundleErrorCode =
  /** The file is longer than the limit; nothing of it was read. */
  | 'BUNDLE_TOO_LARGE'
  /** Not one strict JSON value in UTF-8 (syntax, repeated member, byte order mark, trailing text, depth). */
  | 'BUNDLE_JSON_INVALID'
  /** A media type other than those of bundles 0.1, 0.2 and 0.3. */
  | 'BUNDLE_MEDIA_TYPE_UNSUPPORTED'
  /** A member that no bundle has. */
  | 'BUNDLE_FIELD_UNKNOWN'
  | 'BUNDLE_FIELD_MISSING'
  /** A member of the wrong type, or bytes that are not standard base64, or a number out of range. */
  | 'BUNDLE_FIELD_INVALID'
  /** Too many of something, or something too long. */
  | 'BUNDLE_LIMIT_EXCEEDED'
  /** A part that this version of the format does not have, or lacks one that it must have. */
  | 'BUNDLE_VERSION_RULE'
  /** The same log entry or the same timestamp twice. */
  | 'BUNDLE_DUPLICATE'
  /** The payload of an attestation is no in-toto statement. */
  | 'BUNDLE_STATEMENT_INVALID'

export class BundleError extends CodedError<BundleErrorCode> {}
