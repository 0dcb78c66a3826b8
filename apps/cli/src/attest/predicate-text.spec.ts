import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { parseJson, utf8Decode, utf8Encode } from '@touchmark/encoding'
import { spacedPredicate } from './predicate-text.js'

const of = (text: string): string | undefined => {
  const bytes = spacedPredicate(utf8Encode(text))
  return bytes === undefined ? undefined : utf8Decode(bytes)
}

describe('spacedPredicate', () => {
  it.each<[string, string | undefined]>([
    ['{"predicate":{"a":[1,{"b":"}"}]},"x":1}', '{"a":[1,{"b":"}"}]}'],
    ['{"x":{"predicate":1},"y":["predicate",2],"predicate": "t,}" }', ' "t,}" '],
    ['{"x":"predicate","predicate":5}', '5'],
    ['{"x\\"predicate":1,"predicate":"\\\\"}', '"\\\\"'],
    ['{"pred\\u0069cate":{}\n}', '{}\n'],
    ['{"x":"\\"predicate\\":1"}', undefined],
    ['{"x":{"predicate":1}}', undefined],
    ['{}', undefined],
    ['', undefined],
  ])('finds it in %s', (text, expected) => {
    expect(of(text)).toBe(expected)
  })

  it('finds what a parser finds, wherever it stands', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string(), fc.jsonValue())),
        fc.jsonValue(),
        fc.nat(9),
        (others, value, spaces) => {
          const members = Object.fromEntries([...others, ['predicate', value]])
          expect(parseJson(utf8Encode(of(JSON.stringify(members, undefined, spaces))!))).toEqual(
            parseJson(utf8Encode(JSON.stringify(value))),
          )
        },
      ),
    )
  })
})
