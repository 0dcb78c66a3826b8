import { expect, it } from '@jest/globals'
import { waysOn } from './recover.js'

it.each([
  ['signature-v2', 'touchmark log rollover --public-url URL'],
  ['signature-v1', 'touchmark log rollover --v1'],
  ['certificate', 'it needs a new instance'],
] as const)('what comes after giving up a tree of kind %s is what begins another of that kind', (kind, next) => {
  const text = waysOn({ verdict: 'behind', origin: 'a.example', size: 7n, kind }, { data: '/srv/a' })
  expect(text).toContain("touchmark log recover --data /srv/a --tree 'a.example' --size 7 --accept-loss")
  expect(text).toContain(next)
  expect(waysOn({ verdict: 'agrees', origin: 'a.example', size: 7n, kind }, {})).toBe('')
})
