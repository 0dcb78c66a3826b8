// Values of a verification as JSON text and back: between Node and a page there is nothing else.

/** JSON in which byte strings, bigints, dates and maps survive. */
export function toWire(value) {
  return JSON.stringify(tagged(value))
}

export function fromWire(text) {
  return untagged(JSON.parse(text))
}

function tagged(value) {
  if (value === undefined) return { $: 'undefined' }
  if (typeof value === 'bigint') return { $: 'bigint', value: String(value) }
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return { $: 'bytes', value: [...value] }
  if (value instanceof Date) return { $: 'date', value: value.getTime() }
  if (value instanceof Map) return { $: 'map', value: [...value].map(tagged) }
  if (Array.isArray(value)) return value.map(tagged)
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, tagged(inner)]))
}

function untagged(value) {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(untagged)
  switch (value.$) {
    case 'undefined':
      return undefined
    case 'bigint':
      return BigInt(value.value)
    case 'bytes':
      return Uint8Array.from(value.value)
    case 'date':
      return new Date(value.value)
    case 'map':
      return new Map(value.value.map(untagged))
    default:
      return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, untagged(inner)]))
  }
}
