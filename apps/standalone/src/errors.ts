import { CodedError } from '@touchmark/errors'

export type StandaloneErrorCode =
  | 'STANDALONE_CONFIG'
  | 'STANDALONE_PUBLIC_URL_DIFFERS'
  | 'STANDALONE_KEYS_MISSING'
  | 'STANDALONE_DATABASE_EMPTY'
  | 'STANDALONE_KEY_DIFFERS'
  | 'STANDALONE_ISSUERS_FILE'

export class StandaloneError extends CodedError<StandaloneErrorCode> {}
