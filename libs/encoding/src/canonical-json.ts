import { EncodingError } from './errors.js'

/** What JSON can hold. */
export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [member: string]: JsonValue }

/**
 * RFC 8785 (JCS): members sorted by UTF-16 code units, no white space, ECMAScript numbers and string escapes.
 * Throws ENCODING_JSON on a number that is not finite, a lone surrogate, or a value that is not JSON.
 */
export function canonicalJson(value: JsonValue): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new EncodingError('ENCODING_JSON', 'a number must be finite')
    return JSON.stringify(value)
  }
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new EncodingError('ENCODING_JSON', 'a string has a lone surrogate')
    return JSON.stringify(value)
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object') throw new EncodingError('ENCODING_JSON', `${typeof value} is not JSON`)
  const record = value as { readonly [member: string]: JsonValue }
  const members = Object.keys(record).sort()
  return `{${members.map((name) => `${canonicalJson(name)}:${canonicalJson(record[name]!)}`).join(',')}}`
}
