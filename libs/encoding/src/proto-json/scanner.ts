import { EncodingError } from '../errors.js'
import { quoteByte } from './go-quote.js'

const QUOTE = 0x22
const BACKSLASH = 0x5c

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const lossyUtf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** Raw text of a token in an error message is cut here, so that an answer stays small whatever was sent. */
const MAX_QUOTED_BYTES = 256

const LITERALS = ['true', 'false', 'null'] as const

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39
}

function isHexDigit(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66)
}

/**
 * Walks JSON text (RFC 8259) byte by byte without building values. Texts of refusals are those of Go's encoding/json, which the contracts quote.
 * Every method throws ENCODING_JSON; none reads past the end or recurses.
 */
export class JsonScanner {
  readonly bytes: Uint8Array
  readonly maxDepth: number
  /** Next byte to read. */
  pos = 0
  /** Of the string read last: has it an escape, has it a byte over 127. */
  escaped = false
  nonAscii = false
  /** Where the first value starts: lines and columns count from there. */
  readonly start: number
  readonly #positionInSyntaxErrors: boolean

  constructor(bytes: Uint8Array, maxDepth: number, positionInSyntaxErrors: boolean) {
    this.bytes = bytes
    this.maxDepth = maxDepth
    this.#positionInSyntaxErrors = positionInSyntaxErrors
    this.skipSpace()
    this.start = this.pos
  }

  get atEnd(): boolean {
    return this.pos >= this.bytes.length
  }

  skipSpace(): void {
    const bytes = this.bytes
    let pos = this.pos
    for (; pos < bytes.length; pos++) {
      const byte = bytes[pos]!
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break
    }
    this.pos = pos
  }

  /** The next byte that is no white space; refuses the end of the text. */
  peek(): number {
    let byte = this.bytes[this.pos]
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      this.skipSpace()
      byte = this.bytes[this.pos]
    }
    return byte === undefined ? this.endOfText() : byte
  }

  endOfText(): never {
    throw new EncodingError('ENCODING_JSON', 'unexpected EOF')
  }

  /** Refuses the byte at `at`; `context` is Go's wording of where it stands. */
  invalid(at: number, context: string): never {
    const byte = this.bytes[at]
    if (byte === undefined) return this.endOfText()
    const where = this.#positionInSyntaxErrors ? ` (line ${this.lineAndColumn(at)})` : ''
    throw new EncodingError('ENCODING_JSON', `invalid character ${quoteByte(byte)} ${context}${where}`)
  }

  /** `line:column` of a byte, both from 1, the column in characters, counted from the start of the first value. */
  lineAndColumn(at: number): string {
    let line = 1
    let column = 1
    for (let i = this.start; i < at; i++) {
      const byte = this.bytes[i]!
      if (byte === 0x0a) {
        line++
        column = 1
      } else if ((byte & 0xc0) !== 0x80) column++
    }
    return `${line}:${column}`
  }

  /** Source text of a token, cut to a bounded length. */
  rawText(start: number, end: number): string {
    const cut = Math.min(end, start + MAX_QUOTED_BYTES)
    return lossyUtf8.decode(this.bytes.subarray(start, cut)) + (cut < end ? '…' : '')
  }

  /** Source text of a number or a literal, whole. */
  sourceText(start: number, end: number): string {
    return lossyUtf8.decode(this.bytes.subarray(start, end))
  }

  /** Passes the string that starts at `pos`, quotes included; sets `escaped` and `nonAscii`. */
  skipString(): void {
    const bytes = this.bytes
    let seen = 0
    this.escaped = false
    for (let i = this.pos + 1; i < bytes.length; i++) {
      const byte = bytes[i]!
      if (byte === QUOTE) {
        this.nonAscii = seen > 0x7f
        this.pos = i + 1
        return
      }
      if (byte < 0x20) this.invalid(i, 'in string literal')
      if (byte === BACKSLASH) {
        this.escaped = true
        i = this.#escapeEnd(i + 1)
      }
      seen |= byte
    }
    this.endOfText()
  }

  /** `at` is the byte after a backslash; answers the last byte of the escape. */
  #escapeEnd(at: number): number {
    switch (this.bytes[at]) {
      case 0x22:
      case 0x5c:
      case 0x2f:
      case 0x62:
      case 0x66:
      case 0x6e:
      case 0x72:
      case 0x74:
        return at
      case 0x75:
        for (let i = at + 1; i <= at + 4; i++) {
          if (!isHexDigit(this.bytes[i] ?? 0)) this.invalid(i, 'in \\u hexadecimal character escape')
        }
        return at + 4
      default:
        return this.invalid(at, 'in string escape code')
    }
  }

  /** The value of the string token that `skipString` passed last; refuses invalid UTF-8 and lone surrogates. */
  stringValue(start: number, end: number): string {
    if (!this.escaped && !this.nonAscii && end - start <= 24) {
      let text = ''
      for (let i = start + 1; i < end - 1; i++) text += String.fromCharCode(this.bytes[i]!)
      return text
    }
    const escaped = this.escaped
    let text
    try {
      text = utf8.decode(this.bytes.subarray(start + 1, end - 1))
    } catch (cause) {
      throw this.syntaxError(start, 'invalid UTF-8 in string', cause)
    }
    if (!escaped) return text
    const value = JSON.parse(`"${text}"`) as string
    if (!value.isWellFormed()) throw this.syntaxError(start, 'invalid escape code in string')
    return value
  }

  /** An error in protojson's form, which it uses for what encoding/json lets through. */
  syntaxError(at: number, text: string, cause?: unknown): EncodingError {
    const details = cause === undefined ? {} : { cause }
    return new EncodingError('ENCODING_JSON', `proto: syntax error (line ${this.lineAndColumn(at)}): ${text}`, details)
  }

  /** Passes the number that starts at `pos`. */
  skipNumber(): void {
    const bytes = this.bytes
    let i = this.pos
    if (bytes[i] === 0x2d) i++
    if (bytes[i] === 0x30) i++
    else i = this.#digitsEnd(i, 'in numeric literal')
    if (bytes[i] === 0x2e) i = this.#digitsEnd(i + 1, 'after decimal point in numeric literal')
    if (bytes[i] === 0x65 || bytes[i] === 0x45) {
      i++
      if (bytes[i] === 0x2b || bytes[i] === 0x2d) i++
      i = this.#digitsEnd(i, 'in exponent of numeric literal')
    }
    this.pos = i
  }

  #digitsEnd(at: number, context: string): number {
    let i = at
    while (isDigit(this.bytes[i])) i++
    return i === at ? this.invalid(at, context) : i
  }

  /** Passes a scalar that is no string; answers which kind it is. */
  skipBareScalar(): 'number' | 'true' | 'false' | 'null' {
    const first = this.bytes[this.pos]!
    if (first === 0x2d || isDigit(first)) {
      this.skipNumber()
      return 'number'
    }
    for (const literal of LITERALS) {
      if (first !== literal.charCodeAt(0)) continue
      for (let i = 1; i < literal.length; i++) {
        if (this.bytes[this.pos + i] !== literal.charCodeAt(i)) {
          this.invalid(this.pos + i, `in literal ${literal} (expecting '${literal[i]!}')`)
        }
      }
      this.pos += literal.length
      return literal
    }
    return this.invalid(this.pos, 'looking for beginning of value')
  }

  /** Refuses more nesting than `maxDepth`, before anything is built for it. */
  checkDepth(depth: number): void {
    if (depth > this.maxDepth) throw new EncodingError('ENCODING_JSON', 'exceeded max depth')
  }

  /**
   * Passes one value of any kind. With `values`, strings must also be UTF-8 without lone surrogates, as protojson demands of fields it discards.
   * Keeps one byte for each open object or array, so it is bounded by `maxDepth`.
   */
  skipValue(depth: number, values: boolean): void {
    const open: number[] = []
    for (;;) {
      const byte = this.peek()
      if (byte === 0x7b || byte === 0x5b) {
        this.pos++
        open.push(byte)
        this.checkDepth(depth + open.length)
        const next = this.peek()
        if (next !== byte + 2) {
          if (byte === 0x7b) this.#skipName(values)
          continue
        }
        this.pos++
        open.pop()
      } else if (byte === QUOTE) this.#passString(values)
      else this.skipBareScalar()
      if (!this.#afterValue(open, values)) return
    }
  }

  /** What follows a value: closes what ends here; true when another value comes. */
  #afterValue(open: number[], values: boolean): boolean {
    while (open.length > 0) {
      const inObject = open[open.length - 1] === 0x7b
      const byte = this.peek()
      if (byte === 0x2c) {
        this.pos++
        if (inObject) this.#skipName(values)
        return true
      }
      if (byte !== (inObject ? 0x7d : 0x5d)) {
        this.invalid(this.pos, inObject ? 'after object key:value pair' : 'after array element')
      }
      this.pos++
      open.pop()
    }
    return false
  }

  #skipName(values: boolean): void {
    if (this.peek() !== QUOTE) this.invalid(this.pos, 'looking for beginning of object key string')
    this.#passString(values)
    this.colon()
  }

  #passString(values: boolean): void {
    const start = this.pos
    this.skipString()
    if (values && (this.escaped || this.nonAscii)) this.stringValue(start, this.pos)
  }

  /** Passes the colon after a name. */
  colon(): void {
    if (this.peek() !== 0x3a) this.invalid(this.pos, 'after object key')
    this.pos++
  }

  /** Refuses anything but white space in what is left. */
  refuseTrailing(): void {
    this.skipSpace()
    if (!this.atEnd) this.invalid(this.pos, 'after top-level value')
  }
}
