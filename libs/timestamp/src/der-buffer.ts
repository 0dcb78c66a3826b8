/**
 * Writes DER from its end to its beginning, so that every length is known when its header is written and nothing is copied twice. For the one hot
 * path of this package; everything else uses the writer of @touchmark/encoding.
 */
export class DerBuffer {
  readonly #bytes: Uint8Array
  #start: number

  /** `capacity` MUST be at least the length of what will be written. */
  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity)
    this.#start = capacity
  }

  /** Where the next byte goes before; hand it to {@link wrap} to close what is written from here on. */
  get mark(): number {
    return this.#start
  }

  put(bytes: Uint8Array): void {
    this.#start -= bytes.length
    this.#bytes.set(bytes, this.#start)
  }

  /** Writes the header of an element whose content is all that was written since `mark`. */
  wrap(tag: number, mark: number): void {
    let length = mark - this.#start
    if (length < 0x80) {
      this.#bytes[--this.#start] = length
    } else {
      let octets = 0
      for (; length > 0; length = Math.floor(length / 256), octets++) this.#bytes[--this.#start] = length % 256
      this.#bytes[--this.#start] = 0x80 | octets
    }
    this.#bytes[--this.#start] = tag
  }

  /** What was written, a view. */
  done(): Uint8Array {
    return this.#bytes.subarray(this.#start)
  }
}
