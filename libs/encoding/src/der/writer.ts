import { compareBytes, concatBytes, utf8Encode } from '../bytes.js'
import { EncodingError } from '../errors.js'
import { encodeOid } from './oid.js'
import { context, TAG } from './reader.js'

function lengthBytes(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length)
  const octets: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256)
  return Uint8Array.of(0x80 | octets.length, ...octets)
}

/** One element: tag, minimal length, the parts as its content. */
export function derElement(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const length = content.reduce((sum, part) => sum + part.length, 0)
  return concatBytes(Uint8Array.of(tag), lengthBytes(length), ...content)
}

export function derSequence(...parts: readonly Uint8Array[]): Uint8Array {
  return derElement(TAG.sequence, ...parts)
}

/** SET OF: members sorted by their encoding (X.690 §11.6). */
export function derSetOf(...members: readonly Uint8Array[]): Uint8Array {
  return derElement(TAG.set, ...[...members].sort(compareBytes))
}

/** EXPLICIT [number]. */
export function derExplicit(number: number, ...content: readonly Uint8Array[]): Uint8Array {
  return derElement(context(number), ...content)
}

export function derBoolean(value: boolean): Uint8Array {
  return derElement(TAG.boolean, Uint8Array.of(value ? 0xff : 0))
}

export function derInteger(value: bigint | number): Uint8Array {
  const wanted = BigInt(value)
  const octets: number[] = []
  let rest = wanted
  do {
    octets.unshift(Number(rest & 0xffn))
    rest >>= 8n
  } while (!(rest === 0n && octets[0]! < 0x80) && !(rest === -1n && octets[0]! >= 0x80))
  return derElement(TAG.integer, Uint8Array.from(octets))
}

/** A non-negative INTEGER from big-endian magnitude bytes; leading zeros are dropped. */
export function derUnsigned(magnitude: Uint8Array): Uint8Array {
  let start = 0
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++
  const bytes = magnitude.subarray(start)
  if (bytes.length === 0) return derInteger(0n)
  return bytes[0]! >= 0x80 ? derElement(TAG.integer, Uint8Array.of(0), bytes) : derElement(TAG.integer, bytes)
}

export function derOid(dotted: string): Uint8Array {
  return derElement(TAG.oid, encodeOid(dotted))
}

export function derOctetString(...content: readonly Uint8Array[]): Uint8Array {
  return derElement(TAG.octetString, ...content)
}

/** BIT STRING of whole octets. */
export function derBitString(content: Uint8Array): Uint8Array {
  return derElement(TAG.bitString, Uint8Array.of(0), content)
}

export const DER_NULL: Uint8Array = Uint8Array.of(TAG.null, 0)

export function derUtf8String(text: string): Uint8Array {
  return derElement(TAG.utf8String, utf8Encode(text))
}

export function derPrintableString(text: string): Uint8Array {
  return derElement(TAG.printableString, utf8Encode(text))
}

function digits(time: Date): string {
  const pad = (value: number, width = 2): string => String(value).padStart(width, '0')
  const date = pad(time.getUTCFullYear(), 4) + pad(time.getUTCMonth() + 1) + pad(time.getUTCDate())
  return date + pad(time.getUTCHours()) + pad(time.getUTCMinutes()) + pad(time.getUTCSeconds())
}

/** GeneralizedTime `YYYYMMDDHHMMSSZ`; milliseconds are cut off. */
export function derGeneralizedTime(time: Date): Uint8Array {
  const year = time.getUTCFullYear()
  if (!(year >= 0 && year <= 9999)) throw new EncodingError('DER_INVALID', 'year out of range')
  return derElement(TAG.generalizedTime, utf8Encode(digits(time) + 'Z'))
}

/** UTCTime from 1950 to 2049, else GeneralizedTime (RFC 5280 §4.1.2.5). */
export function derTime(time: Date): Uint8Array {
  const year = time.getUTCFullYear()
  if (year < 1950 || year > 2049) return derGeneralizedTime(time)
  return derElement(TAG.utcTime, utf8Encode(digits(time).slice(2) + 'Z'))
}
