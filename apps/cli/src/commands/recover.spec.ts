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

const absent = { verdict: 'absent', state: 'absent', origin: 'a.example', size: 0n } as const

it.each([
  ['signature-v2', 'touchmark log rollover --public-url URL'],
  ['signature-v1', 'touchmark log rollover --v1'],
] as const)('a tree of kind %s that is not there is restored, or given up and followed', (kind, next) => {
  const text = waysOn({ ...absent, kind }, {})
  expect(text).toContain('Find a newer copy')
  expect(text).toContain("touchmark log recover --tree 'a.example' --size 0 --accept-loss")
  expect(text).toContain(next)
  const givenUp = { origin: 'a.example', kept: '', lost: [], at: '2026-12-01T00:00:00Z' }
  const after = waysOn({ ...absent, kind, givenUp }, {})
  expect(after).toContain(next)
  expect(after).not.toContain('--accept-loss')
})

it('nothing is offered that would be refused', () => {
  const text = waysOn({ ...absent, kind: 'certificate' }, {})
  expect(text).toContain('a new one')
  expect(text).not.toContain('--accept-loss')
  expect(waysOn({ ...absent, verdict: 'damaged', kind: 'signature-v2' }, {})).not.toContain('--replace-guard')
})
