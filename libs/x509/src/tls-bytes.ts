/** Big-endian numbers of the TLS presentation language (RFC 5246 §4). */
export function u16(value: number): Uint8Array {
  return number(value, 2)
}

export function u24(value: number): Uint8Array {
  return number(value, 3)
}

export function u64(value: number): Uint8Array {
  return number(value, 8)
}

function number(value: number, width: number): Uint8Array {
  if (!Number.isSafeInteger(value) || value < 0 || value >= 2 ** (8 * width))
    throw new RangeError(`${value} does not fit ${width} octets`)
  const out = new Uint8Array(width)
  for (let at = width - 1, rest = value; rest > 0; at--, rest = Math.floor(rest / 256)) out[at] = rest % 256
  return out
}

/** The last instant of an ECMAScript Date, in the year 275760. */
const MAX_TIME_MS = 8.64e15

/** Reads TLS structures; every length is checked against what is there. `fail` throws the caller's error. */
export class TlsReader {
  readonly #bytes: Uint8Array
  readonly #fail: (why: string) => never
  #offset = 0

  constructor(bytes: Uint8Array, fail: (why: string) => never) {
    this.#bytes = bytes
    this.#fail = fail
  }

  get done(): boolean {
    return this.#offset === this.#bytes.length
  }

  end(): void {
    if (!this.done) this.#fail('there are bytes too many')
  }

  /** A view of the next bytes. */
  bytes(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#offset) this.#fail('it is cut off')
    return this.#bytes.subarray(this.#offset, (this.#offset += length))
  }

  u8(): number {
    return this.bytes(1)[0]!
  }

  u16(): number {
    return this.#number(2)
  }

  u24(): number {
    return this.#number(3)
  }

  /** A 64-bit time in milliseconds that a Date can hold. */
  timestamp(): number {
    const value = this.#number(8)
    if (value > MAX_TIME_MS) this.#fail('the time is out of range')
    return value
  }

  #number(width: number): number {
    let value = 0
    for (const byte of this.bytes(width)) value = value * 256 + byte
    return value
  }
}
