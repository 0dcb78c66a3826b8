import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { isCodedError } from '@touchmark/errors'
import { unsignedToken } from '../testing/provider.js'
import type { Provider } from './discovery.js'
import { readGrant } from './id-token.js'

const provider = { issuer: 'https://login.example.com', clientId: 'sigstore' } as Provider
const CLAIMS = { iss: provider.issuer, aud: 'sigstore', sub: 'user-1' }

const read = (claims: object, header?: object, more: object = {}): ReturnType<typeof readGrant> =>
  readGrant(
    provider,
    Buffer.from(JSON.stringify({ id_token: unsignedToken({ ...CLAIMS, ...claims }, header), ...more })),
  )

describe('readGrant', () => {
  it.each([
    ['one audience', {}],
    ['several audiences', { aud: ['other', 'sigstore'] }],
    ['the party it was given to', { aud: ['other', 'sigstore'], azp: 'sigstore' }],
  ])('takes a token of this provider for this client, with %s', (_name, claims) => {
    expect(read(claims)).toEqual({ idToken: unsignedToken({ ...CLAIMS, ...claims }), refreshToken: undefined })
  })

  it.each([
    ['another issuer', { iss: 'https://login.example.com.evil.example' }],
    ['an issuer with one more slash', { iss: `${provider.issuer}/` }],
    ['no issuer', { iss: undefined }],
    ['another audience', { aud: 'other' }],
    ['another audience that begins alike', { aud: 'sigstore2' }],
    ['a list without ours', { aud: ['other'] }],
    ['no audience', { aud: undefined }],
    ['an audience that is no text', { aud: { sigstore: true } }],
    ['another party', { azp: 'other' }],
  ])('refuses a token with %s', (_name, claims) => {
    expect(() => read(claims)).toThrowCode('CLI_LOGIN_FAILED')
  })

  it.each([
    { alg: 'none' },
    { alg: 'None' },
    { alg: '' },
    { alg: 'HS256' },
    { alg: 5 },
    { alg: ['RS256'] },
    { alg: 'RS256x' },
    {},
    [],
  ])('refuses a token whose header is %j', (header) => {
    expect(() => read({}, header)).toThrowCode('CLI_LOGIN_FAILED')
  })

  it.each(['RS256', 'PS512', 'ES384', 'EdDSA'])('takes the algorithm %s', (alg) => {
    expect(read({}, { alg }).idToken).toMatch(/^ey/)
  })

  it('takes a refresh token that is text of a bearable length, and leaves any other', () => {
    expect(read({}, undefined, { refresh_token: 'r' }).refreshToken).toBe('r')
    for (const refresh_token of ['', 5, null, {}, 'r'.repeat(16 * 1024 + 1)])
      expect(read({}, undefined, { refresh_token }).refreshToken).toBeUndefined()
  })

  it('does not show the token when it refuses it', () => {
    const token = unsignedToken({ ...CLAIMS, aud: 'other' })
    let error: unknown
    try {
      readGrant(provider, Buffer.from(JSON.stringify({ id_token: token })))
    } catch (thrown) {
      error = thrown
    }
    expect(JSON.stringify([(error as Error).message, (error as { details: object }).details])).not.toContain(
      token.split('.')[1],
    )
  })

  it('throws coded errors alone, for any bytes and any parts', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .array(fc.base64String({ maxLength: 80 }), { maxLength: 4 })
        .map((parts) => Buffer.from(JSON.stringify({ id_token: parts.join('.') }))),
      fc.json().map((header) =>
        Buffer.from(
          JSON.stringify({
            id_token: `${Buffer.from(header).toString('base64url')}.${unsignedToken(CLAIMS).split('.')[1]}.x`,
          }),
        ),
      ),
    )
    fc.assert(
      fc.property(bytes, (body) => {
        try {
          readGrant(provider, body)
        } catch (error) {
          expect(isCodedError(error)).toBe(true)
        }
      }),
    )
  })
})
