import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { utf8Decode, utf8Encode } from '@touchmark/encoding'
import { predicateBytes } from './predicate-bytes.js'

const find = (text: string): string | undefined => {
  const bytes = predicateBytes(utf8Encode(text))
  return bytes && utf8Decode(bytes)
}

describe('predicateBytes', () => {
  it.each<[string, string | undefined]>([
    ['{"predicate":{"a":1}}', '{"a":1}'],
    [
      ' { "a" : [ "}" , {"predicate":2} ] , "predicate" : { "n": 1.0e+2, "t": "\\u003c\\"" } , "z":0 }\n',
      '{ "n": 1.0e+2, "t": "\\u003c\\"" }',
    ],
    ['{"pre\\u0064icate":"x,y"}', '"x,y"'],
    ['{"predicate":-12.50}', '-12.50'],
    ['{"predicate": []}', '[]'],
    ['{"predicate":null}', undefined],
    ['{"a":{"predicate":1}}', undefined],
    ['{"a":"\\\\","predicate":true}', 'true'],
    ['{}', undefined],
  ])('of %s', (text, expected) => {
    expect(find(text)).toBe(expected)
  })

  it('gives the bytes of the member, whatever is around it', () => {
    const space = fc.string({ unit: fc.constantFrom(' ', '\n', '\t', '\r'), maxLength: 2 })
    const others = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 })
    fc.assert(
      fc.property(others, fc.jsonValue({ maxDepth: 3 }), space, fc.nat(2), (before, value, gap, indent) => {
        const rest = Object.entries(before).filter(([name]) => name !== 'predicate')
        const members = rest.map(
          ([name, inner]) => `${gap}${JSON.stringify(name)}${gap}:${gap}${JSON.stringify(inner, null, indent)}`,
        )
        const text = JSON.stringify(value, null, indent)
        const at = members.length >> 1
        members.splice(at, 0, `${gap}"predicate"${gap}:${gap}${text}`)
        expect(find(`${gap}{${members.join(`${gap},`)}${gap}}${gap}`)).toBe(value === null ? undefined : text)
      }),
      { numRuns: 1000 },
    )
  })
})
