import { compareBytes, utf8Encode, type JsonValue } from '@touchmark/encoding'

/** A double without exponent: the shortest digits that read back as it (Go's `FormatFloat(x, 'f', -1, 64)`). */
export function formatPlain(value: number): string {
  if (Object.is(value, -0)) return '-0'
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(String(value))
  if (match === null) return String(value)
  const [, sign = '', first = '', rest = '', power = '0'] = match
  const exponent = Number(power)
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${first}${rest}`
  return sign + (first + rest).padEnd(exponent + 1, '0')
}

/** A double as Go's `%v` writes it: with an exponent, of at least two digits, below 1e-4 and from 1e6 on. */
function formatNumber(value: number): string {
  if (value === 0) return formatPlain(value)
  const [digits = '', power = '0'] = value.toExponential().split('e')
  const exponent = Number(power)
  if (exponent >= -4 && exponent < 6) return formatPlain(value)
  return `${digits}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}

/** A decoded JSON value as Go's `fmt.Sprintf("%v")` writes it: `<nil>`, `[a b]`, `map[k:v]` with sorted keys (ca.md §7). */
export function formatValue(value: JsonValue): string {
  if (value === null) return '<nil>'
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return formatNumber(value)
  if (Array.isArray(value)) return `[${value.map(formatValue).join(' ')}]`
  const members = value as { readonly [member: string]: JsonValue }
  const names = Object.keys(members).sort((a, b) => compareBytes(utf8Encode(a), utf8Encode(b)))
  return `map[${names.map((name) => `${name}:${formatValue(members[name]!)}`).join(' ')}]`
}

/** A claim as a ci-provider template sees it: like {@link formatValue}, but a number by itself has no exponent. */
export function stringifyClaim(value: JsonValue): string {
  return typeof value === 'number' ? formatPlain(value) : formatValue(value)
}

const QUOTE_ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '"': '\\"',
  '\\': '\\\\',
}

/** Text in double quotes with what does not print escaped, as Go's `%q`. */
export function quoteText(text: string): string {
  const escaped = text.replace(/["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, (char) => {
    const known = QUOTE_ESCAPES[char]
    if (known !== undefined) return known
    const code = char.codePointAt(0)!
    if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
  })
  return `"${escaped}"`
}
