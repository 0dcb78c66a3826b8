import { CodedError } from '@touchmark/errors'

export type IssuanceErrorCode =
  /** The issuer was put together wrongly: key, chain or log key do not fit. */
  | 'CA_CONFIG_INVALID'
  /** The subject cannot be written into a certificate; the text is the one of the reference. */
  | 'CA_SAN_NOT_IA5'
  /** The subject is empty or not well-formed text. */
  | 'CA_SAN_INVALID'
  /** Names and extensions make a certificate that no log could hold. */
  | 'CA_CERTIFICATE_TOO_LARGE'
  /** The token's issuer is empty; the text is the one of the reference. */
  | 'CA_ISSUER_EMPTY'
  /** What was about to be signed breaks the certificate profile; `cause` has the X509_LINT_* code. */
  | 'CA_LINT_FAILED'
  /** A certificate of now would not lie inside the validity of a CA above it. */
  | 'CA_CHAIN_EXPIRED'
  /** The CA's key could not sign, or what it signed does not verify. */
  | 'CA_SIGNING_FAILED'
  /** The certificate log failed or did not answer in time: it may have the entry. */
  | 'CA_CT_LOG_FAILED'
  /** The certificate log did not take the precertificate, and surely does not have it. */
  | 'CA_CT_LOG_REFUSED'
  /** The certificate log's SCT is not one of our log over this precertificate, now. */
  | 'CA_SCT_INVALID'
  /** The certificate is not its precertificate with the SCT list in place of the poison. */
  | 'CA_CERTIFICATE_MISMATCH'
  /** A step was given something that the step before did not make, or made for a use that is over: a bug of ours. */
  | 'CA_STEP_REPEATED'

export class IssuanceError extends CodedError<IssuanceErrorCode> {}
