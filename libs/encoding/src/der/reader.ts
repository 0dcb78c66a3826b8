import { EncodingError } from '../errors.js'
import { decodeOid } from './oid.js'

/** Universal tags used here; a context tag [n] is {@link context}(n). */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const

/** Identifier octet of the context-specific tag [number]. */
export function context(number: number, constructed = true): number {
  return 0x80 | (constructed ? 0x20 : 0) | number
}

/** One element: its tag, its content and the whole of its bytes (views, not copies). */
export interface DerElement {
  readonly tag: number
  readonly content: Uint8Array
  readonly bytes: Uint8Array
}

const MAX_DEPTH = 32

/**
 * Reads strict DER (X.690 §10) from bytes of an enemy: definite minimal lengths only, no tag above 30, nesting to 32,
 * every length checked against what is there before anything is allocated. All views share the input's memory.
 * Throws DER_INVALID; never anything else.
 */
export class DerReader {
  readonly #bytes: Uint8Array
  readonly #depth: number
  #offset = 0

  constructor(bytes: Uint8Array, depth = 0) {
    if (depth > MAX_DEPTH) throw new EncodingError('DER_INVALID', `nested deeper than ${MAX_DEPTH}`)
    this.#bytes = bytes
    this.#depth = depth
  }

  get done(): boolean {
    return this.#offset === this.#bytes.length
  }

  /** The tag of the next element, or undefined at the end. */
  peek(): number | undefined {
    return this.#bytes[this.#offset]
  }

  /** The bytes not read yet. */
  rest(): Uint8Array {
    return this.#bytes.subarray(this.#offset)
  }

  /** Refuses bytes that nobody read. */
  end(): void {
    if (!this.done) fail(`${this.#bytes.length - this.#offset} bytes too many`)
  }

  /** Any element. */
  any(): DerElement {
    const start = this.#offset
    const bytes = this.#bytes
    const tag = bytes[start]
    if (tag === undefined) fail('element is missing')
    if ((tag & 0x1f) === 0x1f) fail('tag above 30')
    let at = start + 1
    const first = bytes[at++]
    if (first === undefined) fail('length is missing')
    let length = first
    if (first >= 0x80) {
      const octets = first & 0x7f
      if (octets === 0) fail('indefinite length')
      if (octets > 4) fail('length of more than 4 octets')
      length = 0
      for (let i = 0; i < octets; i++) {
        const octet = bytes[at++]
        if (octet === undefined) fail('length is cut off')
        length = length * 256 + octet
      }
      if (length < 0x80 || length < 2 ** (8 * (octets - 1))) fail('length is not minimal')
    }
    if (length > bytes.length - at) fail('element is cut off')
    this.#offset = at + length
    return { tag, content: bytes.subarray(at, at + length), bytes: bytes.subarray(start, at + length) }
  }

  /** An element that must have this tag. */
  element(tag: number): DerElement {
    const found = this.peek()
    if (found !== tag) fail(`tag ${hex(tag)} wanted, ${found === undefined ? 'nothing' : hex(found)} found`)
    return this.any()
  }

  /** An element when it has this tag, else undefined and nothing is read. */
  optional(tag: number): DerElement | undefined {
    return this.peek() === tag ? this.any() : undefined
  }

  /** A reader of the content of a constructed element. */
  enter(tag: number = TAG.sequence): DerReader {
    return new DerReader(this.element(tag).content, this.#depth + 1)
  }

  enterOptional(tag: number): DerReader | undefined {
    return this.peek() === tag ? this.enter(tag) : undefined
  }

  sequence(): DerReader {
    return this.enter(TAG.sequence)
  }

  set(): DerReader {
    return this.enter(TAG.set)
  }

  /** BOOLEAN: 00 or FF (X.690 §11.1). */
  boolean(): boolean {
    const { content } = this.element(TAG.boolean)
    if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) fail('boolean is neither 00 nor FF')
    return content[0] === 0xff
  }

  /** Content octets of an INTEGER in minimal two's complement. */
  integerBytes(tag: number = TAG.integer): Uint8Array {
    const { content } = this.element(tag)
    if (content.length === 0) fail('integer is empty')
    if (
      content.length > 1 &&
      ((content[0] === 0 && content[1]! < 0x80) || (content[0] === 0xff && content[1]! >= 0x80))
    )
      fail('integer is not minimal')
    return content
  }

  /** An INTEGER of at most `maxBytes` content octets. */
  integer(maxBytes = 1024): bigint {
    const content = this.integerBytes()
    if (content.length > maxBytes) fail(`integer of more than ${maxBytes} bytes`)
    let value = 0n
    for (const byte of content) value = (value << 8n) | BigInt(byte)
    return content[0]! >= 0x80 ? value - (1n << BigInt(8 * content.length)) : value
  }

  /** An INTEGER between 0 and 2^31 - 1. */
  smallInteger(): number {
    const value = this.integer(8)
    if (value < 0n || value > 0x7fffffffn) fail('integer out of range')
    return Number(value)
  }

  oid(): string {
    return decodeOid(this.element(TAG.oid).content)
  }

  octetString(): Uint8Array {
    return this.element(TAG.octetString).content
  }

  /** A BIT STRING; with `unused` 0 demanded unless `bits` is true, then trailing bits must be zero (X.690 §11.2). */
  bitString(options: { bits?: boolean } = {}): Uint8Array {
    const { content } = this.element(TAG.bitString)
    const unused = content[0]
    if (unused === undefined || unused > 7 || (unused > 0 && content.length === 1)) fail('bad bit string')
    if (unused > 0 && options.bits !== true) fail('bit string is not whole octets')
    if (unused > 0 && (content[content.length - 1]! & ((1 << unused) - 1)) !== 0) fail('unused bits are not zero')
    return content.subarray(1)
  }

  null(): void {
    if (this.element(TAG.null).content.length !== 0) fail('null has content')
  }

  /** UTCTime or GeneralizedTime in the forms of RFC 5280 §4.1.2.5: seconds, Z, no fraction. */
  time(): Date {
    const tag = this.peek()
    if (tag !== TAG.utcTime && tag !== TAG.generalizedTime) fail('time is missing')
    const { content } = this.any()
    const digits = tag === TAG.utcTime ? 12 : 14
    if (content.length !== digits + 1 || content[digits] !== 0x5a) fail('bad time')
    const text = String.fromCharCode(...content.subarray(0, digits))
    if (!/^\d+$/.test(text)) fail('bad time')
    const short = Number(text.slice(0, 2))
    const year = tag === TAG.utcTime ? (short < 50 ? 2000 : 1900) + short : Number(text.slice(0, 4))
    const [month, day, hour, minute, second] = (text.slice(digits - 10).match(/../g) as string[]).map(Number) as [
      number,
      number,
      number,
      number,
      number,
    ]
    const time = new Date(0)
    time.setUTCFullYear(year, month - 1, day)
    time.setUTCHours(hour, minute, second)
    const same = time.getUTCFullYear() === year && time.getUTCMonth() === month - 1 && time.getUTCDate() === day
    if (!same || time.getUTCHours() !== hour || time.getUTCMinutes() !== minute || time.getUTCSeconds() !== second)
      fail('no such time')
    return time
  }
}

function hex(tag: number): string {
  return `0x${tag.toString(16).padStart(2, '0')}`
}

function fail(why: string): never {
  throw new EncodingError('DER_INVALID', `DER: ${why}`)
}

/** Reads one element that must fill the bytes. */
export function readDer<T>(bytes: Uint8Array, read: (reader: DerReader) => T): T {
  const reader = new DerReader(bytes)
  const value = read(reader)
  reader.end()
  return value
}
