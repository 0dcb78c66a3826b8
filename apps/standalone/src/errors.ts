import { CodedError } from '@touchmark/errors'

export type StandaloneErrorCode =
  | 'STANDALONE_CONFIG'
  | 'STANDALONE_NO_INSTANCE'
  | 'STANDALONE_PUBLIC_URL_DIFFERS'
  | 'STANDALONE_KEYS_MISSING'
  | 'STANDALONE_DATABASE_EMPTY'
  | 'STANDALONE_KEY_DIFFERS'
  | 'STANDALONE_ISSUERS_FILE'
  | 'STANDALONE_SHARD_EXISTS'
  | 'STANDALONE_SHARD_UNKNOWN'
  | 'STANDALONE_SHARD_NEEDED'

export class StandaloneError extends CodedError<StandaloneErrorCode> {}
