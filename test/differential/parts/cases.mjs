import { Random } from '../../fuzz/parts/random.mjs'
import { mutateBytes } from '../../fuzz/parts/mutate-bytes.mjs'
import { mutateJson, seedOf } from '../../fuzz/parts/mutate-json.mjs'
import { MEANING_CHANGES } from './change-meaning.mjs'
import { VALUE_CHANGES } from './change-values.mjs'
import { decoded, isBytes, placesOf } from './places.mjs'

const VALUES = Object.entries(VALUE_CHANGES)
const MEANINGS = Object.entries(MEANING_CHANGES)

const TEXT_CHANGES = {
  'byte order mark': (text) => `\ufeff${text}`,
  'white space': (text) => ` \n${JSON.stringify(JSON.parse(text), undefined, 3)}\r\n\t`,
  trailing: (text, random) => `${text}${random.of(['}', '{}', '\0', ' null', '//', ','])}`,
  'cut off': (text, random) => text.slice(0, random.below(text.length)),
  'repeated member': (text, random) => {
    const members = [...text.matchAll(/"(\w+)":/g)]
    const { 1: name, index } = random.of(members)
    return `${text.slice(0, index)}"${name}":${random.of(['null', '""', '{}', '"0"'])},${text.slice(index)}`
  },
  escapes: (text) => text.replace(/"mediaType"/, '"\\u006dediaType"').replaceAll('/', '\\/'),
  'member order': (text) => JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(text)).toReversed())),
}
const TEXTS = Object.entries(TEXT_CHANGES)

/** What changes borrow from: other bundles, pieces of them as bytes, certificates of trusted roots. */
class Lender {
  #random
  #pool

  constructor(pool, random) {
    this.#pool = pool
    this.#random = random
  }

  bundle() {
    return this.#random.of(this.#pool.parsed)
  }

  pieces() {
    return this.#pool.pieces
  }

  get trusted() {
    return this.#pool.trusted
  }
}

/** Cases by number: the same seed and number give the same case on every machine with the same vectors. */
export class Cases {
  #seed
  #seeds
  #pool

  constructor({ bundles, subjects }, seed) {
    this.#seed = seed
    this.#seeds = bundles.filter((bundle) => bundle.seed)
    const parsed = bundles.map(({ text }) => JSON.parse(text))
    const trusted = subjects.flatMap(({ trustedRoot }) => {
      const { certificateAuthorities = [] } = JSON.parse(Buffer.from(trustedRoot).toString())
      return certificateAuthorities.flatMap(({ certChain }) => certChain.certificates)
    })
    const pieces = parsed.flatMap((bundle) =>
      placesOf(bundle)
        .filter(isBytes)
        .map(({ parent, key }) => decoded(parent[key])),
    )
    this.#pool = { parsed, trusted, pieces }
  }

  /** The bundles as they are, which come before those that are changed. */
  get unchanged() {
    return this.#seeds.map(({ name, subject, text }) => ({ name, subject, bytes: Buffer.from(text), changes: [] }))
  }

  at(number) {
    const random = new Random(this.#seed, number)
    const { name, subject, text } = random.of(this.#seeds)
    const lend = new Lender(this.#pool, random)
    if (random.oneIn(20))
      return { name, subject, bytes: mutateJson(seedOf(text), random, this.#pool.pieces), changes: ['json'] }
    const bundle = JSON.parse(text)
    const changes = []
    for (let left = random.of([1, 1, 1, 1, 1, 2, 2, 3]); left > 0; left--) {
      const [kind, change] = random.of(random.oneIn(2) ? VALUES : MEANINGS)
      const place = changeOnce(change, bundle, random, lend)
      if (place !== undefined) changes.push(`${kind}: ${place}`)
    }
    let written = JSON.stringify(bundle)
    if (changes.length === 0 || random.oneIn(12)) {
      const [kind, change] = random.of(TEXTS)
      written = change(written, random)
      changes.push(kind)
    }
    if (!random.oneIn(40)) return { name, subject, bytes: Buffer.from(written), changes }
    return {
      name,
      subject,
      bytes: mutateBytes(Buffer.from(written), random, [Buffer.from(written)]),
      changes: [...changes, 'bytes of the file'],
    }
  }
}

/** What an earlier change broke cannot always be changed again. */
function changeOnce(change, bundle, random, lend) {
  try {
    return change(bundle, random, lend)
  } catch (error) {
    if (error instanceof TypeError || error instanceof SyntaxError) return undefined
    throw error
  }
}
