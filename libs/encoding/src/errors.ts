import { CodedError } from '@touchmark/errors'

export type EncodingErrorCode =
  'ENCODING_BASE64' | 'ENCODING_HEX' | 'ENCODING_UTF8' | 'ENCODING_PEM' | 'ENCODING_JSON' | 'DER_INVALID'

export class EncodingError extends CodedError<EncodingErrorCode> {}
