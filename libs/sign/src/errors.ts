import { CodedError } from '@touchmark/errors'

export type SignErrorCode =
  | 'SIGN_SERVICE_UNREACHABLE'
  | 'SIGN_SERVICE_FAILED'
  | 'SIGN_SERVICE_ANSWER'
  | 'SIGN_REQUEST_REFUSED'
  | 'SIGN_TOKEN_MALFORMED'
  | 'SIGN_TOKEN_REFUSED'
  | 'SIGN_EMAIL_NOT_VERIFIED'

export class SignError extends CodedError<SignErrorCode> {}
