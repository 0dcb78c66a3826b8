import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { isCodedError } from '@touchmark/errors'
import { readTokenClaims, tokenPayload } from './identity-token.js'

const part = (text: string): string => Buffer.from(text).toString('base64url')
const jwt = (payload: unknown): string =>
  `${part('{"alg":"RS256"}')}.${part(typeof payload === 'string' ? payload : JSON.stringify(payload))}.c2ln`

const GOOD = {
  iss: 'https://issuer.example.com',
  sub: 'user-1',
  email: 'dev@example.com',
  email_verified: true,
  aud: 'sigstore',
  exp: 1_800_000_000,
}

describe('readTokenClaims', () => {
  it('reads what a token says', () => {
    expect(readTokenClaims(jwt(GOOD))).toEqual({
      issuer: 'https://issuer.example.com',
      subject: 'user-1',
      email: 'dev@example.com',
      principal: 'dev@example.com',
      audiences: ['sigstore'],
      expiresAt: new Date(1_800_000_000_000),
    })
  })

  it('takes the subject where there is no e-mail address', () => {
    expect(readTokenClaims(jwt({ ...GOOD, email: undefined })).principal).toBe('user-1')
    expect(readTokenClaims(jwt({ ...GOOD, email: '' })).principal).toBe('user-1')
  })

  it('reads a list of audiences, without what is no text', () => {
    expect(readTokenClaims(jwt({ ...GOOD, aud: ['a', 5, 'b'] })).audiences).toEqual(['a', 'b'])
  })

  it.each([true, 'true'])('takes email_verified as %j', (verified) => {
    expect(readTokenClaims(jwt({ ...GOOD, email_verified: verified })).email).toBe('dev@example.com')
  })

  it.each([false, 'false', null, 1, 'yes', undefined])('refuses email_verified as %j', (verified) => {
    expect(() => readTokenClaims(jwt({ ...GOOD, email_verified: verified }))).toThrowCode('SIGN_EMAIL_NOT_VERIFIED')
  })

  it.each([['1800000000'], [1e300], [-1e300], [null]])('knows no time of expiry from %j', (exp) => {
    expect(readTokenClaims(jwt({ ...GOOD, exp })).expiresAt).toBeUndefined()
  })

  it.each<[string, string]>([
    ['nothing', ''],
    ['one part', 'abc'],
    ['two parts', 'a.b'],
    ['four parts', `${jwt(GOOD)}.x`],
    ['a payload that is not base64url', 'e30.***.c2ln'],
    ['a payload with padding', `e30.${Buffer.from('{}').toString('base64')}.c2ln`],
    ['a payload that is not JSON', jwt('not json')],
    ['a payload with text after it', jwt('{"iss":"a","sub":"b"} x')],
    ['a payload that is an array', jwt([])],
    ['a payload that is null', jwt('null')],
    ['a payload that is not UTF-8', `e30.${Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]).toString('base64url')}.c2ln`],
    ['a member that comes twice', jwt('{"iss":"a","sub":"b","sub":"c"}')],
    ['a payload that is nested without end', jwt('['.repeat(5000))],
    ['no issuer', jwt({ sub: 'b' })],
    ['an issuer that is no text', jwt({ iss: 5, sub: 'b' })],
    ['neither e-mail address nor subject', jwt({ iss: 'a' })],
    ['a hundred thousand dots', '.'.repeat(100_000)],
    ['thirty thousand dots', `${jwt(GOOD)}${'.'.repeat(30_000)}`],
    ['a megabyte', `e30.${'A'.repeat(1 << 20)}.c2ln`],
    ['a good token that is larger than any provider makes', jwt({ ...GOOD, padding: 'x'.repeat(64 * 1024) })],
  ])('refuses %s', (_name, token) => {
    expect(() => readTokenClaims(token)).toThrowCode('SIGN_TOKEN_MALFORMED')
  })

  it('reads any text, or refuses it with a code', () => {
    const some = fc.oneof(fc.string(), fc.json().map(jwt), fc.record({ iss: fc.string(), sub: fc.string() }).map(jwt))
    fc.assert(
      fc.property(some, (token) => {
        try {
          expect(readTokenClaims(token).principal).not.toBe('')
        } catch (error) {
          if (!isCodedError(error)) throw error
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('tokenPayload', () => {
  it('hands back the members, and nothing of the prototype', () => {
    expect(tokenPayload(jwt({ nonce: 'n' }))['nonce']).toBe('n')
    expect(tokenPayload(jwt({}))['nonce']).toBeUndefined()
  })
})
