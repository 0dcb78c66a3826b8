import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  encodeClientTrustConfig,
  encodeSigningConfig,
  parseClientTrustConfig,
  parseSigningConfig,
  parseTrustedRoot,
  selectServices,
  type Service,
} from './index.js'

const clients = join(import.meta.dirname, '../../../test/vectors/clients')
const read = (name: string): Buffer => readFileSync(join(clients, name))
type Json = Record<string, any> // eslint-disable-line @typescript-eslint/no-explicit-any
const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
const changed = (change: (config: Json) => void): Uint8Array => {
  const config = JSON.parse(read('signing_config.v0.2.json').toString()) as Json
  change(config)
  return bytesOf(config)
}

describe('parseSigningConfig', () => {
  it.each(['signing_config.v0.2.json', 'signing_config.rekor1.json'])('reads %s and writes the same JSON', (name) => {
    const config = parseSigningConfig(read(name))
    expect(JSON.parse(encodeSigningConfig(config))).toEqual(JSON.parse(read(name).toString()))
  })

  it.each<[string, string, (config: Json) => void]>([
    ['no media type', 'TRUST_MEDIA_TYPE_UNSUPPORTED', (c) => delete c['mediaType']],
    [
      'version 0.1',
      'TRUST_MEDIA_TYPE_UNSUPPORTED',
      (c) => (c['mediaType'] = 'application/vnd.dev.sigstore.signingconfig.v0.1+json'),
    ],
    ['an unknown member', 'TRUST_JSON_INVALID', (c) => (c['x'] = 1)],
    ['no URL', 'TRUST_FIELD_MISSING', (c) => delete c['caUrls'][0].url],
    ['an address that is not HTTP', 'TRUST_FIELD_INVALID', (c) => (c['caUrls'][0].url = 'file:///etc/passwd')],
    ['an address with a password', 'TRUST_FIELD_INVALID', (c) => (c['caUrls'][0].url = 'http://a:b@localhost')],
    ['no API version', 'TRUST_FIELD_MISSING', (c) => delete c['caUrls'][0].majorApiVersion],
    ['a period without a start', 'TRUST_FIELD_MISSING', (c) => (c['caUrls'][0].validFor = {})],
    ['no selector', 'TRUST_FIELD_INVALID', (c) => (c['tsaConfig'] = {})],
    ['EXACT without a count', 'TRUST_FIELD_INVALID', (c) => (c['tsaConfig'] = { selector: 'EXACT' })],
  ])('refuses %s', (_name, code, change) => {
    expect(() => parseSigningConfig(changed(change))).toThrowCode(code)
  })

  it('takes a config without period, operator, OIDC and selectors', () => {
    const config = parseSigningConfig(
      changed((c) => {
        delete c['oidcUrls']
        delete c['tsaConfig']
        delete c['rekorTlogConfig']
        delete c['caUrls'][0].validFor
        delete c['caUrls'][0].operator
      }),
    )
    expect(config).toMatchObject({ oidcUrls: [], caUrls: [{ operator: '' }] })
    expect(config.tsaConfig).toBeUndefined()
  })
})

describe('selectServices', () => {
  const now = new Date('2026-06-01T00:00:00Z')
  const service = (url: string, version: number, start: string, operator = 'a', end?: string): Service => ({
    url,
    majorApiVersion: version,
    operator,
    validFor: { start: new Date(start), ...(end ? { end: new Date(end) } : {}) },
  })
  const names = (services: readonly Service[]): string[] => services.map(({ url }) => url)
  const versions = [1, 2]

  it('takes the highest version known to both sides, then the newest start, then the last in the list', () => {
    const list = [
      service('v1', 1, '2026-05-01'),
      service('old', 2, '2026-01-01'),
      service('new', 2, '2026-02-01'),
      service('v3', 3, '2026-03-01'),
    ]
    expect(names(selectServices(list, { versions, now }))).toEqual(['new'])
    expect(names(selectServices(list, { versions: [1], now }))).toEqual(['v1'])
    const equal = [service('first', 2, '2026-01-01'), service('last', 2, '2026-01-01')]
    expect(names(selectServices(equal, { versions, now }))).toEqual(['last'])
  })

  it('skips what is not valid yet or no more, both ends included', () => {
    const list = [
      service('future', 2, '2026-07-01'),
      service('ended', 2, '2026-01-01', 'a', '2026-05-31'),
      service('good', 1, '2026-06-01'),
    ]
    expect(names(selectServices(list, { versions, now }))).toEqual(['good'])
    expect(names(selectServices([service('to now', 1, '2026-01-01', 'a', '2026-06-01')], { versions, now }))).toEqual([
      'to now',
    ])
    expect(() => selectServices(list.slice(0, 2), { versions, now })).toThrowCode('TRUST_SERVICE_NONE')
    expect(() => selectServices([], { versions, now })).toThrowCode('TRUST_SERVICE_NONE')
  })

  it('takes one service per operator for ALL and EXACT', () => {
    const list = [
      service('a1', 2, '2026-01-01', 'a'),
      service('a2', 2, '2026-02-01', 'a'),
      service('b', 2, '2026-01-01', 'b'),
      service('c', 1, '2026-01-01', 'c'),
    ]
    expect(names(selectServices(list, { versions, now, selector: { selector: 'ALL' } }))).toEqual(['a2', 'b'])
    expect(names(selectServices(list, { versions, now, selector: { selector: 'EXACT', count: 2 } }))).toEqual([
      'a2',
      'b',
    ])
    expect(() => selectServices(list, { versions, now, selector: { selector: 'EXACT', count: 3 } })).toThrowCode(
      'TRUST_SERVICE_COUNT',
    )
  })

  it('takes a service without a period', () => {
    expect(names(selectServices([{ url: 'x', majorApiVersion: 1, operator: '' }], { versions, now }))).toEqual(['x'])
  })
})

describe('ClientTrustConfig', () => {
  const config = {
    trustedRoot: parseTrustedRoot(read('trusted_root.json')),
    signingConfig: parseSigningConfig(read('signing_config.v0.2.json')),
  }

  it('is read as it was written', () => {
    const bytes = new TextEncoder().encode(encodeClientTrustConfig(config))
    expect(parseClientTrustConfig(bytes)).toEqual(config)
  })

  it.each([
    ['mediaType', 'TRUST_MEDIA_TYPE_UNSUPPORTED'],
    ['trustedRoot', 'TRUST_FIELD_MISSING'],
    ['signingConfig', 'TRUST_FIELD_MISSING'],
  ])('must have %s', (name, code) => {
    const json = JSON.parse(encodeClientTrustConfig(config)) as Json
    delete json[name]
    expect(() => parseClientTrustConfig(bytesOf(json))).toThrowCode(code)
  })
})
