import { utf8Decode, type JsonValue } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { EntryError } from '../errors.js'

/** No request needs as many values; what a parser makes of a byte of JSON can take fifty times its room. */
const MAX_VALUES = 20_000
/** A name and a value each, or one value alone. */
const MAX_STRINGS = 2 * MAX_VALUES + 1
const MAX_DEPTH = 64
const QUOTE = 0x22
const BACKSLASH = 0x5c

export type JsonObject = { readonly [member: string]: JsonValue }

/**
 * Parses a request's JSON. Text must be UTF-8; the last of a repeated member counts, as in the reference. Values are counted before any is made.
 * Throws ENTRY_V1_JSON, whose text may be sent.
 */
export function readJson(bytes: Uint8Array): JsonValue {
  checkExtent(bytes)
  try {
    return JSON.parse(utf8Decode(bytes)) as JsonValue
  } catch (cause) {
    if (!(cause instanceof SyntaxError) && !isCodedError(cause)) throw cause
    throw new EntryError('ENTRY_V1_JSON', 'invalid JSON', { cause })
  }
}

/** Counts values, strings and nesting without making any: what is in strings is skipped, and what is no JSON is left to the parser. */
function checkExtent(bytes: Uint8Array): void {
  let depth = 0
  let values = 0
  let strings = 0
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!
    if (byte === QUOTE) {
      i = endOfString(bytes, i + 1)
      if (i < 0) throw unexpectedEnd()
      strings++
    } else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > MAX_DEPTH) throw new EntryError('ENTRY_V1_JSON', 'exceeded max depth')
      values++
    } else if (byte === 0x7d || byte === 0x5d) depth--
    else if (byte === 0x2c) values++
    if (values > MAX_VALUES || strings > MAX_STRINGS) throw new EntryError('ENTRY_V1_JSON', 'too many values')
  }
  if (depth > 0) throw unexpectedEnd()
}

/** The index of the quote that ends the string whose content begins at `from`; -1 when there is none. */
export function endOfString(bytes: Uint8Array, from: number): number {
  const first = bytes.indexOf(QUOTE, from)
  if (bytes[first - 1] !== BACKSLASH) return first
  // Byte by byte where a quote may be escaped: a search for each of millions takes ten times as long.
  for (let i = from; i < bytes.length; i++) {
    if (bytes[i] === BACKSLASH) i++
    else if (bytes[i] === QUOTE) return i
  }
  return -1
}

function unexpectedEnd(): EntryError {
  return new EntryError('ENTRY_V1_JSON', 'unexpected EOF')
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A member; null is as absent. */
export function member(of: JsonValue | undefined, name: string): JsonValue | undefined {
  if (!isObject(of) || !Object.hasOwn(of, name)) return undefined
  return of[name] ?? undefined
}

/** A member that is an object; another value is as absent. */
export function objectMember(of: JsonValue | undefined, name: string): JsonObject | undefined {
  const value = member(of, name)
  return isObject(value) ? value : undefined
}

/** A member that is a string; another value is as absent. */
export function stringMember(of: JsonValue | undefined, name: string): string | undefined {
  const value = member(of, name)
  return typeof value === 'string' ? value : undefined
}

/** A member that is an array; another value is as absent. */
export function arrayMember(of: JsonValue | undefined, name: string): readonly JsonValue[] | undefined {
  const value = member(of, name)
  return Array.isArray(value) ? (value as readonly JsonValue[]) : undefined
}

/** What Go's decoder calls the type of a value. */
export function goType(value: JsonValue): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}
