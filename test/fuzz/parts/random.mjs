/** Numbers that a seed decides (sfc32): the same seed gives the same inputs on every machine. */
export class Random {
  #a
  #b
  #c
  #d = 1

  /** `seed` and `stream` are 32-bit numbers; each stream is another sequence. */
  constructor(seed, stream = 0) {
    this.#a = seed | 0
    this.#b = (stream * 0x9e3779b9) | 0
    this.#c = 0x243f6a88
    for (let i = 0; i < 12; i++) this.next()
  }

  /** 0 to 2^32 - 1. */
  next() {
    const sum = (((this.#a + this.#b) | 0) + this.#d) | 0
    this.#d = (this.#d + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    this.#c |= 0
    return sum >>> 0
  }

  /** 0 to `end` - 1; 0 when there is nothing to choose from. */
  below(end) {
    return end > 0 ? this.next() % end : 0
  }

  /** True once in `n` times. */
  oneIn(n) {
    return this.below(n) === 0
  }

  /** One of a list. */
  of(list) {
    return list[this.below(list.length)]
  }

  bytes(length) {
    const out = new Uint8Array(length)
    for (let i = 0; i < length; i++) out[i] = this.next()
    return out
  }
}
