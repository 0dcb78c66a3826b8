import { CodedError } from '@touchmark/errors'

export type EntryErrorCode =
  /** The request is not proto JSON of its message; the text is the parser's, in the reference's words, and may be sent. */
  | 'ENTRY_JSON_INVALID'
  /** The request names no kind of entry. */
  | 'ENTRY_KIND_MISSING'
  /** A hashedrekord request that is not valid; the text says why and is for the log. */
  | 'ENTRY_HASHEDREKORD_INVALID'
  /** A dsse request that is not valid; the text says why and is for the log. */
  | 'ENTRY_DSSE_INVALID'
  /** The entry would have more bytes than an entry bundle can hold. */
  | 'ENTRY_TOO_LARGE'
  /** Bytes that are no canonical body of an entry. */
  | 'ENTRY_BODY_INVALID'

export class EntryError extends CodedError<EntryErrorCode> {}
