import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { ManualClock } from '@touchmark/clock'
import { findIssuer, parseIssuerConfig } from '@touchmark/identity'
import { CaError } from '../errors.js'
import { MapSource, TestIssuer } from '../testing/test-issuer.js'
import { IssuerKeys } from './issuer-keys.js'
import type { MatchedIssuer } from './issuer-source.js'
import { LocalIssuerSource } from './issuer-source.js'

const ISSUER = 'https://accounts.example.com'
const configuration = parseIssuerConfig(`
oidc-issuers:
  ${ISSUER}: {issuer-url: "${ISSUER}", client-id: sigstore, type: email}
meta-issuers:
  https://*.example.org: {client-id: sigstore, type: email}
`)
const matched = (url: string): MatchedIssuer => ({ url, config: findIssuer(configuration, url)! })
const MINUTE = 60_000
const keyIds = async (keys: Awaited<ReturnType<IssuerKeys['get']>>): Promise<number> =>
  (await keys.keys.candidates('RS256', undefined)).length

let first: TestIssuer
let source: MapSource
let clock: ManualClock
let keys: IssuerKeys
beforeAll(() => {
  first = new TestIssuer()
})
beforeEach(() => {
  source = new MapSource({ [ISSUER]: first.jwks })
  clock = new ManualClock('2026-06-01T12:00:00Z')
  keys = new IssuerKeys(source, clock)
})

describe('J5: keys of issuers', () => {
  it('are fetched once, however many wait', async () => {
    await Promise.all(Array.from({ length: 20 }, () => keys.get(matched(ISSUER))))
    expect(source.asked).toEqual([`discover ${ISSUER}`, `keys ${ISSUER}`])
  })

  it('are kept for 15 minutes, then fetched again; the document after an hour', async () => {
    await keys.get(matched(ISSUER))
    clock.advance(15 * MINUTE - 1)
    await keys.get(matched(ISSUER))
    expect(source.asked).toHaveLength(2)
    clock.advance(1)
    await keys.get(matched(ISSUER))
    expect(source.asked.slice(2)).toEqual([`keys ${ISSUER}`])
    clock.advance(60 * MINUTE)
    await keys.get(matched(ISSUER))
    expect(source.asked.slice(3)).toEqual([`discover ${ISSUER}`, `keys ${ISSUER}`])
  })

  it('that were taken back are gone after that', async () => {
    expect(await keyIds(await keys.get(matched(ISSUER)))).toBe(1)
    source.keySets.set(ISSUER, { keys: [] })
    clock.advance(15 * MINUTE)
    expect(await keyIds(await keys.get(matched(ISSUER)))).toBe(0)
  })

  it('are believed for a day while the issuer does not answer, and no longer', async () => {
    const held = await keys.get(matched(ISSUER))
    source.keySets.clear()
    clock.advance(23 * 60 * MINUTE)
    expect(await keys.get(matched(ISSUER))).toBe(held)
    // And the issuer is not asked for every token meanwhile.
    const asked = source.asked.length
    expect(await keys.get(matched(ISSUER))).toBe(held)
    expect(source.asked).toHaveLength(asked)
    clock.advance(60 * MINUTE)
    await expect(keys.get(matched(ISSUER))).rejects.toThrowCode('CA_ISSUER_UNAVAILABLE')
    await expect(keys.get(matched(ISSUER))).rejects.toThrowCode('CA_ISSUER_UNAVAILABLE')
  })

  it('a first failure is not asked about again for ten seconds, and then is', async () => {
    source.keySets.clear()
    await expect(keys.get(matched(ISSUER))).rejects.toThrowCode('CA_ISSUER_UNAVAILABLE')
    source.keySets.set(ISSUER, first.jwks)
    await expect(keys.get(matched(ISSUER))).rejects.toThrowCode('CA_ISSUER_UNAVAILABLE')
    expect(source.asked).toHaveLength(1)
    clock.advance(10_000)
    expect(await keyIds(await keys.get(matched(ISSUER)))).toBe(1)
  })

  it('roll over with the first token of the new key, at most once in ten seconds', async () => {
    const held = await keys.get(matched(ISSUER))
    expect(await keys.refresh(matched(ISSUER), held)).toBeUndefined()
    clock.advance(10_000)
    source.keySets.set(ISSUER, new TestIssuer().jwks)
    const newer = await keys.refresh(matched(ISSUER), held)
    expect(newer).toBeDefined()
    expect(newer).not.toBe(held)
    const asked = source.asked.length
    for (let i = 0; i < 50; i++) expect(await keys.refresh(matched(ISSUER), newer!)).toBeUndefined()
    expect(source.asked).toHaveLength(asked)
    // Who still holds the old ones gets the new ones, without asking.
    expect(await keys.refresh(matched(ISSUER), held)).toBe(newer)
  })

  it('that cannot be fetched again do not displace the old ones', async () => {
    const held = await keys.get(matched(ISSUER))
    source.keySets.clear()
    clock.advance(10_000)
    expect(await keys.refresh(matched(ISSUER), held)).toBeUndefined()
    expect(await keys.get(matched(ISSUER))).toBe(held)
  })

  it('a clock set back makes nothing fresh that is not', async () => {
    await keys.get(matched(ISSUER))
    clock.advance(-60 * MINUTE)
    await keys.get(matched(ISSUER))
    expect(source.asked.length).toBeGreaterThan(2)
  })

  it('of wildcard issuers are kept for a hundred of them, the last used; those of fixed ones always', async () => {
    await keys.get(matched(ISSUER))
    const url = (i: number): string => `https://i${i}.example.org`
    for (let i = 0; i <= 100; i++) source.keySets.set(url(i), first.jwks)
    for (let i = 0; i < 100; i++) await keys.get(matched(url(i)))
    await keys.get(matched(url(0)))
    await keys.get(matched(url(100)))
    source.asked.length = 0
    await keys.get(matched(url(0)))
    await keys.get(matched(ISSUER))
    expect(source.asked).toEqual([])
    clock.advance(10_000)
    await keys.get(matched(url(1)))
    expect(source.asked).toEqual([`discover ${url(1)}`, `keys ${url(1)}`])
  })

  it('at most sixteen wildcard issuers are asked at once, and a fixed one beside them', async () => {
    const waiting: (() => void)[] = []
    const slow = {
      discover: () =>
        new Promise<never>((_, reject) => waiting.push(() => reject(new CaError('CA_ISSUER_UNAVAILABLE', 'slow')))),
      fetchKeys: async () => null,
    }
    const busy = new IssuerKeys(slow, clock)
    const all = Array.from({ length: 20 }, (_, i) =>
      busy.get(matched(`https://i${i}.example.org`)).catch((error: unknown) => error),
    )
    for (let i = 0; i < 10; i++) await Promise.resolve()
    expect(waiting).toHaveLength(16)
    const fixed = busy.get(matched(ISSUER)).catch((error: unknown) => error)
    expect(waiting).toHaveLength(17)
    waiting.forEach((release) => release())
    expect(await Promise.all([...all, fixed])).toHaveLength(21)
  })

  it.each([null, [], {}, { keys: 'x' }, { keys: Array.from({ length: 101 }, () => ({})) }])(
    '%j is no key set',
    async (set) => {
      source.keySets.set(ISSUER, set)
      await expect(keys.get(matched(ISSUER))).rejects.toThrowCode('CA_ISSUER_UNAVAILABLE')
    },
  )
})

describe('an issuer in this process', () => {
  it('is asked directly; others go on', async () => {
    const local = new Map([[ISSUER, { algorithms: ['RS256'], keys: () => first.jwks }]])
    const both = new IssuerKeys(new LocalIssuerSource(local, source), clock)
    expect(await keyIds(await both.get(matched(ISSUER)))).toBe(1)
    expect(source.asked).toEqual([])
    await expect(both.get(matched('https://a.example.org'))).rejects.toThrowCode('CA_ISSUER_UNAVAILABLE')
    expect(source.asked).toEqual(['discover https://a.example.org'])
  })
})
