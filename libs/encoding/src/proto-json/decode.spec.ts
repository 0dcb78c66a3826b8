import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { base64Encode, base64UrlEncode } from '../base64.js'
import { utf8Encode } from '../bytes.js'
import { EncodingError } from '../errors.js'
import { decodeProtoJson, type ProtoJsonOptions, type ProtoSchema } from './index.js'

const inner: ProtoSchema = {
  name: 'test.v1.Inner',
  fields: { rawBytes: { kind: 'bytes' }, note: { kind: 'string' } },
}
const schema: ProtoSchema = {
  name: 'test.v1.Outer',
  fields: {
    rawBytes: { kind: 'bytes' },
    someText: { kind: 'string' },
    isOn: { kind: 'bool' },
    bigCount: { kind: 'int64' },
    smallCount: { kind: 'int32' },
    ratio: { kind: 'double' },
    keyDetails: { kind: 'enum', values: { UNSPECIFIED: 0, PKIX_ONE: 5 } },
    left: { kind: 'message', of: inner },
    right: { kind: 'message', of: inner },
    rightText: { kind: 'string' },
    many: { kind: 'repeated', of: { kind: 'message', of: inner } },
    numbers: { kind: 'repeated', of: { kind: 'int32' } },
    kinds: { kind: 'repeated', of: { kind: 'enum', values: { UNSPECIFIED: 0, PKIX_ONE: 5 } } },
    x509Certificate: { kind: 'string' },
    anything: { kind: 'json' },
  },
  oneofs: { side: ['left', 'right', 'rightText'] },
}

function decode(text: string | Uint8Array, options: Partial<ProtoJsonOptions> = {}) {
  const bytes = typeof text === 'string' ? utf8Encode(text) : text
  return decodeProtoJson(bytes, schema, { unknownFields: 'refuse', ...options })
}

function messageOf(text: string | Uint8Array, options: Partial<ProtoJsonOptions> = {}): string {
  try {
    decode(text, options)
  } catch (error) {
    expect(error).toBeInstanceOf(EncodingError)
    expect((error as EncodingError).code).toBe('ENCODING_JSON')
    return (error as Error).message
  }
  throw new Error(`taken: ${String(text)}`)
}

describe('decodeProtoJson, values', () => {
  it('reads each kind of field, by either spelling of its name', () => {
    expect(
      decode(
        '{"raw_bytes":"AQI=","someText":"h\\u00e9","is_on":true,"bigCount":"-9223372036854775808","smallCount":7,"ratio":0.5,' +
          '"key_details":"PKIX_ONE","left":{"rawBytes":"/w=="},"many":[{},{"note":"a"}],"numbers":[1,-2],"x509_certificate":"c","anything":{"a":[1,null]}}',
      ),
    ).toEqual({
      rawBytes: new Uint8Array([1, 2]),
      someText: 'hé',
      isOn: true,
      bigCount: -9223372036854775808n,
      smallCount: 7,
      ratio: 0.5,
      keyDetails: 5,
      left: { rawBytes: new Uint8Array([255]) },
      many: [{}, { note: 'a' }],
      numbers: [1, -2],
      x509Certificate: 'c',
      anything: { a: [1, null] },
    })
  })

  it('takes null as absent, and null beside the other member of a oneof', () => {
    expect(decode('{"left":null,"rightText":"x","many":null,"rawBytes":null}')).toEqual({ rightText: 'x' })
  })

  it('takes null as a value where any JSON is kept', () => {
    expect(decode('{"anything":null}')).toEqual({ anything: null })
  })

  it.each(['', ' \r\n\t '])('reads %j as the empty message', (text) => {
    expect(decode(text)).toEqual({})
  })

  it('refuses an empty file', () => {
    expect(messageOf('', { trailing: 'refuse' })).toBe('unexpected EOF')
    expect(messageOf(' ', { empty: 'refuse' })).toBe('unexpected EOF')
    expect(decode('', { trailing: 'refuse', empty: 'message' })).toEqual({})
  })

  it('reads the first value only, or refuses what follows', () => {
    expect(decode('{"note":1}', { unknownFields: 'ignore' })).toEqual({})
    expect(decode('{"isOn":false}}}garbage\xff')).toEqual({ isOn: false })
    expect(messageOf('{} x', { trailing: 'refuse' })).toBe("invalid character 'x' after top-level value (line 1:4)")
    expect(decode('{} \n', { trailing: 'refuse' })).toEqual({})
  })

  it.each([
    ['AQIDBA==', [1, 2, 3, 4]],
    ['AQIDBA', [1, 2, 3, 4]],
    ['AQIDBB', [1, 2, 3, 4]],
    ['+/+/', [0xfb, 0xff, 0xbf]],
    ['-_-_', [0xfb, 0xff, 0xbf]],
    ['-_-', [0xfb, 0xff]],
    ['', []],
    ['AQ\\u003d=', [1]],
    ['\\/w==', [255]],
    ['AQID\\nBA', [1, 2, 3, 4]],
  ])('reads base64 %s', (text, bytes) => {
    expect(decode(`{"rawBytes":"${text}"}`)).toEqual({ rawBytes: new Uint8Array(bytes) })
  })

  it.each([
    '!!!',
    'abcde',
    'AQ=',
    'AQ===',
    '=',
    '====',
    'AQ ==',
    '+_+_',
    'A',
    'AQID=',
    'é',
    'AQ=\\n',
    'AQ==AQ==',
    '\\u0041',
    'AQID\\u0041',
  ])('refuses base64 %s', (text) => {
    expect(messageOf(`{"rawBytes":"${text}"}`)).toBe(
      `proto: (line 1:13): invalid value for bytes field rawBytes: "${text}"`,
    )
  })

  it.each(['-_-_', 'AQ', 'AR==', 'AQI', 'AQ==\\n'])('refuses base64 %s where values are strict', (text) => {
    expect(messageOf(`{"rawBytes":"${text}"}`, { strictValues: true })).toContain('invalid value for bytes field')
  })

  it.each(['5', '5.0', '5e0', '50e-1', '0.5e1', '"PKIX_ONE"'])('reads enum %s', (text) => {
    expect(decode(`{"keyDetails":${text}}`)).toEqual({ keyDetails: 5 })
  })

  it('keeps an unknown enum number', () => {
    expect(decode('{"keyDetails":999}')).toEqual({ keyDetails: 999 })
  })

  it.each(['"5"', '"pkix_one"', '"FOO"', '5.5', '3000000000', 'true', '{}', '"toString"', '1e400000000000'])(
    'refuses enum %s',
    (text) => {
      expect(messageOf(`{"keyDetails":${text}}`)).toMatch(
        /^proto: \(line 1:15\): invalid value for enum field keyDetails: /,
      )
    },
  )

  it('passes unknown enum names over where unknown fields are ignored, also in lists', () => {
    expect(decode('{"keyDetails":"RSA","kinds":["X","PKIX_ONE"]}', { unknownFields: 'ignore' })).toEqual({ kinds: [5] })
    expect(messageOf('{"keyDetails":"RSA"}', { unknownFields: 'ignore', unknownEnumNames: 'refuse' })).toContain(
      '"RSA"',
    )
    expect(messageOf('{"keyDetails":5}', { strictValues: true })).toContain('enum')
  })

  it.each([
    ['1', 1n],
    ['"1"', 1n],
    ['1.0', 1n],
    ['"1e3"', 1000n],
    ['-0', 0n],
    ['9223372036854775807', 9223372036854775807n],
  ])('reads int64 %s', (text, value) => {
    expect(decode(`{"bigCount":${text}}`)).toEqual({ bigCount: value })
  })

  it.each([
    '9223372036854775808',
    '1.5',
    '" 1"',
    '"1 "',
    '""',
    '"x"',
    '"01"',
    '1e99',
    '1e999999999999',
    '1e2147483647',
    '-1e-1',
    'true',
    '[]',
  ])('refuses int64 %s', (text) => {
    expect(messageOf(`{"bigCount":${text}}`)).toMatch(/^proto: \(line 1:13\): invalid value for int64 field bigCount: /)
  })

  it.each(['1', '"1e3"', '"-0"', '"+1"'])('refuses int64 %s where values are strict', (text) => {
    expect(messageOf(`{"bigCount":${text}}`, { strictValues: true })).toContain('int64')
  })

  it.each([
    ['"NaN"', Number.NaN],
    ['"-Infinity"', Number.NEGATIVE_INFINITY],
    ['"1.5"', 1.5],
    ['1e3', 1000],
  ])('reads double %s', (text, value) => {
    expect(decode(`{"ratio":${text}}`)).toEqual({ ratio: value })
  })

  it.each(['1e999', '"1.5 "', '"0x10"', 'false'])('refuses double %s', (text) => {
    expect(messageOf(`{"ratio":${text}}`)).toContain('invalid value for double field ratio')
  })

  it('refuses int32 beyond 32 bits', () => {
    expect(decode('{"smallCount":-2147483648}')).toEqual({ smallCount: -2147483648 })
    expect(messageOf('{"smallCount":2147483648}')).toContain('int32')
  })
})

describe('decodeProtoJson, refusals', () => {
  it.each([
    ['hello', "invalid character 'h' looking for beginning of value"],
    ['not json', "invalid character 'o' in literal null (expecting 'u')"],
    ['{"left":', 'unexpected EOF'],
    ['{"left', 'unexpected EOF'],
    ['{"left":{"note":"a\\', 'unexpected EOF'],
    ['\u{feff}{}', "invalid character 'ï' looking for beginning of value"],
    ['\x1f', "invalid character '\\x1f' looking for beginning of value"],
    ["'", "invalid character '\\'' looking for beginning of value"],
    ['null', 'proto: syntax error (line 1:1): unexpected token null'],
    ['[]', 'proto: syntax error (line 1:1): unexpected token ['],
    ['1', 'proto: syntax error (line 1:1): unexpected token 1'],
    ['"x"', 'proto: syntax error (line 1:1): unexpected token "x"'],
    ['{"left":"x"}', 'proto: syntax error (line 1:9): unexpected token "x"'],
    ['{"left":[]}', 'proto: syntax error (line 1:9): unexpected token ['],
    ['{"many":{}}', 'proto: syntax error (line 1:9): unexpected token {'],
    ['{"many":[null]}', 'proto: syntax error (line 1:10): unexpected token null'],
    ['{"numbers":[null]}', 'proto: (line 1:13): invalid value for int32 field numbers: null'],
    ['{"foo":1}', 'proto: (line 1:2): unknown field "foo"'],
    ['{"SomeText":"x"}', 'proto: (line 1:2): unknown field "SomeText"'],
    ['\n {"isOn":true,\n "foo":1}', 'proto: (line 2:2): unknown field "foo"'],
    ['{"someText":"é€😀","foo":1}', 'proto: (line 1:19): unknown field "foo"'],
    ['{"isOn":true,"isOn":true}', 'proto: (line 1:14): duplicate field "isOn"'],
    ['{"isOn":null,"is_on":true}', 'proto: (line 1:14): duplicate field "is_on"'],
    ['{"isOn":true,"is\\u004fn":true}', 'proto: (line 1:14): duplicate field "is\\u004fn"'],
    ['{"isOn":1}', 'proto: (line 1:9): invalid value for bool field isOn: 1'],
    ['{"isOn":"true"}', 'proto: (line 1:9): invalid value for bool field isOn: "true"'],
    ['{"someText":5}', 'proto: (line 1:13): invalid value for string field someText: 5'],
    ['{"someText":{}}', 'proto: (line 1:13): invalid value for string field someText: {'],
    [
      '{"left":{},"rightText":""}',
      'proto: (line 1:12): error parsing "rightText", oneof test.v1.Outer.side is already set',
    ],
    ['{"isOn":tru}', "invalid character '}' in literal true (expecting 'e')"],
    ['{"isOn":true,}', "invalid character '}' looking for beginning of object key string"],
    ['{,}', "invalid character ',' looking for beginning of object key string"],
    ['{"isOn" true}', "invalid character 't' after object key"],
    ['{"isOn":true true}', "invalid character 't' after object key:value pair"],
    ['{"numbers":[1 2]}', "invalid character '2' after array element"],
    ['{"numbers":[01]}', "invalid character '1' after array element"],
    ['{"numbers":[1,]}', "invalid character ']' looking for beginning of value"],
    ['{"numbers":[-]}', "invalid character ']' in numeric literal"],
    ['{"numbers":[1.]}', "invalid character ']' after decimal point in numeric literal"],
    ['{"numbers":[1e]}', "invalid character ']' in exponent of numeric literal"],
    ['{"someText":"\n"}', "invalid character '\\n' in string literal"],
    ['{"someText":"\\x"}', "invalid character 'x' in string escape code"],
    ['{"someText":"\\u00g0"}', "invalid character 'g' in \\u hexadecimal character escape"],
    ['{"someText":"\\ud800"}', 'proto: syntax error (line 1:13): invalid escape code in string'],
    ['{"foo":1,]', "invalid character ']' looking for beginning of object key string"],
    ['{"isOn":1,"x":[}', "invalid character '}' looking for beginning of value"],
  ])('refuses %j', (text, message) => {
    expect(messageOf(text)).toBe(message)
  })

  it('refuses invalid UTF-8, at the string it is in, also in fields it ignores', () => {
    const bad = (prefix: string) => new Uint8Array([...utf8Encode(prefix), 0xff, 0x22, 0x7d])
    expect(messageOf(bad('{"someText":"'))).toBe('proto: syntax error (line 1:13): invalid UTF-8 in string')
    expect(messageOf(bad('{"foo":"'), { unknownFields: 'ignore' })).toContain('invalid UTF-8 in string')
    expect(messageOf(bad('{"foo'), { unknownFields: 'ignore' })).toContain('invalid UTF-8 in string')
    expect(messageOf(bad('{"rawBytes":"'))).toContain('invalid UTF-8 in string')
  })

  it('ignores unknown fields of any shape where told', () => {
    const text = '{"foo":{"a":[1,{"b":"\\n"},[],{}],"c":null},"isOn":true,"foo":2,"é":-0.5e-7}'
    expect(decode(text, { unknownFields: 'ignore' })).toEqual({ isOn: true })
  })

  it('knows camelCase alone where told', () => {
    expect(messageOf('{"is_on":true}', { snakeCase: false })).toBe('proto: (line 1:2): unknown field "is_on"')
    expect(messageOf('{"is\\u005fon":true}', { snakeCase: false })).toContain('unknown field')
  })

  it('bounds the nesting, known or ignored, before anything is built', () => {
    const nested = (depth: number) => `{"foo":${'['.repeat(depth)}${']'.repeat(depth)}}`
    expect(decode(nested(99), { unknownFields: 'ignore' })).toEqual({})
    expect(messageOf(nested(100), { unknownFields: 'ignore' })).toBe('exceeded max depth')
    expect(messageOf('['.repeat(4_000_000))).toBe('exceeded max depth')
    expect(messageOf('{"foo":'.repeat(500_000), { unknownFields: 'ignore', maxDepth: 10_000 })).toBe(
      'exceeded max depth',
    )
    expect(messageOf('{"anything":' + '['.repeat(100))).toBe('exceeded max depth')
    expect(messageOf('{"many":[{}]}', { maxDepth: 2 })).toBe('exceeded max depth')
    expect(messageOf('{"numbers":[]}', { maxDepth: 1 })).toBe('exceeded max depth')
  })

  it('answers with a short text whatever the length of the bad value', () => {
    expect(messageOf(`{"rawBytes":"${'!'.repeat(300_000)}"}`).length).toBeLessThan(400)
    expect(messageOf(`{"${'k'.repeat(300_000)}":1}`).length).toBeLessThan(400)
    for (const number of [`1${'0'.repeat(300_000)}`, `1.${'0'.repeat(300_000)}1`, `1e${'0'.repeat(300_000)}`]) {
      expect(messageOf(`{"bigCount":${number}}`).length).toBeLessThan(400)
      expect(messageOf(`{"bigCount":"${number}"}`).length).toBeLessThan(400)
      expect(messageOf(`{"keyDetails":${number}}`).length).toBeLessThan(400)
    }
  })
})

describe('decodeProtoJson, properties', () => {
  const message = fc.record(
    {
      rawBytes: fc.uint8Array({ maxLength: 300 }),
      someText: fc.string({ unit: 'binary' }),
      isOn: fc.boolean(),
      bigCount: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      smallCount: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      ratio: fc.double({ noNaN: true, noDefaultInfinity: true }),
      keyDetails: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      many: fc.array(fc.record({ note: fc.string() }, { requiredKeys: [] })),
      anything: fc.jsonValue(),
    },
    { requiredKeys: [] },
  )

  it('reads what JSON.stringify writes, in either alphabet and any spacing', () => {
    fc.assert(
      fc.property(message, fc.boolean(), fc.nat(3), (value, url, indent) => {
        const text = JSON.stringify(
          value,
          (_, item: unknown) =>
            item instanceof Uint8Array
              ? url
                ? base64UrlEncode(item)
                : base64Encode(item)
              : typeof item === 'bigint'
                ? item.toString()
                : item,
          indent,
        )
        const back = decode(text, { maxDepth: 1000 })
        // -0 becomes 0 in JSON text; toEqual would tell them apart
        expect(JSON.parse(JSON.stringify(back.anything ?? null))).toEqual(
          JSON.parse(JSON.stringify(value.anything ?? null)),
        )
        const plain = (message: object) => ({ ...message, anything: undefined, ratio: undefined })
        expect(plain(back)).toEqual(plain(value))
        expect(back.ratio === undefined ? undefined : Number(back.ratio) + 0).toBe(
          value.ratio === undefined ? undefined : value.ratio + 0,
        )
      }),
      { numRuns: 300 },
    )
  })

  it('answers any bytes with a message or ENCODING_JSON', () => {
    const pieces = fc.array(
      fc.oneof(
        fc.constantFrom(
          '{',
          '}',
          '[',
          ']',
          ',',
          ':',
          '"',
          '\\',
          '"isOn"',
          '"left"',
          'true',
          'null',
          '1e9',
          '"AQ=="',
          ' ',
        ),
        fc.string({ maxLength: 3 }),
      ),
    )
    const input = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      pieces.map((parts) => utf8Encode(parts.join(''))),
    )
    fc.assert(
      fc.property(input, fc.boolean(), (bytes, ignore) => {
        try {
          decode(bytes, { unknownFields: ignore ? 'ignore' : 'refuse' })
        } catch (error) {
          if (!(error instanceof EncodingError) || error.code !== 'ENCODING_JSON') throw error
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('refuses every truncation of a message', () => {
    const text = '{"left":{"rawBytes":"AQ==","note":"\\u00e9é"},"numbers":[1,-2.0e0],"isOn":true,"anything":{"a":null}}'
    const bytes = utf8Encode(text)
    decode(bytes)
    for (let end = 1; end < bytes.length; end++) expect(messageOf(bytes.subarray(0, end))).toBe('unexpected EOF')
  })
})
