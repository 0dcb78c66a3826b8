import { utf8Encode } from '../bytes.js'

const INVALID = 0xff

function valuesOf(last: string): Uint8Array {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789' + last
  const values = new Uint8Array(256).fill(INVALID)
  for (let i = 0; i < 64; i++) values[alphabet.charCodeAt(i)] = i
  return values
}
const STANDARD = valuesOf('+/')
const URL_SAFE = valuesOf('-_')

const PAD = 0x3d

/** Decodes `length` characters of one alphabet, no padding among them; undefined when one is not of it. */
function decodeRange(text: Uint8Array, start: number, length: number, values: Uint8Array): Uint8Array | undefined {
  const out = new Uint8Array((length * 3) >> 2)
  const wholeEnd = start + length - (length % 4)
  let to = 0
  let at = start
  for (; at < wholeEnd; at += 4) {
    const a = values[text[at]!]!
    const b = values[text[at + 1]!]!
    const c = values[text[at + 2]!]!
    const d = values[text[at + 3]!]!
    if ((a | b | c | d) > 63) return undefined
    out[to++] = (a << 2) | (b >> 4)
    out[to++] = (b << 4) | (c >> 2)
    out[to++] = (c << 6) | d
  }
  if (length % 4 === 0) return out
  const a = values[text[at]!]!
  const b = values[text[at + 1]!]!
  const c = length % 4 === 3 ? values[text[at + 2]!]! : 0
  if ((a | b | c) > 63) return undefined
  out[to++] = (a << 2) | (b >> 4)
  if (length % 4 === 3) out[to] = (b << 4) | (c >> 2)
  return out
}

function hasTrailingBits(text: Uint8Array, start: number, length: number): boolean {
  if (length % 4 === 0) return false
  const last = STANDARD[text[start + length - 1]!]!
  return (last & (length % 4 === 2 ? 15 : 3)) !== 0
}

/**
 * Decodes base64 that stands in `text` from `start` to `end`, as Go's protojson does: either alphabet but not both, padded or not, any trailing bits.
 * `strict`: the standard alphabet, padding, zero trailing bits. Undefined for anything else; the caller bounds the length.
 */
export function decodeBase64Bytes(
  text: Uint8Array,
  start: number,
  end: number,
  strict: boolean,
): Uint8Array | undefined {
  const whole = end - start
  let length = whole
  if (whole % 4 === 0) {
    if (length > 0 && text[end - 1] === PAD) length--
    if (length > 0 && length < whole && text[end - 2] === PAD) length--
  } else if (strict) return undefined
  if (length % 4 === 1) return undefined
  if (strict && hasTrailingBits(text, start, length)) return undefined
  const standard = decodeRange(text, start, length, STANDARD)
  if (standard !== undefined || strict) return standard
  return decodeRange(text, start, length, URL_SAFE)
}

/**
 * The same for text that had JSON escapes. Go's decoder skips CR and LF wherever they stand, after the whole length has
 * decided whether padding is expected; `strict` refuses them.
 */
export function decodeBase64Text(text: string, strict: boolean): Uint8Array | undefined {
  const joined = strict ? text : text.replace(/[\r\n]/g, '')
  if (!strict && joined.length !== text.length) {
    const padded = text.length % 4 === 0
    if (padded ? joined.length % 4 !== 0 : joined.includes('=')) return undefined
  }
  const bytes = utf8Encode(joined)
  return decodeBase64Bytes(bytes, 0, bytes.length, strict)
}
