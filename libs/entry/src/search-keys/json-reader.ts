import { base64Decode } from '@touchmark/encoding'

/** Own members of parsed JSON of unknown shape; what is not there, or of another type, reads as undefined. */
export class JsonReader {
  readonly #value: unknown

  constructor(value: unknown) {
    this.#value = value
  }

  at(...path: readonly string[]): JsonReader {
    let value = this.#value
    for (const name of path) {
      const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
      value = isObject && Object.hasOwn(value as object, name) ? (value as Record<string, unknown>)[name] : undefined
    }
    return new JsonReader(value)
  }

  get exists(): boolean {
    return this.#value !== undefined
  }

  /** The text, or undefined. */
  text(): string | undefined {
    return typeof this.#value === 'string' ? this.#value : undefined
  }

  /** Bytes of standard base64, line breaks inside skipped (log-v1.md §6); undefined when there is no text. Throws ENCODING_BASE64. */
  bytes(): Uint8Array | undefined {
    const text = this.text()
    return text === undefined ? undefined : base64Decode(text.replace(/[\r\n]/g, ''))
  }

  /** The items of an array; none of anything else. */
  items(): JsonReader[] {
    return Array.isArray(this.#value) ? this.#value.map((item: unknown) => new JsonReader(item)) : []
  }
}
