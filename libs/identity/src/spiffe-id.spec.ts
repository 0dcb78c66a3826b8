import { describe, expect, it } from '@jest/globals'
import { parseTrustDomain, trustDomainOfId } from './spiffe-id.js'

describe('SPIFFE IDs', () => {
  it('reads the trust domain of a configuration in both forms', () => {
    expect(parseTrustDomain('example.org')).toBe('example.org')
    expect(parseTrustDomain('spiffe://example.org')).toBe('example.org')
  })

  it.each(['', 'Example.org', 'a/b', 'a:b', 'spiffe:/a', 'spiffe://', 'https://example.org'])(
    'refuses the domain %j',
    (text) => {
      expect(parseTrustDomain(text)).toBeUndefined()
    },
  )

  it.each(['spiffe:///x', 'spiffe://a/../b', 'spiffe://a//b', 'spiffe://a/b/', 'spiffe://a/ü'])(
    'refuses the id %j',
    (text) => {
      expect(trustDomainOfId(text)).toBeUndefined()
    },
  )
})
