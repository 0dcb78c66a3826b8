import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { utf8Encode } from '../bytes.js'
import { canonicalJson } from '../canonical-json.js'
import { EncodingError } from '../errors.js'
import { parseJson, type ParseJsonOptions } from './index.js'

const parse = (text: string, options?: ParseJsonOptions) => parseJson(utf8Encode(text), options)

/** The value as text, or that there is none; other errors than ours and JSON.parse's are thrown on. */
function outcome(read: () => unknown): string {
  try {
    return JSON.stringify(read())
  } catch (error) {
    if (error instanceof EncodingError || error instanceof SyntaxError) return 'refused'
    throw error
  }
}

describe('parseJson', () => {
  it('gives what JSON.parse gives, for whatever JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ depthSize: 'large' }), fc.nat(2), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        expect(JSON.stringify(parse(text, { maxDepth: 1000 }))).toBe(JSON.stringify(JSON.parse(text)))
      }),
      { numRuns: 300 },
    )
  })

  it('takes only what JSON.parse takes, and reads it alike', () => {
    const pieces = fc.array(
      fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '"a"',
        '"b"',
        '"\\u00e9"',
        'true',
        'null',
        '-1.5e2',
        '01',
        ' ',
        '\t',
        '"',
      ),
      { maxLength: 12 },
    )
    fc.assert(
      fc.property(pieces, (parts) => {
        const text = parts.join('')
        expect(outcome(() => parse(text, { duplicates: 'last' }))).toBe(outcome(() => JSON.parse(text) as unknown))
      }),
      { numRuns: 1000 },
    )
  })

  it('answers any bytes with ENCODING_JSON or a value that canonicalises and reads back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          const value = parseJson(bytes)
          expect(parse(canonicalJson(value))).toEqual(value)
        } catch (error) {
          expect((error as EncodingError).code).toBe('ENCODING_JSON')
        }
      }),
      { numRuns: 500 },
    )
  })

  it('refuses a member that comes twice, however it is spelt, or takes the last', () => {
    expect(() => parse('{"a":1,"\\u0061":2}')).toThrowCode('ENCODING_JSON')
    expect(parse('{"a":1,"a":2}', { duplicates: 'last' })).toEqual({ a: 2 })
  })

  it('keeps a member named __proto__ a member', () => {
    const value = parse('{"__proto__":{"polluted":true}}')
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(Object.keys(value as object)).toEqual(['__proto__'])
    expect(() => parse('{"__proto__":1,"__proto__":2}')).toThrowCode('ENCODING_JSON')
  })

  it.each([
    ['lone surrogate', '"\\ud800"'],
    ['byte order mark', '\u{feff}1'],
    ['number out of range', '1e999'],
    ['two values', '1 2'],
    ['nothing', ''],
    ['single quotes', "'a'"],
    ['comment', '/**/1'],
    ['plus sign', '+1'],
    ['bare word', 'NaN'],
  ])('refuses a %s', (_, text) => {
    expect(() => parse(text)).toThrowCode('ENCODING_JSON')
  })

  it('says where', () => {
    expect(() => parse('{\n "a": tru }')).toThrow("invalid character ' ' in literal true (expecting 'e') (line 2:10)")
  })

  it('refuses invalid UTF-8', () => {
    expect(() => parseJson(new Uint8Array([0x22, 0xc0, 0xaf, 0x22]))).toThrowCode('ENCODING_JSON')
  })

  it('bounds the nesting', () => {
    expect(parse('['.repeat(100) + ']'.repeat(100))).toBeDefined()
    expect(() => parse('['.repeat(101) + ']'.repeat(101))).toThrowCode('ENCODING_JSON')
    expect(() => parse('['.repeat(1001) + ']'.repeat(1001), { maxDepth: 1e9 })).toThrowCode('ENCODING_JSON')
    expect(() => parse('{"a":'.repeat(1_000_000))).toThrowCode('ENCODING_JSON')
  })

  it('reads long numbers whole, and what follows a value where told to ignore it', () => {
    expect(parse(`0.${'0'.repeat(300)}1e301`)).toBe(1)
    expect(parse('1 x', { trailing: 'ignore' })).toBe(1)
  })
})
