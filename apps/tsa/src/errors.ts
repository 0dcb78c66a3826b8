import { CodedError } from '@touchmark/errors'

export type TsaErrorCode =
  'TSA_CLOCK_UNPROVEN' | 'TSA_BODY_MISSING' | 'TSA_MEDIA_TYPE_INVALID' | 'TSA_MEDIA_TYPE_UNSUPPORTED'

export class TsaError extends CodedError<TsaErrorCode> {}
