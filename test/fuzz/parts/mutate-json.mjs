import { utf8Encode } from '@touchmark/encoding'
import { MAX_INPUT_BYTES, mutateBytes } from './mutate-bytes.mjs'
import { mutateDer } from './mutate-der.mjs'

const WORDS = [
  '',
  '__proto__',
  'constructor',
  'toString',
  'null',
  '0.0.1',
  '0.0.2',
  '\u0000',
  '\ud800',
  '\u2028',
  'é',
  '=',
  '====',
  'AA==',
  'AAAA\n',
  'a'.repeat(600),
]
const NUMBERS = [
  '0',
  '-0',
  '-1',
  '1.5',
  '1e400',
  '-1e400',
  '9223372036854775807',
  '9223372036854775808',
  '2147483648',
  '1E-7',
  '00',
  '5',
  '7',
]
const BARE = ['null', 'true', 'false', '{}', '[]', '""', '[{}]', '[null]', 'nul', '"\\u12"', '"\\ud800"', '"\\x"']

/** A tree that can say more than a value: members twice, and text that is no JSON. */
function treeOf(value) {
  if (typeof value === 'string') return { text: value }
  if (Array.isArray(value)) return { items: value.map(treeOf) }
  if (typeof value === 'object' && value !== null) {
    return { members: Object.entries(value).map(([name, member]) => [name, treeOf(member)]) }
  }
  return { raw: JSON.stringify(value) }
}

function write(tree, space) {
  if (tree.text !== undefined) return JSON.stringify(tree.text)
  if (tree.raw !== undefined) return tree.raw
  if (tree.items !== undefined) return `[${tree.items.map((item) => write(item, space)).join(`,${space}`)}]`
  return `{${tree.members.map(([name, value]) => `${JSON.stringify(name)}:${space}${write(value, space)}`).join(`,${space}`)}}`
}

const copy = (tree) => {
  if (tree.items !== undefined) return { items: tree.items.map(copy) }
  if (tree.members !== undefined) return { members: tree.members.map(([name, value]) => [name, copy(value)]) }
  return { ...tree }
}

function places(tree, out) {
  out.push(tree)
  for (const child of tree.items ?? []) places(child, out)
  for (const [, child] of tree.members ?? []) places(child, out)
  return out
}

function become(tree, other) {
  for (const name of ['text', 'raw', 'items', 'members']) delete tree[name]
  Object.assign(tree, other)
}

function deep(random) {
  const depth = 1 + random.below(random.oneIn(10) ? 12_000 : 130)
  const [open, close] = random.of([
    ['[', ']'],
    ['{"a":', '}'],
    ['[{"a":', '}]'],
  ])
  return { raw: random.oneIn(8) ? open.repeat(depth) : `${open.repeat(depth)}null${close.repeat(depth)}` }
}

const PEM = /^-----BEGIN ([A-Z ]+)-----\n([\s\S]+?)\n-----END/
const BASE64 = /^[A-Za-z0-9+/_-]{4,}={0,2}$/
const pieces = new Map()

/** The same object for the same text, so that its DER is read once. */
function bytesOf(text) {
  const known = pieces.get(text)
  if (known !== undefined) return known
  const bytes = new Uint8Array(Buffer.from(text, 'base64'))
  if (pieces.size < 2000) pieces.set(text, bytes)
  return bytes
}

const base64 = (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')

/** A text that differs: in its characters, or inside what it is the text of (JSON, PEM, base64 of DER, of PEM or of base64). */
export function mutateText(text, random, others) {
  if (random.oneIn(6)) return random.of(WORDS)
  if (!random.oneIn(5)) {
    if (text.startsWith('{')) {
      try {
        return Buffer.from(mutateJson(seedOf(text), random, others)).toString()
      } catch {
        // Not JSON after all.
      }
    }
    const pem = PEM.exec(text)
    if (pem !== null) {
      const der = base64(mutateDer(bytesOf(pem[2]), random, others))
      const lines = der.match(random.oneIn(4) ? /.{1,70}/g : /.{1,64}/g) ?? []
      const label = random.oneIn(10) ? random.of(['CERTIFICATE', 'PUBLIC KEY', 'RSA PUBLIC KEY', 'X']) : pem[1]
      const block = `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
      return random.oneIn(12) ? block.repeat(1 + random.below(12)) : block
    }
    if (BASE64.test(text)) {
      const bytes = bytesOf(text)
      const inner = Buffer.from(bytes).toString()
      const changed =
        inner.startsWith('-----BEGIN') || inner.startsWith('{') || BASE64.test(inner)
          ? utf8Encode(mutateText(inner, random, others))
          : mutateDer(bytes, random, others)
      return base64(changed)
    }
  }
  return Buffer.from(mutateBytes(utf8Encode(text), random, others)).toString()
}

const CHANGES = [
  (place, random, others) => {
    if (place.text === undefined) return
    become(place, { text: mutateText(place.text, random, others) })
  },
  (place, random, others) => {
    if (place.text === undefined) return
    become(place, { text: mutateText(place.text, random, others) })
  },
  (place, random) => become(place, { raw: random.of(random.oneIn(2) ? BARE : NUMBERS) }),
  (place, random) => become(place, { text: random.of(WORDS) }),
  (place, random) => {
    const list = place.members ?? place.items
    if (list?.length > 0) list.splice(random.below(list.length), 1)
  },
  (place, random) => {
    const list = place.members ?? place.items
    if (!(list?.length > 0)) return
    const twice = random.of(list)
    list.splice(random.below(list.length + 1), 0, place.members ? [twice[0], copy(twice[1])] : copy(twice))
  },
  (place, random) => {
    if (!(place.members?.length > 0)) return
    const member = random.of(place.members)
    member[0] = random.of([
      random.of(WORDS),
      `${member[0]}x`,
      member[0].toUpperCase(),
      member[0].replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    ])
  },
  (place, random) => {
    if (place.members?.length > 0) place.members.push([random.of(place.members)[0], { raw: random.of(BARE) }])
  },
  (place, random) => {
    const list = place.items
    if (list?.length > 0) for (let left = random.below(120); left > 0; left--) list.push(copy(list[0]))
  },
  (place, random) => become(place, deep(random)),
]

const seeds = new Map()

/** A recorded text, read once. Throws SyntaxError for what is no JSON. */
export function seedOf(text) {
  const known = seeds.get(text)
  if (known !== undefined) return known
  const seed = { text, tree: treeOf(JSON.parse(text)) }
  if (seeds.size < 2000) seeds.set(text, seed)
  return seed
}

/** JSON (or nearly) that differs from a seed in one to three places: values, members, what is in strings; at times also as bytes. */
export function mutateJson(seed, random, others) {
  const tree = copy(seed.tree)
  for (let left = random.of([1, 1, 1, 2, 3]); left > 0; left--) {
    const all = places(tree, [])
    const place = random.of(all)
    if (random.oneIn(10)) become(place, copy(random.of(all)))
    else random.of(CHANGES)(place, random, others)
  }
  const bytes = utf8Encode(write(tree, random.oneIn(5) ? random.of([' ', '\n', '\t']) : ''))
  if (random.oneIn(6)) return mutateBytes(bytes, random, [bytes])
  return bytes.length > MAX_INPUT_BYTES ? bytes.slice(0, MAX_INPUT_BYTES) : bytes
}
