import { utf8Encode } from '@touchmark/encoding'
import { mutateBytes } from './mutate-bytes.mjs'
import { mutateDer } from './mutate-der.mjs'
import { mutateJson, seedOf } from './mutate-json.mjs'

const TOKENS = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '"a"',
  '"kind"',
  '"spec"',
  'null',
  'true',
  '0',
  '-1e9',
  '\\u0000',
  ' ',
  '\n',
]

function noise(random) {
  if (random.oneIn(2)) return random.bytes(random.below(random.oneIn(10) ? 2000 : 100))
  return utf8Encode(Array.from({ length: random.below(60) }, () => random.of(TOKENS)).join(''))
}

/** Inputs from bytes without a structure that is known here; `own(seed, random)` may change them in a way of its own first. */
export function fromBytes(seeds, own) {
  return {
    seeds,
    next: (random) => {
      if (random.oneIn(20)) return noise(random)
      const seed = random.of(seeds)
      const changed = own !== undefined && !random.oneIn(3) ? own(seed, random) : seed
      return changed !== seed && random.oneIn(2) ? changed : mutateBytes(changed, random, seeds)
    },
  }
}

export function fromDer(seeds) {
  return { seeds, next: (random) => (random.oneIn(25) ? noise(random) : mutateDer(random.of(seeds), random, seeds)) }
}

export function fromText(texts) {
  return fromBytes(texts.map(utf8Encode))
}

/** Inputs from JSON texts; those that are not JSON are changed as bytes. `others`: bytes that strings in base64 take pieces from. */
export function fromJson(texts, others) {
  const seeds = texts.map(utf8Encode)
  const trees = texts.map((text) => {
    try {
      return seedOf(text)
    } catch {
      return undefined
    }
  })
  const donors = others ?? seeds
  return {
    seeds,
    next: (random) => {
      if (random.oneIn(25)) return noise(random)
      const tree = random.of(trees)
      return tree === undefined || random.oneIn(10)
        ? mutateBytes(random.of(seeds), random, seeds)
        : mutateJson(tree, random, donors)
    },
  }
}
