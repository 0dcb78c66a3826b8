import { CodedError } from '@touchmark/errors'

export type IdentityErrorCode =
  /** The configuration file cannot be used; the text says which rule of ca.md §6 it breaks. */
  | 'IDENTITY_CONFIG_INVALID'
  /** The token's claims do not fit the issuer's kind (ca.md §5). A client never sees the text. */
  | 'IDENTITY_CLAIMS_REFUSED'
  /** The claims fit, but no subject or extension can be made of them (ca.md §4, §7). A client sees the text. */
  | 'IDENTITY_SUBJECT_INVALID'
  | 'IDENTITY_URL_INVALID'
  | 'IDENTITY_TEMPLATE_INVALID'
  | 'IDENTITY_JSON_PATH_INVALID'

export class IdentityError extends CodedError<IdentityErrorCode> {}
