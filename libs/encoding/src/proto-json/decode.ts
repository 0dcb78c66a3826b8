import { EncodingError } from '../errors.js'
import { decodeBase64Bytes, decodeBase64Text } from './base64-bytes.js'
import { fitsSigned, integerOf, isCanonicalInteger } from './numbers.js'
import { JsonValueReader } from './parse-json.js'
import { JsonScanner } from './scanner.js'
import {
  compileSchema,
  type CompiledField,
  type CompiledSchema,
  type ProtoField,
  type ProtoJsonOptions,
  type ProtoSchema,
} from './schema.js'

type Message = Record<string, unknown>

/** Answered by a reader of a value that is well-formed JSON but not of the field's kind. */
const WRONG = Symbol('wrong value')
/** An enum name that is not known and not minded. */
const DISCARDED = Symbol('discarded value')

class Decoder {
  readonly #scanner: JsonScanner
  readonly #ignoreUnknown: boolean
  readonly #ignoreEnumNames: boolean
  readonly #snakeCase: boolean
  readonly #strict: boolean

  constructor(scanner: JsonScanner, options: ProtoJsonOptions) {
    this.#scanner = scanner
    this.#ignoreUnknown = options.unknownFields === 'ignore'
    this.#ignoreEnumNames = (options.unknownEnumNames ?? options.unknownFields) === 'ignore'
    this.#snakeCase = options.snakeCase ?? true
    this.#strict = options.strictValues ?? false
  }

  message(schema: CompiledSchema, depth: number): Message {
    const scanner = this.#scanner
    if (scanner.peek() !== 0x7b) return this.#unexpected()
    scanner.checkDepth(depth)
    scanner.pos++
    const message: Message = {}
    if (scanner.peek() === 0x7d) {
      scanner.pos++
      return message
    }
    let seen = 0n
    let seenSmall = 0
    let seenOneofs = 0
    for (;;) {
      if (scanner.peek() !== 0x22) scanner.invalid(scanner.pos, 'looking for beginning of object key string')
      const nameStart = scanner.pos
      scanner.skipString()
      const nameEnd = scanner.pos
      const found = this.#lookUp(schema, nameStart, nameEnd)
      scanner.colon()
      if (found === undefined) {
        if (!this.#ignoreUnknown) this.#refuse(nameStart, `unknown field ${scanner.rawText(nameStart, nameEnd)}`)
        scanner.skipValue(depth, true)
      } else {
        const { index } = found
        const repeated = index < 31 ? (seenSmall >> index) & 1 : Number((seen >> BigInt(index)) & 1n)
        if (repeated === 1) this.#refuse(nameStart, `duplicate field ${scanner.rawText(nameStart, nameEnd)}`)
        if (index < 31) seenSmall |= 1 << index
        else seen |= 1n << BigInt(index)
        if (!this.#passNull(found.field)) {
          if (found.oneof >= 0) {
            if ((seenOneofs >> found.oneof) & 1) this.#oneofTwice(nameStart, nameEnd, found)
            seenOneofs |= 1 << found.oneof
          }
          const value = this.#value(found.field, found.name, depth)
          if (value !== DISCARDED) message[found.name] = value
        }
      }
      const next = scanner.peek()
      if (next !== 0x2c && next !== 0x7d) scanner.invalid(scanner.pos, 'after object key:value pair')
      scanner.pos++
      if (next === 0x7d) return message
    }
  }

  /** A proto error; what encoding/json would find wrong anywhere in the value comes before it, as in the reference. */
  #refuse(at: number, text: string): never {
    const scanner = this.#scanner
    const error = new EncodingError('ENCODING_JSON', `proto: (line ${scanner.lineAndColumn(at)}): ${text}`)
    this.#syntaxFirst()
    throw error
  }

  #syntaxFirst(): void {
    this.#scanner.pos = this.#scanner.start
    this.#scanner.skipValue(0, false)
  }

  #unexpected(): never {
    const scanner = this.#scanner
    const start = scanner.pos
    const byte = scanner.peek()
    let end = start + 1
    if (byte === 0x22) {
      scanner.skipString()
      end = scanner.pos
    } else if (byte !== 0x7b && byte !== 0x5b && byte !== 0x5d && byte !== 0x7d) {
      scanner.skipBareScalar()
      end = scanner.pos
    }
    const error = scanner.syntaxError(start, `unexpected token ${scanner.rawText(start, end)}`)
    this.#syntaxFirst()
    throw error
  }

  #oneofTwice(start: number, end: number, field: CompiledField): never {
    const name = this.#scanner.rawText(start, end)
    return this.#refuse(start, `error parsing ${name}, oneof ${field.oneofName} is already set`)
  }

  #lookUp(schema: CompiledSchema, start: number, end: number): CompiledField | undefined {
    const scanner = this.#scanner
    const { bytes } = scanner
    if (scanner.escaped || scanner.nonAscii) {
      const text = scanner.stringValue(start, end)
      return schema.names.find((name) => name.text === text && (this.#snakeCase || !name.snake))?.field
    }
    const length = end - start - 2
    next: for (const name of schema.names) {
      if (name.bytes.length !== length || (name.snake && !this.#snakeCase)) continue
      for (let i = 0; i < length; i++) if (name.bytes[i] !== bytes[start + 1 + i]) continue next
      return name.field
    }
    return undefined
  }

  /** `null` means absent, for every kind but `json`. */
  #passNull(field: ProtoField): boolean {
    const scanner = this.#scanner
    if (scanner.peek() !== 0x6e || field.kind === 'json') return false
    scanner.skipBareScalar()
    return true
  }

  #value(field: ProtoField, name: string, depth: number): unknown {
    switch (field.kind) {
      case 'message':
        return this.message(compileSchema(field.of), depth + 1)
      case 'repeated':
        return this.#list(field.of, name, depth + 1)
      case 'json':
        return new JsonValueReader(this.#scanner, 'refuse').read(depth)
      default:
        return this.#scalar(field, name)
    }
  }

  #list(field: ProtoField, name: string, depth: number): unknown[] {
    const scanner = this.#scanner
    if (scanner.peek() !== 0x5b) return this.#unexpected()
    scanner.checkDepth(depth)
    scanner.pos++
    const values: unknown[] = []
    if (scanner.peek() === 0x5d) {
      scanner.pos++
      return values
    }
    for (;;) {
      const value = this.#value(field, name, depth)
      if (value !== DISCARDED) values.push(value)
      const next = scanner.peek()
      if (next !== 0x2c && next !== 0x5d) scanner.invalid(scanner.pos, 'after array element')
      scanner.pos++
      if (next === 0x5d) return values
    }
  }

  #scalar(field: ProtoField, name: string): unknown {
    const scanner = this.#scanner
    const first = scanner.peek()
    const start = scanner.pos
    let value: unknown = WRONG
    let end = start + 1
    if (first === 0x22) {
      scanner.skipString()
      end = scanner.pos
      value = this.#ofString(field, start, end)
    } else if (first !== 0x7b && first !== 0x5b) {
      const kind = scanner.skipBareScalar()
      end = scanner.pos
      if (kind === 'number') value = this.#ofNumber(field, start, end)
      else if (kind !== 'null' && field.kind === 'bool') value = kind === 'true'
    }
    if (value === WRONG) {
      this.#refuse(start, `invalid value for ${field.kind} field ${name}: ${scanner.rawText(start, end)}`)
    }
    return value
  }

  #ofString(field: ProtoField, start: number, end: number): unknown {
    const scanner = this.#scanner
    if (field.kind === 'bytes' && !scanner.escaped && !scanner.nonAscii) {
      return decodeBase64Bytes(scanner.bytes, start + 1, end - 1, this.#strict) ?? WRONG
    }
    const text = scanner.stringValue(start, end)
    switch (field.kind) {
      case 'string':
        return text
      case 'bytes':
        return decodeBase64Text(text, this.#strict) ?? WRONG
      case 'enum':
        if (Object.hasOwn(field.values, text)) return field.values[text]
        return this.#ignoreEnumNames ? DISCARDED : WRONG
      case 'int64':
        return this.#strict && !isCanonicalInteger(text) ? WRONG : integer(text, 64)
      case 'int32':
        return this.#strict ? WRONG : integer(text, 32)
      case 'double':
        return this.#strict ? WRONG : doubleOfString(text)
      default:
        return WRONG
    }
  }

  #ofNumber(field: ProtoField, start: number, end: number): unknown {
    const text = this.#scanner.sourceText(start, end)
    switch (field.kind) {
      case 'int64':
        return this.#strict ? WRONG : integer(text, 64)
      case 'int32':
        return integer(text, 32)
      case 'enum':
        return this.#strict ? WRONG : integer(text, 32)
      case 'double':
        return finite(Number(text))
      default:
        return WRONG
    }
  }
}

function integer(text: string, bits: 32 | 64): unknown {
  const value = integerOf(text)
  if (value === undefined || !fitsSigned(value, bits)) return WRONG
  return bits === 64 ? value : Number(value)
}

function finite(value: number): unknown {
  return Number.isFinite(value) ? value : WRONG
}

function doubleOfString(text: string): unknown {
  if (text === 'NaN') return Number.NaN
  if (text === 'Infinity') return Number.POSITIVE_INFINITY
  if (text === '-Infinity') return Number.NEGATIVE_INFINITY
  return /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text) ? finite(Number(text)) : WRONG
}

/**
 * Decodes one proto-JSON message, by the rules of Go's protojson behind a gRPC gateway (contract/ca.md §1, log-v2.md §2): the first JSON value only, a
 * field once over both spellings, `null` = absent, oneofs exclusive, base64 of either alphabet. Fields that are absent have no member; messages are
 * plain objects, repeated fields arrays, enums numbers. The caller bounds the size of `bytes`; nesting is bounded before anything is built.
 *
 * Throws ENCODING_JSON. Its text is the reference's, `proto: (line L:C): …` with columns in characters from the start of the value, or encoding/json's.
 */
export function decodeProtoJson(bytes: Uint8Array, schema: ProtoSchema, options: ProtoJsonOptions): Message {
  const trailing = options.trailing ?? 'ignore'
  const scanner = new JsonScanner(bytes, options.maxDepth ?? 100, trailing === 'refuse')
  if (scanner.atEnd) {
    if ((options.empty ?? (trailing === 'ignore' ? 'message' : 'refuse')) === 'message') return {}
    return scanner.endOfText()
  }
  const message = new Decoder(scanner, options).message(compileSchema(schema), 1)
  if (trailing === 'refuse') scanner.refuseTrailing()
  return message
}
