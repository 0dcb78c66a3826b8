import { concatBytes } from '@touchmark/encoding'

/** No input is longer, so that inputs stay many. */
export const MAX_INPUT_BYTES = 96 * 1024

const EDGES = [
  0, 1, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xfe, 0xff, 0x0a, 0x0d, 0x20, 0x22, 0x2f, 0x30, 0x31, 0x5b, 0x5c, 0x7b,
]

/** Writes a length as formats have them: one to four bytes, big-endian; right, one too much, none, or the most there is. */
function setLength(bytes, random) {
  const width = 1 + random.below(4)
  if (bytes.length < width) return bytes
  const out = bytes.slice()
  const at = random.below(bytes.length - width + 1)
  const left = bytes.length - at - width
  const value = random.of([0, 1, left, left + 1, left - 1, 2 ** (8 * width) - 1, 2 ** (8 * width - 1), random.next()])
  for (let i = 0; i < width; i++) out[at + i] = Math.floor(value / 2 ** (8 * (width - 1 - i)))
  return out
}

function range(bytes, random) {
  const from = random.below(bytes.length + 1)
  const length = random.oneIn(4) ? random.below(bytes.length - from + 1) : random.below(17)
  return [from, Math.min(bytes.length, from + length)]
}

const CHANGES = [
  (bytes, random) => {
    const out = bytes.slice()
    if (out.length > 0) out[random.below(out.length)] ^= 1 << random.below(8)
    return out
  },
  (bytes, random) => {
    const out = bytes.slice()
    if (out.length > 0) out[random.below(out.length)] = random.oneIn(2) ? random.of(EDGES) : random.next()
    return out
  },
  setLength,
  (bytes, random) => bytes.slice(0, random.below(bytes.length + 1)),
  (bytes, random) => {
    const [from, to] = range(bytes, random)
    return concatBytes(bytes.subarray(0, from), bytes.subarray(to))
  },
  (bytes, random) => {
    const [from, to] = range(bytes, random)
    return concatBytes(bytes.subarray(0, to), bytes.subarray(from, to), bytes.subarray(to))
  },
  (bytes, random) => {
    const at = random.below(bytes.length + 1)
    const added = random.oneIn(2) ? random.bytes(1 + random.below(8)) : Uint8Array.of(random.of(EDGES))
    return concatBytes(bytes.subarray(0, at), added, bytes.subarray(at))
  },
  (bytes, random, others) => {
    const other = random.of(others)
    const [from, to] = range(other, random)
    const [cut, end] = range(bytes, random)
    return concatBytes(bytes.subarray(0, cut), other.subarray(from, to), bytes.subarray(end))
  },
  (bytes, random, others) => {
    const other = random.of(others)
    return concatBytes(
      bytes.subarray(0, random.below(bytes.length + 1)),
      other.subarray(random.below(other.length + 1)),
    )
  },
]

/** A piece many times over: what is read in more than linear time shows. */
function repeated(bytes, random) {
  const [from, to] = range(bytes, random)
  if (to === from) return bytes
  const times = Math.min(Math.floor(MAX_INPUT_BYTES / 2 / (to - from)), 1 + random.below(4096))
  const piece = bytes.subarray(from, to)
  return concatBytes(bytes.subarray(0, to), ...Array.from({ length: times }, () => piece), bytes.subarray(to))
}

/** Bytes that differ from these in up to four places; `others` are what pieces are taken from. */
export function mutateBytes(bytes, random, others) {
  let out = random.oneIn(1000) ? repeated(bytes, random) : bytes
  for (let left = 1 + random.below(4); left > 0; left--) out = random.of(CHANGES)(out, random, others)
  return out.length > MAX_INPUT_BYTES ? out.slice(0, MAX_INPUT_BYTES) : out
}
