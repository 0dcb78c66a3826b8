import { type JsonValue } from '../canonical-json.js'
import { EncodingError } from '../errors.js'
import { JsonScanner } from './scanner.js'

export interface ParseJsonOptions {
  /** Bytes after the value. Default 'refuse'. */
  trailing?: 'ignore' | 'refuse'
  /** Nesting, the outermost object or array included; at most 1,000. Default 100. */
  maxDepth?: number
  /** A member that comes twice. Default 'refuse'. */
  duplicates?: 'refuse' | 'last'
}

/** Values are built by recursion; deeper than this the stack would be the limit. */
const DEEPEST = 1000

/** Builds values from a scanner's text; the scanner's `maxDepth` bounds the recursion. */
export class JsonValueReader {
  readonly #scanner: JsonScanner
  readonly #duplicates: 'refuse' | 'last'

  constructor(scanner: JsonScanner, duplicates: 'refuse' | 'last') {
    this.#scanner = scanner
    this.#duplicates = duplicates
  }

  /** Reads one value; `depth` objects and arrays are open around it. */
  read(depth: number): JsonValue {
    const scanner = this.#scanner
    const first = scanner.peek()
    if (first === 0x7b) return this.#object(depth + 1)
    if (first === 0x5b) return this.#array(depth + 1)
    if (first === 0x22) return this.#string()
    const start = scanner.pos
    const kind = scanner.skipBareScalar()
    if (kind !== 'number') return kind === 'null' ? null : kind === 'true'
    const number = Number(scanner.sourceText(start, scanner.pos))
    if (!Number.isFinite(number)) throw scanner.syntaxError(start, 'number out of range')
    return number
  }

  #string(): string {
    const start = this.#scanner.pos
    this.#scanner.skipString()
    return this.#scanner.stringValue(start, this.#scanner.pos)
  }

  #array(depth: number): JsonValue[] {
    const scanner = this.#scanner
    scanner.checkDepth(depth)
    scanner.pos++
    const values: JsonValue[] = []
    if (scanner.peek() === 0x5d) {
      scanner.pos++
      return values
    }
    for (;;) {
      values.push(this.read(depth))
      const next = scanner.peek()
      if (next !== 0x2c && next !== 0x5d) scanner.invalid(scanner.pos, 'after array element')
      scanner.pos++
      if (next === 0x5d) return values
    }
  }

  #object(depth: number): { readonly [member: string]: JsonValue } {
    const scanner = this.#scanner
    scanner.checkDepth(depth)
    scanner.pos++
    const members: { [member: string]: JsonValue } = {}
    if (scanner.peek() === 0x7d) {
      scanner.pos++
      return members
    }
    for (;;) {
      if (scanner.peek() !== 0x22) scanner.invalid(scanner.pos, 'looking for beginning of object key string')
      const start = scanner.pos
      const name = this.#string()
      const nameEnd = scanner.pos
      scanner.colon()
      if (this.#duplicates === 'refuse' && Object.hasOwn(members, name)) {
        const where = `(line ${scanner.lineAndColumn(start)})`
        throw new EncodingError('ENCODING_JSON', `proto: ${where}: duplicate field ${scanner.rawText(start, nameEnd)}`)
      }
      setMember(members, name, this.read(depth))
      const next = scanner.peek()
      if (next !== 0x2c && next !== 0x7d) scanner.invalid(scanner.pos, 'after object key:value pair')
      scanner.pos++
      if (next === 0x7d) return members
    }
  }
}

/** `__proto__` must become a member like any other, not the object's prototype. */
function setMember(members: { [member: string]: JsonValue }, name: string, value: JsonValue): void {
  if (name === '__proto__') {
    Object.defineProperty(members, name, { value, enumerable: true, configurable: true, writable: true })
  } else members[name] = value
}

/**
 * Parses JSON (RFC 8259) strictly: UTF-8 without byte order mark, no lone surrogates, no number beyond the double range, a member only once.
 * Throws ENCODING_JSON with line and column.
 */
export function parseJson(bytes: Uint8Array, options: ParseJsonOptions = {}): JsonValue {
  const { trailing = 'refuse', maxDepth = 100, duplicates = 'refuse' } = options
  const scanner = new JsonScanner(bytes, Math.min(maxDepth, DEEPEST), true)
  const value = new JsonValueReader(scanner, duplicates).read(0)
  if (trailing === 'refuse') scanner.refuseTrailing()
  return value
}
