import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { JsonValue } from '@touchmark/encoding'
import { allDiffer, Identities } from './all-differ.js'

const differ = (text: string): boolean => allDiffer(JSON.parse(text) as JsonValue[], new Identities())

describe('allDiffer', () => {
  it.each<[string, boolean]>([
    ['[]', true],
    ['[1]', true],
    ['[1,1]', false],
    ['[1,1.0]', false],
    ['["1",1,null,"null",true,"true",[],{},"[]","{}"]', true],
    ['[{"a":1,"b":2},{"b":2,"a":1}]', false],
    ['[{"a":{"x":[1,2],"y":3}},{"a":{"y":3,"x":[1,2]}}]', false],
    ['[[1,2],[2,1]]', true],
    ['[{"__proto__":1},{}]', true],
    ['[{"__proto__":1},{"__proto__":1}]', false],
    ['[{"a":1},{"a":2}]', true],
    ['[{"a":1},{"b":1}]', true],
  ])('of %s is %j', (text, expected) => {
    expect(differ(text)).toBe(expected)
  })

  it('agrees with comparing each with each', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 8 }), fc.boolean(), (items, again) => {
        const all = JSON.parse(JSON.stringify(again ? [...items, ...items.slice(0, 1)] : items)) as JsonValue[]
        const naive = all.every((one, at) => all.every((other, index) => index <= at || !isDeepStrictEqual(one, other)))
        expect(allDiffer(all, new Identities())).toBe(naive)
      }),
      { numRuns: 500 },
    )
  })

  it('looks at what lies deep once, and not once a level', () => {
    let inner: JsonValue = { text: 'x'.repeat(1_000_000) }
    const lists: JsonValue[][] = []
    for (let depth = 0; depth < 240; depth++) {
      const list: JsonValue[] = [inner, { depth }]
      lists.push(list)
      inner = { list }
    }
    const identities = new Identities()
    expect(lists.every((list) => allDiffer(list, identities))).toBe(true)
  })
})
