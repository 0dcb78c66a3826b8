/** Members of a bundle that are bytes, as base64. */
const BYTES = new Set(
  'rawBytes keyId signedEntryTimestamp rootHash hashes canonicalizedBody signedTimestamp digest signature payload sig'.split(
    ' ',
  ),
)
const NUMBERS = new Set(['logIndex', 'treeSize', 'integratedTime'])

/** Every value below a JSON value: where it hangs, under which name, and the path as text. */
export function placesOf(value, path = '', out = []) {
  if (typeof value !== 'object' || value === null) return out
  for (const [key, child] of Object.entries(value)) {
    const at = path === '' ? key : `${path}.${key}`
    out.push({ parent: value, key, path: at })
    placesOf(child, at, out)
  }
  return out
}

const nameOf = ({ path }) =>
  path
    .replace(/\.\d+$/, '')
    .split('.')
    .at(-1)
const valueOf = ({ parent, key }) => parent[key]

export const isBytes = (place) => BYTES.has(nameOf(place)) && typeof valueOf(place) === 'string'
export const isNumber = (place) => NUMBERS.has(nameOf(place)) && typeof valueOf(place) !== 'object'
export const isList = (place) => Array.isArray(valueOf(place))
export const isDer = (place) =>
  isBytes(place) && ['rawBytes', 'signedTimestamp', 'signedEntryTimestamp', 'signature', 'sig'].includes(nameOf(place))

export function at(value, path) {
  return path.split('.').reduce((inner, key) => inner?.[key], value)
}

/** The bytes of a base64 text; the same object for the same text, so that its DER is read once. */
const known = new Map()
export function decoded(text) {
  let bytes = known.get(text)
  if (bytes === undefined) {
    bytes = new Uint8Array(Buffer.from(text, 'base64'))
    if (known.size < 4000) known.set(text, bytes)
  }
  return bytes
}

export const encoded = (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')

/** A copy of a JSON value; undefined stays it. */
export const copyOf = (value) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)))
