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
  /** A text that cannot be searched for as what it was given as. */
  | 'ENTRY_SEARCH_INVALID'
  /** A request of API v1 that is no JSON, or of other types; the text may be sent. */
  | 'ENTRY_V1_JSON'
  /** A request of API v1 of the wrong shape; carries a number of its own, and its text may be sent. */
  | 'ENTRY_V1_SHAPE'
  /** An entry of API v1 that is not valid; the text is the reference's and may be sent. */
  | 'ENTRY_V1_INVALID'

export class EntryError extends CodedError<EntryErrorCode> {}
