import { base64Decode, base64Encode, EncodingError } from '@touchmark/encoding'
import { EntryError } from '../errors.js'
import { invalid } from './errors.js'

/** Bytes of a request, and the one text that stands for them in an entry. */
export interface Decoded {
  readonly bytes: Uint8Array
  /** Standard base64 with padding, on one line. */
  readonly text: string
}

const FOREIGN = /[^A-Za-z0-9+/]/

/** Decodes as Go does: standard alphabet with padding, CR and LF skipped, any trailing bits. Undefined when it is not base64. */
export function tryBase64(text: string): Decoded | undefined {
  try {
    return { bytes: base64Decode(text), text }
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error
  }
  try {
    const bytes = base64Decode(text.replaceAll(/[\r\n]/g, ''), { trailingBits: 'any' })
    return { bytes, text: base64Encode(bytes) }
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error
    return undefined
  }
}

/** The same for a member that must be base64; throws ENTRY_V1_INVALID and calls the member `what`. */
export function decodeBase64(text: string, what: string): Decoded {
  const decoded = tryBase64(text)
  if (decoded !== undefined) return decoded
  return invalid(`failed parsing base64 data for ${what}: ${illegalBase64(text)}`)
}

/** The same for a member of a query, where the whole body is refused. Throws ENTRY_V1_JSON. */
export function decodeQueryBase64(text: string): Decoded {
  const decoded = tryBase64(text)
  if (decoded !== undefined) return decoded
  throw new EntryError('ENTRY_V1_JSON', illegalBase64(text))
}

function illegalBase64(text: string): string {
  const foreign = text.search(FOREIGN)
  const at = foreign < 0 || text[foreign] === '=' ? text.length - (text.length % 4) : foreign
  return `illegal base64 data at input byte ${at}`
}
