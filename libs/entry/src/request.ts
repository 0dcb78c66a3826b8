import { decodeProtoJson, EncodingError } from '@touchmark/encoding'
import { EntryError } from './errors.js'
import { createEntryRequest } from './proto.js'

/** Verifier of a request, as sent; at most one of the two materials is there. */
export interface RequestVerifier {
  readonly publicKey?: { readonly rawBytes?: Uint8Array }
  readonly x509Certificate?: { readonly rawBytes?: Uint8Array }
  readonly keyDetails?: number
}

export interface HashedRekordRequest {
  readonly kind: 'hashedrekord'
  readonly digest?: Uint8Array
  readonly signature?: { readonly content?: Uint8Array; readonly verifier?: RequestVerifier }
}

export interface DsseRequest {
  readonly kind: 'dsse'
  readonly envelope?: {
    readonly payload?: Uint8Array
    readonly payloadType?: string
    readonly signatures?: readonly { readonly sig?: Uint8Array; readonly keyid?: string }[]
  }
  readonly verifiers?: readonly RequestVerifier[]
}

/** A request whose shape is right; nothing of what it says has been checked. */
export type EntryRequest = HashedRekordRequest | DsseRequest

/**
 * Reads the body of `POST /api/v2/log/entries` (log-v2.md §2): proto JSON, unknown members refused, the first JSON value only, nothing = `{}`.
 * The caller bounds the size. Throws ENTRY_JSON_INVALID (the parser's text may be sent to the client) and ENTRY_KIND_MISSING.
 */
export function parseEntryRequest(bytes: Uint8Array): EntryRequest {
  let message: { hashedRekordRequestV002?: object; dsseRequestV002?: object }
  try {
    message = decodeProtoJson(bytes, createEntryRequest, { unknownFields: 'refuse' })
  } catch (cause) {
    if (cause instanceof EncodingError) throw new EntryError('ENTRY_JSON_INVALID', cause.message, { cause })
    throw cause
  }
  if (message.hashedRekordRequestV002 !== undefined) {
    return { kind: 'hashedrekord', ...message.hashedRekordRequestV002 }
  }
  if (message.dsseRequestV002 !== undefined) return { kind: 'dsse', ...message.dsseRequestV002 }
  throw new EntryError('ENTRY_KIND_MISSING', 'the request names no kind of entry')
}
