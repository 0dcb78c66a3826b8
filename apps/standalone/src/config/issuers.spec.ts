import { describe, expect, it } from '@jest/globals'
import { settleIssuers } from './issuers.js'

const PUBLIC_URL = 'https://touchmark.example.com'
const DEMO = `${PUBLIC_URL}/oidc`
const file = (...urls: string[]): string =>
  `oidc-issuers:\n${urls.map((url) => `  ${url}: {issuer-url: "${url}", client-id: sigstore, type: email}\n`).join('')}`
const settled = (text: string | undefined, demo: 'auto' | 'on' | 'off' = 'auto') => {
  const { configuration, ...rest } = settleIssuers(text, demo, PUBLIC_URL)
  return { ...rest, urls: configuration.issuers.map(({ url }) => url) }
}

describe('settleIssuers', () => {
  it('has the demonstration issuer alone when nothing is configured', () => {
    expect(settled(undefined)).toEqual({ demo: true, loginUrl: DEMO, urls: [DEMO] })
    expect(settleIssuers(undefined, 'auto', PUBLIC_URL).configuration.issuers[0]).toMatchObject({
      url: DEMO,
      clientId: 'sigstore',
      type: 'email',
    })
  })

  it.each(['http://localhost:9000', 'http://127.0.0.1:9000/realm', 'http://127.9.9.9', 'http://localhost/'])(
    'keeps it beside %s, which is a test on this machine',
    (url) => expect(settled(file(url))).toEqual({ demo: true, loginUrl: DEMO, urls: [url, DEMO] }),
  )

  it.each([
    'https://login.example.com',
    'https://localhost:9000',
    'http://localhost.example.com',
    'http://127.0.0.1.example.com',
    'http://10.0.0.1',
    'http://localhost@login.example.com',
  ])('turns it off beside %s, which could be real', (url) => {
    expect(settled(file(url))).toEqual({ demo: false, loginUrl: url, urls: [url] })
    expect(settled(file('http://localhost:9000', url)).demo).toBe(false)
  })

  it('turns it off beside an issuer for machines, and then nobody logs in', () => {
    const text =
      'meta-issuers:\n  https://oidc.*.example.com/id/*: {client-id: sigstore, type: kubernetes}\noidc-issuers: {}\n'
    expect(settled(text)).toMatchObject({ demo: false, loginUrl: undefined })
  })

  it('keeps it beside a real one when it is forced', () => {
    const url = 'https://login.example.com'
    expect(settled(file(url), 'on')).toEqual({ demo: true, loginUrl: DEMO, urls: [url, DEMO] })
  })

  it('leaves it out when it is switched off', () => {
    expect(settled(undefined, 'off')).toEqual({ demo: false, loginUrl: undefined, urls: [] })
    expect(settled(file('http://localhost:9000'), 'off')).toMatchObject({
      demo: false,
      urls: ['http://localhost:9000'],
    })
  })

  it('takes JSON with the names of Go fields', () => {
    const url = 'https://login.example.com'
    const text = JSON.stringify({ OIDCIssuers: { [url]: { IssuerURL: url, ClientID: 'sigstore', Type: 'email' } } })
    expect(settled(text)).toEqual({ demo: false, loginUrl: url, urls: [url] })
  })

  it.each([
    ['text', 'hello'],
    ['broken YAML', 'oidc-issuers: {'],
    ['an unknown type', 'oidc-issuers: {"https://a.example": {issuer-url: "https://a.example", type: nonsense}}'],
    ['a second definition of the demonstration issuer', file(DEMO)],
  ])('refuses %s', (_, text) => {
    expect(() => settled(text, 'on')).toThrowCode('STANDALONE_ISSUERS_FILE')
  })
})
