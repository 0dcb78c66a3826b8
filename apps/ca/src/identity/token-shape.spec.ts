import { describe, expect, it } from '@jest/globals'
import { MAX_TOKEN_LENGTH, readSignedParts, readToken } from './token-shape.js'

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const token = (header: object, payload: object = { iss: 'https://a.example' }): string =>
  `${part(header)}.${part(payload)}.AA`

describe('a token by its shape', () => {
  it('is read: algorithm, key id, claims, issuer', () => {
    const read = readToken(token({ alg: 'RS256', kid: 'k' }, { iss: 'https://a.example', n: 1 }))
    expect(read).toMatchObject({ algorithm: 'RS256', keyId: 'k', issuer: 'https://a.example', claims: { n: 1 } })
  })

  // Each is refused by the rule itself, before any other part of the way would.
  it.each([
    ['a.b', 'exactly two dots'],
    ['a.b.c.d', 'exactly two dots'],
    ['.'.repeat(MAX_TOKEN_LENGTH), 'exactly two dots'],
    ['.'.repeat(MAX_TOKEN_LENGTH + 1), 'longer than'],
    [token({ alg: 'RS256', crit: ['exp'] }), 'asks for an extension'],
    [token({ alg: 'RS256', crit: [] }), 'asks for an extension'],
    [token({ alg: 'RS256', b64: false }), 'asks for an extension'],
  ])('%.40s is refused: %s', (text, why) => {
    expect(() => readSignedParts(text)).toThrow(why)
    expect(() => readSignedParts(text)).toThrowCode('CA_TOKEN_REFUSED')
  })
})
