import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { parseIssuerConfig } from './config/parse-config.js'
import { findIssuer } from './find-issuer.js'

const FIXED = 'https://accounts.example.com'
const WILDCARD = 'https://oidc.eks.*.amazonaws.com/id/*'
const configuration = parseIssuerConfig(`
oidc-issuers:
  ${FIXED}: {issuer-url: "${FIXED}", client-id: sigstore, type: email}
  https://oidc.eks.fixed.amazonaws.com/id/1: {issuer-url: "https://oidc.eks.fixed.amazonaws.com/id/1", client-id: other, type: email}
meta-issuers:
  ${WILDCARD}: {client-id: sigstore, type: kubernetes}
  https://a+(b)?c.example.com/*: {client-id: sigstore, type: kubernetes}
  https://*.one.example.com: {client-id: first, type: kubernetes}
  https://x.*.example.com: {client-id: second, type: kubernetes}
`)
const find = (iss: string): string | undefined => findIssuer(configuration, iss)?.url

describe('J4: issuer matching', () => {
  it('finds a fixed issuer and a wildcard one', () => {
    expect(find(FIXED)).toBe(FIXED)
    expect(find('https://oidc.eks.us-west-2.amazonaws.com/id/B02C_9-x')).toBe(WILDCARD)
  })

  it('takes the fixed issuer before a wildcard that matches too', () => {
    expect(findIssuer(configuration, 'https://oidc.eks.fixed.amazonaws.com/id/1')?.clientId).toBe('other')
  })

  it('takes the first of several wildcards', () => {
    expect(findIssuer(configuration, 'https://x.one.example.com')?.clientId).toBe('first')
  })

  it.each([
    ['a suffix', 'https://accounts.example.com.evil.example'],
    ['a prefix', 'https://evil.example/https://accounts.example.com'],
    ['a lookalike', 'https://accounts-example.com'],
    ['a trailing slash', 'https://accounts.example.com/'],
    ['a port', 'https://accounts.example.com:443'],
    ['user info', 'https://u@accounts.example.com'],
    ['another scheme', 'http://accounts.example.com'],
    ['upper case', 'https://Accounts.example.com'],
    ['a homoglyph', 'https://аccounts.example.com'],
    ['a full-width dot', 'https://accounts．example.com'],
    ['a query', 'https://accounts.example.com?x'],
    ['a newline at the end', 'https://accounts.example.com\n'],
    ['a space at the start', ' https://accounts.example.com'],
    ['nothing', ''],
    ['the pattern itself', WILDCARD],
    ['a wildcard over a dot', 'https://oidc.eks.a.b.amazonaws.com/id/1'],
    ['a wildcard over a slash', 'https://oidc.eks.a.amazonaws.com/id/1/2'],
    ['an empty wildcard', 'https://oidc.eks..amazonaws.com/id/1'],
    ['a wildcard host in a query (GHSA-59jp-pj84-45mr)', 'http://localhost:3000?https://oidc.eks.a.amazonaws.com/id/1'],
    ['more after a wildcard', 'https://oidc.eks.a.amazonaws.com/id/1?x'],
    ['a newline after a wildcard', 'https://oidc.eks.a.amazonaws.com/id/1\n'],
    ['user info in a wildcard', 'https://oidc.eks.a@evil.amazonaws.com/id/1'],
    ['a dot read as any character', 'https://oidcXeks.a.amazonaws.com/id/1'],
    ['a non-ASCII letter in a wildcard', 'https://oidc.eks.ü.amazonaws.com/id/1'],
    ['more than 2 KiB', `https://oidc.eks.a.amazonaws.com/id/${'a'.repeat(3000)}`],
    ['regular expression characters, read as such', 'https://abc.example.com/1'],
  ])('refuses %s', (_, iss) => {
    expect(find(iss)).toBeUndefined()
  })

  it('reads regular expression characters of a pattern as themselves', () => {
    expect(find('https://a+(b)?c.example.com/1')).toBe('https://a+(b)?c.example.com/*')
  })

  it('never matches a host that is not below amazonaws.com', () => {
    const near = fc.array(
      fc.constantFrom(
        'https://',
        'oidc.eks.',
        'a',
        '.',
        '/',
        '.amazonaws.com',
        '/id/',
        'evil.example',
        '@',
        ':',
        '?',
        '#',
        '\n',
      ),
      { maxLength: 10 },
    )
    fc.assert(
      fc.property(near, (parts) => {
        const iss = parts.join('')
        if (find(iss) !== WILDCARD) return true
        return new URL(iss).hostname.endsWith('.amazonaws.com') && new URL(iss).username === ''
      }),
      { numRuns: 2000 },
    )
  })
})
