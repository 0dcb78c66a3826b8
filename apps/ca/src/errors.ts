import { CodedError } from '@touchmark/errors'

export type CaErrorCode =
  /** Missing, malformed, of an unknown issuer, not signed by it, not for us, or not now. The text is for the audit log only. */
  | 'CA_TOKEN_REFUSED'
  /** The issuer's keys cannot be had: no answer, a wrong one, or an address that must not be asked. */
  | 'CA_ISSUER_UNAVAILABLE'
  | 'CA_CSR_UNPARSABLE'
  | 'CA_KEY_UNPARSABLE'
  | 'CA_KEY_INSECURE'
  | 'CA_PROOF_INVALID'
  | 'CA_ALGORITHM_REFUSED'
  /** The token was used for this key before: one request is answered with one certificate. */
  | 'CA_REQUEST_REPLAYED'
  /** A CSR, which does not say who sends it, for a key that was certified for somebody else. */
  | 'CA_KEY_OF_ANOTHER'
  /** The record of what was certified does not answer: nothing is issued without it. */
  | 'CA_RECORD_UNAVAILABLE'

export class CaError extends CodedError<CaErrorCode> {}
