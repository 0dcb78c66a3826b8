import { describe, expect, it } from '@jest/globals'
import { formatPlain, formatValue, quoteText, stringifyClaim } from './format.js'

describe('values as Go writes them', () => {
  // Recorded with Go 1.26: fmt.Sprintf("%v") and strconv.FormatFloat(x, 'f', -1, 64).
  it.each([
    [0, '0', '0'],
    [-7, '-7', '-7'],
    [1.5, '1.5', '1.5'],
    [999999, '999999', '999999'],
    [1e6, '1e+06', '1000000'],
    [12345678, '1.2345678e+07', '12345678'],
    [1e21, '1e+21', '1000000000000000000000'],
    [123456.789, '123456.789', '123456.789'],
    [1234567.5, '1.2345675e+06', '1234567.5'],
    [0.0001, '0.0001', '0.0001'],
    [0.00001, '1e-05', '0.00001'],
    [1.2345e-5, '1.2345e-05', '0.000012345'],
    [1e-7, '1e-07', '0.0000001'],
    [-1e6, '-1e+06', '-1000000'],
    [2 ** 53, '9.007199254740992e+15', '9007199254740992'],
  ])('writes %p as %s and without exponent as %s', (value, general, plain) => {
    expect(formatValue(value)).toBe(general)
    expect(formatPlain(value)).toBe(plain)
    expect(stringifyClaim(value)).toBe(plain)
  })

  it('keeps the sign of negative zero, as Go does', () => {
    expect(formatValue(-0)).toBe('-0')
  })

  it('writes null, lists and maps with sorted keys', () => {
    expect(formatValue(null)).toBe('<nil>')
    expect(stringifyClaim(['a', 'b', 1e6])).toBe('[a b 1e+06]')
    expect(stringifyClaim({ b: 1, a: { c: null }, '\u{1f600}': 1, '\uffee': 2 })).toBe(
      'map[a:map[c:<nil>] b:1 \uffee:2 \u{1f600}:1]',
    )
  })

  it('quotes as %q', () => {
    expect(quoteText('a"b\\c\n\x01\u00a0ü\u200b')).toBe('"a\\"b\\\\c\\n\\x01\\u00a0ü\\u200b"')
  })
})
