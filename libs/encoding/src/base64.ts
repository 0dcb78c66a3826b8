import { EncodingError } from './errors.js'

const STANDARD = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const URL_SAFE = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

function table(alphabet: string): Int16Array {
  const values = new Int16Array(128).fill(-1)
  for (let i = 0; i < 64; i++) values[alphabet.charCodeAt(i)] = i
  return values
}
const STANDARD_VALUES = table(STANDARD)
const URL_VALUES = table(URL_SAFE)

/** Options of {@link base64Decode}; every one widens what is taken. */
export interface Base64Options {
  alphabet?: 'standard' | 'url' | 'either'
  padding?: 'required' | 'optional' | 'none'
  /** Take unused low bits of the last character that are not zero (Go's decoder does). */
  trailingBits?: 'zero' | 'any'
}

function encodeWith(alphabet: string, bytes: Uint8Array, pad: boolean): string {
  let out = ''
  let i = 0
  for (; i + 2 < bytes.length; i += 3) {
    const group = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!
    out += alphabet[group >> 18]! + alphabet[(group >> 12) & 63]! + alphabet[(group >> 6) & 63]! + alphabet[group & 63]!
  }
  const left = bytes.length - i
  if (left === 1) {
    const group = bytes[i]! << 16
    out += alphabet[group >> 18]! + alphabet[(group >> 12) & 63]! + (pad ? '==' : '')
  } else if (left === 2) {
    const group = (bytes[i]! << 16) | (bytes[i + 1]! << 8)
    out += alphabet[group >> 18]! + alphabet[(group >> 12) & 63]! + alphabet[(group >> 6) & 63]! + (pad ? '=' : '')
  }
  return out
}

/** Standard base64 with padding (RFC 4648 §4). */
export function base64Encode(bytes: Uint8Array): string {
  return encodeWith(STANDARD, bytes, true)
}

/** URL-safe base64 without padding (RFC 4648 §5), as JOSE writes it. */
export function base64UrlEncode(bytes: Uint8Array): string {
  return encodeWith(URL_SAFE, bytes, false)
}

function alphabetOf(text: string, allowed: 'standard' | 'url' | 'either'): Int16Array {
  if (allowed !== 'either') return allowed === 'standard' ? STANDARD_VALUES : URL_VALUES
  return /[-_]/.test(text) ? URL_VALUES : STANDARD_VALUES
}

/**
 * Decodes base64. By default exactly RFC 4648 §4: standard alphabet, padding, zero trailing bits, no white space.
 * Mixed alphabets are refused always. Throws ENCODING_BASE64.
 */
export function base64Decode(text: string, options: Base64Options = {}): Uint8Array {
  const { alphabet = 'standard', padding = 'required', trailingBits = 'zero' } = options
  const bad = (why: string): never => {
    throw new EncodingError('ENCODING_BASE64', `not base64: ${why}`)
  }
  let end = text.length
  while (end > 0 && text.charCodeAt(end - 1) === 61 && text.length - end < 2) end--
  const pads = text.length - end
  if (pads > 0 && (padding === 'none' || text.length % 4 !== 0)) bad('wrong padding')
  if (pads === 0 && padding === 'required' && end % 4 !== 0) bad('padding is missing')
  if (end % 4 === 1) bad('impossible length')
  const values = alphabetOf(text, alphabet)
  const out = new Uint8Array(Math.floor((end * 3) / 4))
  let bits = 0
  let held = 0
  let offset = 0
  for (let i = 0; i < end; i++) {
    const code = text.charCodeAt(i)
    const value = code < 128 ? values[code]! : -1
    if (value < 0) bad(`character ${i + 1} is not of the alphabet`)
    bits = ((bits << 6) | value) & 0xfff
    held += 6
    if (held >= 8) {
      held -= 8
      out[offset++] = (bits >> held) & 0xff
    }
  }
  if (trailingBits === 'zero' && (bits & ((1 << held) - 1)) !== 0) bad('trailing bits are not zero')
  return out
}
