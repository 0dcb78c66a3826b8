import { base64Decode, isJsonObject, type JsonValue } from './json.js'
import { BundleError } from './errors.js'

const INT64_MAX = (1n << 63n) - 1n

/** Reads the members of one JSON object that must have no others; null counts as absent (proto JSON). */
export class Members {
  readonly #members: { readonly [name: string]: JsonValue }
  readonly path: string

  constructor(value: JsonValue, path: string, known: readonly string[]) {
    if (!isJsonObject(value)) throw invalid(path, 'an object', value)
    for (const name of Object.keys(value)) {
      if (!known.includes(name))
        throw new BundleError('BUNDLE_FIELD_UNKNOWN', `${at(path, name)} is no member of a bundle`, {
          check: 'bundle members',
          expected: known.join(', '),
          found: name.slice(0, 80),
          hint: 'The file is damaged, or was written by a newer client: get a newer touchmark.',
        })
    }
    this.#members = value
    this.path = path
  }

  value(name: string): JsonValue | undefined {
    const value = Object.hasOwn(this.#members, name) ? this.#members[name] : undefined
    return value === null ? undefined : value
  }

  has(name: string): boolean {
    return this.value(name) !== undefined
  }

  required(name: string): JsonValue {
    const value = this.value(name)
    if (value === undefined) throw missing(this.path, name)
    return value
  }

  object(name: string, known: readonly string[]): Members {
    return new Members(this.required(name), at(this.path, name), known)
  }

  optionalObject(name: string, known: readonly string[]): Members | undefined {
    return this.has(name) ? this.object(name, known) : undefined
  }

  /** A list; absent is empty. The count is compared before any item is looked at. */
  list(name: string, limit: number): readonly JsonValue[] {
    const value = this.value(name)
    if (value === undefined) return []
    if (!Array.isArray(value)) throw invalid(at(this.path, name), 'a list', value)
    if (value.length > limit) throw tooMuch(at(this.path, name), `${limit} items`, `${value.length}`)
    return value
  }

  string(name: string, limit: number): string {
    return checkString(this.required(name), at(this.path, name), limit)
  }

  /** Bytes in standard base64; the length of the text is compared before it is decoded. */
  bytes(name: string, limit: number): Uint8Array {
    return checkBytes(this.required(name), at(this.path, name), limit)
  }

  /** A non-negative int64 as a string or an exact number; absent is zero. */
  count(name: string): bigint {
    const value = this.value(name)
    if (value === undefined) return 0n
    const path = at(this.path, name)
    const number =
      typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
        ? BigInt(value)
        : typeof value === 'string' && /^(0|[1-9]\d{0,18})$/.test(value)
          ? BigInt(value)
          : undefined
    if (number === undefined || number > INT64_MAX) throw invalid(path, 'a whole number from 0 to 2^63 - 1', value)
    return number
  }
}

export function at(path: string, name: string): string {
  return path === '' ? name.slice(0, 80) : `${path}.${name.slice(0, 80)}`
}

export function missing(path: string, name: string): BundleError {
  return new BundleError('BUNDLE_FIELD_MISSING', `${at(path, name)} is missing`, {
    check: 'bundle members',
    expected: at(path, name),
    found: 'nothing',
    hint: 'The bundle is incomplete: sign again.',
  })
}

export function invalid(path: string, expected: string, value: JsonValue): BundleError {
  return new BundleError('BUNDLE_FIELD_INVALID', `${path === '' ? 'the bundle' : path} must be ${expected}`, {
    check: 'bundle members',
    expected,
    found: shown(value),
    hint: 'The bundle is damaged: get it again from where it was published.',
  })
}

function shown(value: JsonValue): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value).slice(0, 80)
  return Array.isArray(value) ? 'a list' : value === null ? 'null' : `a ${typeof value}`
}

export function tooMuch(path: string, expected: string, found: string): BundleError {
  return new BundleError('BUNDLE_LIMIT_EXCEEDED', `${path}: at most ${expected}, found ${found}`, {
    check: 'bundle limits',
    expected: `at most ${expected}`,
    found,
    hint: 'No honest client writes such a bundle: do not trust where it came from.',
  })
}

export function checkString(value: JsonValue, path: string, limit: number): string {
  if (typeof value !== 'string') throw invalid(path, 'a string', value)
  if (value.length > limit) throw tooMuch(path, `${limit} characters`, `${value.length}`)
  return value
}

export function checkBytes(value: JsonValue, path: string, limit: number): Uint8Array {
  if (typeof value !== 'string') throw invalid(path, 'base64', value)
  if (value.length > 4 * Math.ceil(limit / 3))
    throw tooMuch(path, `${limit} bytes`, `${value.length} base64 characters`)
  const bytes = base64Decode(value)
  if (bytes === undefined) throw invalid(path, 'standard base64 with padding', value)
  return bytes
}
