// Changes of a bundle's values, at any place: members, lists, numbers, bytes. A change is `(bundle, random, lend) => name of the place`, or undefined when
// it finds none; it changes `bundle` where it is.
import { mutateBytes } from '../../fuzz/parts/mutate-bytes.mjs'
import { mutateDer } from '../../fuzz/parts/mutate-der.mjs'
import { mutateText } from '../../fuzz/parts/mutate-json.mjs'
import { at, copyOf, decoded, encoded, isBytes, isDer, isList, isNumber, placesOf } from './places.mjs'

function somewhere(bundle, random, wanted = () => true) {
  const places = placesOf(bundle).filter(wanted)
  return places.length === 0 ? undefined : random.of(places)
}

/** A change of one place's value. */
const valueChange = (wanted, change) => (bundle, random, lend) => {
  const place = somewhere(bundle, random, wanted)
  if (place === undefined) return undefined
  place.parent[place.key] = change(place.parent[place.key], random, lend, place)
  return place.path
}

function remove({ parent, key }) {
  if (Array.isArray(parent)) parent.splice(Number(key), 1)
  else delete parent[key]
}

const NULLS = [null, '', 0, false, true, {}, [], [null], [{}], 'AA==', -1, 1.5, 1e300]
const NUMBERS = [
  '0',
  '-1',
  '1',
  '01',
  '+1',
  '1.0',
  '1e1',
  ' 1',
  '0x1',
  '9223372036854775807',
  '9223372036854775808',
  '1a',
  '',
  null,
]

function otherNumber(value, random) {
  const exact = /^\d{1,19}$/.test(String(value)) ? BigInt(value) : 0n
  switch (random.below(6)) {
    case 0:
      return typeof value === 'string' ? Number(value) : String(value)
    case 1:
      return String(exact + 1n)
    case 2:
      return String(exact > 0n ? exact - 1n : 5n)
    case 3:
      return `${value}0`
    default:
      return random.of(NUMBERS)
  }
}

/** Another spelling of the same bytes, or of nearly the same. */
function otherSpelling(text, random) {
  switch (random.below(8)) {
    case 0:
      return text.replaceAll('+', '-').replaceAll('/', '_')
    case 1:
      return text.replace(/=+$/, '')
    case 2:
      return `${text}=`
    case 3:
      return text.replace(/.{1,64}/g, '$&\n')
    case 4:
      return ` ${text}`
    case 5:
      return `${text}AAAA`
    case 6:
      return Buffer.from(text, 'base64').toString('hex')
    default:
      // The last character before the padding holds bits that belong to no byte.
      return text.replace(
        /(.)(=+)$/,
        (_all, last, padding) => `${String.fromCharCode(last.charCodeAt(0) + 1)}${padding}`,
      )
  }
}

function flipped(text, random) {
  const bytes = Uint8Array.from(decoded(text))
  if (bytes.length > 0) bytes[random.below(bytes.length)] ^= 1 << random.below(8)
  return encoded(bytes)
}

function resized(text, random) {
  const bytes = decoded(text)
  const size = random.of([0, 1, bytes.length - 1, bytes.length + 1, 2 * bytes.length, 31, 32, 33, 64])
  const out = new Uint8Array(Math.max(0, size))
  out.set(bytes.subarray(0, out.length))
  return encoded(out)
}

const isText = ({ parent, key }) => typeof parent[key] === 'string'

/** By name: what a table of verdicts says of a case. */
export const VALUE_CHANGES = {
  delete: (bundle, random) => {
    const place = somewhere(bundle, random)
    if (place !== undefined) remove(place)
    return place?.path
  },
  null: valueChange(undefined, () => null),
  type: valueChange(undefined, (_value, random) => random.of(NULLS)),
  flip: valueChange(isBytes, flipped),
  resize: valueChange(isBytes, resized),
  bytes: valueChange(isBytes, (text, random, lend) => encoded(mutateBytes(decoded(text), random, lend.pieces()))),
  spelling: valueChange(isBytes, otherSpelling),
  der: valueChange(isDer, (text, random, lend) => encoded(mutateDer(decoded(text), random, lend.pieces()))),
  text: valueChange(isText, (text, random, lend) => mutateText(text, random, lend.pieces())),
  number: valueChange(isNumber, otherNumber),
  double: (bundle, random) => {
    const place = somewhere(bundle, random, (one) => isList(one) && one.parent[one.key].length > 0)
    if (place === undefined) return undefined
    const list = place.parent[place.key]
    list.splice(random.below(list.length + 1), 0, copyOf(random.of(list)))
    return place.path
  },
  reorder: (bundle, random) => {
    const place = somewhere(bundle, random, (one) => isList(one) && one.parent[one.key].length > 1)
    if (place === undefined) return undefined
    const list = place.parent[place.key]
    const [i, j] = [random.below(list.length), random.below(list.length)]
    ;[list[i], list[j]] = [list[j], list[i]]
    return place.path
  },
  append: (bundle, random, lend) => {
    const place = somewhere(bundle, random, isList)
    const lent = place && at(lend.bundle(), place.path)
    if (!Array.isArray(lent) || lent.length === 0) return undefined
    const list = place.parent[place.key]
    list.splice(random.below(list.length + 1), 0, copyOf(random.of(lent)))
    return place.path
  },
  swap: (bundle, random, lend) => {
    const place = somewhere(bundle, random)
    const lent = place && at(lend.bundle(), place.path)
    if (lent === undefined) return undefined
    place.parent[place.key] = copyOf(lent)
    return place.path
  },
  rename: (bundle, random) => {
    const place = somewhere(bundle, random, ({ parent }) => !Array.isArray(parent))
    if (place === undefined) return undefined
    const { parent, key } = place
    const value = parent[key]
    delete parent[key]
    parent[random.oneIn(4) ? `${key}x` : key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)] = value
    return place.path
  },
  extra: (bundle, random) => {
    const place = somewhere(
      bundle,
      random,
      ({ parent, key }) => typeof parent[key] === 'object' && !isList({ parent, key }),
    )
    const object = place === undefined ? bundle : place.parent[place.key]
    if (object === null) return undefined
    object[random.of(['extra', '__proto__x', 'Certificate', 'keyid'])] = random.of([1, 'x', null, {}])
    return place?.path ?? 'bundle'
  },
}
