import { isDeepStrictEqual } from 'node:util'
import { decodeProtoJson, parseJson, utf8Encode } from '@touchmark/encoding'
import { holds } from '../parts/drive.mjs'
import { fromJson } from '../parts/generate.mjs'
import { textOfJson, textOfMessage } from '../parts/proto-text.mjs'
import { bodies } from '../parts/recorded.mjs'

const inner = {
  name: 'test.Inner',
  fields: {
    text: { kind: 'string' },
    data: { kind: 'bytes' },
    hash: { kind: 'enum', values: { NONE: 0, ONE: 1, TWO: 2 } },
  },
}
/** Every kind of field. */
const schema = {
  name: 'test.Outer',
  fields: {
    ...inner.fields,
    flag: { kind: 'bool' },
    longNumber: { kind: 'int64' },
    number: { kind: 'int32' },
    real: { kind: 'double' },
    one: { kind: 'message', of: inner },
    many: { kind: 'repeated', of: { kind: 'message', of: inner } },
    numbers: { kind: 'repeated', of: { kind: 'int64' } },
    any: { kind: 'json' },
  },
  oneofs: { choice: ['one', 'text'] },
}

const inners = { text: 'é \u0000 "', data: 'AAECAw==', hash: 'TWO' }
const messages = [
  { text: 'a', data: 'AAE=', flag: true, longNumber: '9223372036854775807', number: -2147483648, real: 1.5e-300 },
  {
    one: inners,
    many: [inners, {}, { data: '_-8' }],
    numbers: ['1', 2, -3],
    any: { a: [1, null, { b: -0.5 }], __x: 'y' },
  },
  { long_number: 7, real: 'NaN', hash: 1, any: null, number: '5' },
  { real: '-Infinity', numbers: [], many: [], one: {}, any: 'text' },
].map((message) => JSON.stringify(message))

const STRICT = { unknownFields: 'refuse', snakeCase: false, trailing: 'refuse' }
const FORMS = [
  { unknownFields: 'refuse' },
  { unknownFields: 'ignore' },
  STRICT,
  { ...STRICT, strictValues: true, maxDepth: 10 },
  { unknownFields: 'ignore', unknownEnumNames: 'refuse', empty: 'refuse' },
]

const proto = {
  name: 'proto JSON',
  weight: 6,
  ...fromJson(messages),
  read: (input) => decodeProtoJson(input, schema, FORMS[input.length % FORMS.length]),
  check: (value) => {
    const again = decodeProtoJson(utf8Encode(textOfMessage(schema, value)), schema, STRICT)
    holds(isDeepStrictEqual(again, value), 'the message reads otherwise when it is written again')
  },
}

const plain = {
  name: 'JSON',
  weight: 3,
  ...fromJson([...messages, ...bodies('rekor-v2/accepted.json').slice(0, 6)]),
  read: (input) => ({
    value: parseJson(input, input.length % 2 === 0 ? {} : { trailing: 'ignore', duplicates: 'last' }),
  }),
  check: ({ value }) => {
    holds(
      isDeepStrictEqual(parseJson(utf8Encode(textOfJson(value))), value),
      'the value reads otherwise when it is written again',
    )
  },
}

export const jsonParsers = [proto, plain]
