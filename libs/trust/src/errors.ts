import { CodedError } from '@touchmark/errors'

export type TrustErrorCode =
  | 'TRUST_TOO_LARGE'
  /** Not proto JSON of the message that was expected (syntax, unknown or repeated member, wrong kind of value). */
  | 'TRUST_JSON_INVALID'
  | 'TRUST_MEDIA_TYPE_UNSUPPORTED'
  /** A member that must be there is not. */
  | 'TRUST_FIELD_MISSING'
  | 'TRUST_FIELD_INVALID'
  /** No service of that kind and version is valid at the time. */
  | 'TRUST_SERVICE_NONE'
  /** The signing config asks for a number of services that it does not have. */
  | 'TRUST_SERVICE_COUNT'

export class TrustError extends CodedError<TrustErrorCode> {}
