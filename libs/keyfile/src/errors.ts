import { CodedError } from '@touchmark/errors'

export type KeyfileErrorCode =
  /** Not an encrypted private key file of cosign's format. */
  | 'KEYFILE_INVALID'
  /** A key file whose key derivation or cipher is not the one that is read. */
  | 'KEYFILE_UNSUPPORTED'
  /** The password does not open the file, or the file was changed; one sentence, since nobody can tell them apart. */
  | 'KEYFILE_PASSWORD_WRONG'
  /** A password of more bytes than are taken. */
  | 'KEYFILE_PASSWORD_TOO_LONG'
  /** A private key of a kind or size that is not signed with here, or a weak one. */
  | 'KEYFILE_KEY_UNSUPPORTED'
  /** Not one public key in PEM. */
  | 'KEYFILE_PUBLIC_KEY_INVALID'
  /** Not one private key in PEM that can be imported. */
  | 'KEYFILE_IMPORT_INVALID'
  /** The private key to import is encrypted in another format. */
  | 'KEYFILE_IMPORT_ENCRYPTED'

export class KeyfileError extends CodedError<KeyfileErrorCode> {}
