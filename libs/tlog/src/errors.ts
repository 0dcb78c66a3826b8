import { CodedError } from '@touchmark/errors'

export type TlogErrorCode =
  | 'TLOG_TILE_PATH_INVALID'
  | 'TLOG_TILE_INVALID'
  | 'TLOG_ENTRY_BUNDLE_INVALID'
  | 'TLOG_NOTE_INVALID'
  | 'TLOG_CHECKPOINT_INVALID'
  | 'TLOG_CHECKPOINT_ORIGIN'
  | 'TLOG_CHECKPOINT_SIGNATURE'
  | 'TLOG_KEY_UNSUPPORTED'

export class TlogError extends CodedError<TlogErrorCode> {}
