import { CodedError } from '@touchmark/errors'

export type KeysErrorCode =
  /** The passphrase does not open the store; one sentence whatever the reason. */
  | 'KEYS_PASSPHRASE_WRONG'
  /** No passphrase is given, or it is empty or too long. */
  | 'KEYS_PASSPHRASE_MISSING'
  /** A file of the store is damaged, altered, or belongs to another name. */
  | 'KEYS_FILE_INVALID'
  /** A file or the folder is open to other users of the machine. */
  | 'KEYS_PERMISSIONS'
  /** There is a file of this name already; nothing is ever overwritten. */
  | 'KEYS_EXISTS'
  | 'KEYS_NOT_FOUND'
  | 'KEYS_NAME_INVALID'
  /** The file system said no (full, read-only, no hard links). */
  | 'KEYS_STORAGE'

export class KeysError extends CodedError<KeysErrorCode> {}
