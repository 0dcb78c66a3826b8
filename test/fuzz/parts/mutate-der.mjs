import { concatBytes } from '@touchmark/encoding'
import { mutateBytes } from './mutate-bytes.mjs'

const TAGS = [
  0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x13, 0x16, 0x17, 0x18, 0x1f, 0x24, 0x30, 0x31, 0x80, 0x81, 0x82, 0x86,
  0x87, 0xa0, 0xa1, 0xa3,
]
const MAX_DEPTH = 24

/** The elements of well-formed DER, those inside OCTET STRINGs and BIT STRINGs too; undefined for anything else. */
function readElements(bytes, depth) {
  const found = []
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at]
    let length = bytes[at + 1]
    let start = at + 2
    if (length === undefined || depth > MAX_DEPTH) return undefined
    if (length > 0x80) {
      const octets = length & 0x7f
      length = 0
      for (let i = 0; i < octets; i++) length = length * 256 + (bytes[start + i] ?? Number.NaN)
      start += octets
    } else if (length === 0x80) return undefined
    const end = start + length
    if (!(end <= bytes.length)) return undefined
    found.push(elementOf(tag, bytes.subarray(start, end), depth))
    at = end
  }
  return found
}

function elementOf(tag, content, depth) {
  if ((tag & 0x20) !== 0) return { tag, content, children: readElements(content, depth + 1) }
  const prefix = tag === 0x03 ? 1 : 0
  if ((tag === 0x03 || tag === 0x04) && content[prefix] === 0x30) {
    const children = readElements(content.subarray(prefix), depth + 1)
    if (children !== undefined) return { tag, content, children, prefix: content.subarray(0, prefix) }
  }
  return { tag, content }
}

function lengthOctets(length, form) {
  const octets = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256)
  if (form === 'long') octets.unshift(0)
  if (form === 'indefinite') return [0x80]
  return length < 0x80 && form === undefined ? [length] : [0x80 | octets.length, ...octets]
}

function write({ tag, content, children, prefix, off = 0, form }) {
  const inside = children === undefined ? content : concatBytes(prefix ?? new Uint8Array(0), ...children.map(write))
  return concatBytes(Uint8Array.of(tag, ...lengthOctets(Math.max(0, inside.length + off), form)), inside)
}

function flatten(elements, out) {
  for (const element of elements) {
    out.push(element)
    if (element.children !== undefined) flatten(element.children, out)
  }
  return out
}

/** Puts what `change` gives for `target` in its place; the lengths around it follow. */
function replaced(elements, target, change) {
  return elements.flatMap((element) => {
    if (element === target) return change(element)
    if (element.children === undefined) return [element]
    const children = replaced(element.children, target, change)
    return children.every((child, i) => child === element.children[i]) && children.length === element.children.length
      ? [element]
      : [{ ...element, children }]
  })
}

function nested(element, random) {
  let out = element
  for (let left = 1 + random.below(40); left > 0; left--) {
    out = { tag: random.of([0x30, 0x31, 0xa0, out.tag | 0x20]), content: new Uint8Array(0), children: [out] }
  }
  return out
}

const CHANGES = [
  (element, random) => [{ ...element, tag: random.oneIn(2) ? random.of(TAGS) : element.tag ^ (1 << random.below(8)) }],
  (element, random, others) => [{ tag: element.tag, content: mutateBytes(write(element), random, others).slice(2) }],
  (element, random) => [{ tag: element.tag, content: random.bytes(random.below(24)) }],
  (element) => [{ tag: element.tag, content: new Uint8Array(0) }],
  () => [],
  (element) => [element, element],
  (element, random) => Array.from({ length: 1 + random.below(random.oneIn(8) ? 300 : 12) }, () => element),
  (element, random) => [{ ...element, off: random.of([-1, 1, 2, 127, 128, 65_536]) }],
  (element, random) => [{ ...element, form: random.of(['long', 'long form', 'indefinite']) }],
  (element, random) => [nested(element, random)],
  (element, random) =>
    element.children === undefined ? [element] : [{ ...element, children: shuffled(element, random) }],
]

function shuffled({ children }, random) {
  const out = [...children]
  if (out.length < 2) return out
  const [i, j] = [random.below(out.length), random.below(out.length)]
  ;[out[i], out[j]] = [out[j], out[i]]
  return out
}

const trees = new Map()

/** Recorded bytes come again and again; others are read once and forgotten. */
function treeOf(bytes) {
  const known = trees.get(bytes)
  if (known !== undefined) return known
  const tree = readElements(bytes, 0) ?? null
  if (trees.size < 2000) trees.set(bytes, tree)
  return tree
}

/**
 * DER that differs in one to three elements, most of the time with right lengths around them. Elements of `others` take the place of some. What is no DER is
 * changed as bytes. `bytes` is remembered as an object: hand in the recorded ones themselves.
 */
export function mutateDer(bytes, random, others) {
  let tree = random.oneIn(8) ? null : treeOf(bytes)
  if (tree === null || tree.length === 0) return mutateBytes(bytes, random, others)
  for (let left = random.of([1, 1, 1, 2, 3]); left > 0 && tree.length > 0; left--) {
    const target = random.of(flatten(tree, []))
    if (random.oneIn(6)) {
      const other = treeOf(random.of(others))
      if (other === null || other.length === 0) continue
      const piece = random.of(flatten(other, []))
      tree = replaced(tree, target, () => [piece])
    } else {
      const change = random.of(CHANGES)
      tree = replaced(tree, target, (element) => change(element, random, others))
    }
  }
  return concatBytes(...tree.map(write))
}
