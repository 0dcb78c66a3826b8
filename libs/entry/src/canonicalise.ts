import type { CryptoPort } from '@touchmark/crypto'
import { ENTRY_VERSION } from './body.js'
import { dsseBody } from './dsse.js'
import { EntryError } from './errors.js'
import { hashedRekordBody } from './hashedrekord.js'
import type { EntryRequest } from './request.js'
import { InvalidRequest } from './verifier-key.js'

/** An entry that may be appended: its kind and version for the answer, and the bytes of the leaf. */
export interface CanonicalEntry {
  readonly kind: 'hashedrekord' | 'dsse'
  readonly version: typeof ENTRY_VERSION
  readonly body: Uint8Array
}

/**
 * Validates a request and writes the canonical body of its entry (log-v2.md §3, §4). Each kind is stored as its own type; all encodings of one request give
 * one body. Pure and synchronous; costs one signature check, for dsse at most 100.
 *
 * Throws ENTRY_HASHEDREKORD_INVALID or ENTRY_DSSE_INVALID (their texts are for the log: the client gets one fixed sentence) and ENTRY_TOO_LARGE.
 */
export function canonicalise(request: EntryRequest, crypto: CryptoPort): CanonicalEntry {
  const { kind } = request
  try {
    const body = kind === 'hashedrekord' ? hashedRekordBody(request, crypto) : dsseBody(request, crypto)
    return { kind, version: ENTRY_VERSION, body }
  } catch (cause) {
    if (!(cause instanceof InvalidRequest)) throw cause
    const code = kind === 'hashedrekord' ? 'ENTRY_HASHEDREKORD_INVALID' : 'ENTRY_DSSE_INVALID'
    throw new EntryError(code, `invalid ${kind} request: ${cause.message}`, { cause })
  }
}
