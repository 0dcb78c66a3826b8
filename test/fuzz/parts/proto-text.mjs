const base64 = (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')

function textOfNumber(number) {
  if (Number.isNaN(number)) return '"NaN"'
  if (!Number.isFinite(number)) return number > 0 ? '"Infinity"' : '"-Infinity"'
  return Object.is(number, -0) ? '-0' : String(number)
}

/** JSON of a value that a parser gave; a negative zero stays one. */
export function textOfJson(value) {
  if (typeof value === 'number') return textOfNumber(value)
  if (Array.isArray(value)) return `[${value.map(textOfJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([name, member]) => `${JSON.stringify(name)}:${textOfJson(member)}`)
    .join(',')}}`
}

function textOfField(field, value) {
  switch (field.kind) {
    case 'message':
      return textOfMessage(field.of, value)
    case 'repeated':
      return `[${value.map((item) => textOfField(field.of, item)).join(',')}]`
    case 'bytes':
      return `"${base64(value)}"`
    case 'int64':
      return `"${value}"`
    case 'double':
      return textOfNumber(value)
    case 'enum': {
      const name = Object.keys(field.values).find((key) => field.values[key] === value)
      return name === undefined ? String(value) : JSON.stringify(name)
    }
    case 'json':
      return textOfJson(value)
    default:
      return JSON.stringify(value)
  }
}

/** Writes a decoded message again in the strictest form of proto JSON. */
export function textOfMessage(schema, message) {
  return `{${Object.entries(message)
    .map(([name, value]) => `"${name}":${textOfField(schema.fields[name], value)}`)
    .join(',')}}`
}
