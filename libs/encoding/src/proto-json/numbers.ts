const NUMBER = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/

/** No number that is meant as an integer is longer; below this, stripping zeros costs nothing worth mention. */
const MAX_CHARS = 64

/** More digits than any 64-bit integer has; checked before digits are built, so an exponent cannot make a long one. */
const MAX_DIGITS = 20

/**
 * The integer that a JSON number denotes, as Go's protojson normalises it: `5`, `5.0`, `5e0` and `50e-1` are 5. Undefined when it is not whole,
 * not a JSON number, has more than 20 digits, or is written with more than 64 characters.
 */
export function integerOf(text: string): bigint | undefined {
  if (/^-?(0|[1-9]\d{0,14})$/.test(text)) return BigInt(text)
  if (text.length > MAX_CHARS) return undefined
  const parts = NUMBER.exec(text)
  if (parts === null) return undefined
  const whole = parts[2] === '0' ? '' : parts[2]!
  const fraction = (parts[3] ?? '').replace(/0+$/, '')
  if (whole === '' && fraction === '') return 0n
  const exponentText = parts[4] ?? '0'
  const exponent = exponentText.length > 11 ? Number.NaN : Number(exponentText)
  if (!(Math.abs(exponent) <= 0x7fffffff)) return undefined
  let digits
  if (exponent >= 0) {
    if (fraction.length > exponent || whole.length + exponent > MAX_DIGITS) return undefined
    digits = (whole + fraction).padEnd(whole.length + exponent, '0')
  } else {
    const cut = whole.length + exponent
    if (fraction !== '' || cut < 0 || /[1-9]/.test(whole.slice(cut)) || cut > MAX_DIGITS) return undefined
    digits = whole.slice(0, cut)
  }
  const value = BigInt(digits === '' ? '0' : digits)
  return parts[1] === '-' ? -value : value
}

/** True for a value of a signed integer of that many bits. */
export function fitsSigned(value: bigint, bits: 32 | 64): boolean {
  return BigInt.asIntN(bits, value) === value
}

/** An int64 as canonical proto JSON writes it inside a string: no sign on zero, no leading zeros, no exponent. */
export function isCanonicalInteger(text: string): boolean {
  return /^(0|-?[1-9]\d{0,18})$/.test(text)
}
