import { createHmac } from 'node:crypto'
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { ManualClock } from '@touchmark/clock'
import { isCodedError } from '@touchmark/errors'
import { parseIssuerConfig } from '@touchmark/identity'
import { MapSource, TestIssuer } from '../testing/test-issuer.js'
import { TokenVerifier } from './token-verifier.js'

const NOW = Date.parse('2026-06-01T12:00:00Z')
const SECONDS = NOW / 1000
const ISSUER = 'https://accounts.example.com'
const configuration = parseIssuerConfig(`
oidc-issuers:
  ${ISSUER}: {issuer-url: "${ISSUER}", client-id: sigstore, type: email}
  https://no-client.example.com: {issuer-url: "https://no-client.example.com", type: email}
`)
const claims = {
  iss: ISSUER,
  aud: 'sigstore',
  sub: 'u',
  email: 'dev@example.com',
  email_verified: true,
  exp: SECONDS + 600,
}
const without = (name: string): Record<string, never> =>
  Object.fromEntries(Object.entries(claims).filter(([member]) => member !== name)) as Record<string, never>
const part = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

let issuer: TestIssuer
let source: MapSource
let clock: ManualClock
let tokens: TokenVerifier
beforeAll(() => {
  issuer = new TestIssuer()
})
beforeEach(() => {
  source = new MapSource({ [ISSUER]: issuer.jwks, 'https://no-client.example.com': issuer.jwks })
  clock = new ManualClock(new Date(NOW))
  tokens = new TokenVerifier({ configuration, source, clock })
})
const expectRefused = (token: string): Promise<unknown> =>
  expect(tokens.authenticate(token)).rejects.toThrowCode('CA_TOKEN_REFUSED')

describe('J1: what a token may be', () => {
  it('a good one names who it is for', async () => {
    expect((await tokens.authenticate(issuer.token(claims))).name).toBe('dev@example.com')
  })

  it('without a kid every key is tried', async () => {
    expect((await tokens.authenticate(issuer.signRaw('{"alg":"RS256"}', JSON.stringify(claims)))).name).toBe(
      'dev@example.com',
    )
  })

  it('ES256 and EdDSA where the issuer lists them, and only there', async () => {
    await expectRefused(issuer.ecToken(claims))
    source.algorithms = ['ES256', 'EdDSA']
    tokens = new TokenVerifier({ configuration, source, clock })
    expect((await tokens.authenticate(issuer.ecToken(claims))).name).toBe('dev@example.com')
    expect((await tokens.authenticate(issuer.edToken(claims))).name).toBe('dev@example.com')
    await expectRefused(issuer.token(claims))
  })

  it.each([[[]], [['HS256']], [['none']], [['nobody']]])(
    'an issuer that lists %j signs with RS256 alone',
    async (algorithms) => {
      source.algorithms = algorithms
      expect((await tokens.authenticate(issuer.token(claims))).name).toBe('dev@example.com')
      await expectRefused(issuer.ecToken(claims))
    },
  )

  it.each(['none', 'None', 'NONE', ''])('alg %j is refused, with and without a signature', async (alg) => {
    source.algorithms = ['none', 'RS256']
    await expectRefused(`${part({ alg })}.${part(claims)}.`)
    await expectRefused(issuer.signRaw(JSON.stringify({ alg, kid: 'rsa' }), JSON.stringify(claims)))
  })

  it('HMAC with the public key as secret is refused, also where the issuer lists it', async () => {
    source.algorithms = ['HS256', 'RS256']
    for (const secret of [issuer.rsaPublicPem, issuer.jwks.keys[0]!['n']!]) {
      const input = `${part({ alg: 'HS256', kid: 'rsa' })}.${part(claims)}`
      await expectRefused(`${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`)
    }
  })

  it('RS256 does not pass for PS256 or RS512', async () => {
    source.algorithms = ['RS256', 'PS256', 'RS512']
    for (const alg of ['PS256', 'RS512']) await expectRefused(issuer.token(claims, { alg }))
  })

  it.each(['ec', 'nobody', ''])('a kid that is %j', async (kid) => {
    const token = issuer.token(claims, { kid })
    if (kid === '') expect((await tokens.authenticate(token)).name).toBe('dev@example.com')
    else await expectRefused(token)
  })

  it('a key that the token brings along is not used', async () => {
    const mallory = new TestIssuer()
    const jwk = { ...mallory.jwks.keys[0]! }
    for (const header of [
      { jwk },
      { jku: 'https://evil.example/keys' },
      { x5u: 'https://evil.example/c' },
      { x5c: ['MIIB'] },
    ]) {
      await expectRefused(mallory.token(claims, header))
      await expectRefused(mallory.token(claims, { ...header, kid: 'x' }))
    }
    expect(source.asked.join()).not.toContain('evil')
  })

  it('and does no harm beside a good signature', async () => {
    const token = issuer.token(claims, { jku: 'https://evil.example/keys', jwk: {} })
    expect((await tokens.authenticate(token)).name).toBe('dev@example.com')
  })

  it.each([{ crit: ['exp'] }, { crit: [] }, { crit: ['b64'], b64: false }, { b64: true }])(
    'the header extension %j is refused',
    async (header) => {
      await expectRefused(issuer.token(claims, header))
    },
  )

  it.each([
    ['alg twice', '{"alg":"none","alg":"RS256"}', JSON.stringify(claims)],
    ['sub twice', '{"alg":"RS256"}', JSON.stringify(claims).replace('{', '{"sub":"x",')],
    ['a claim of a claim twice', '{"alg":"RS256"}', JSON.stringify(claims).replace('{', '{"x":{"y":1,"y":2},')],
    ['sub twice, once escaped', '{"alg":"RS256"}', JSON.stringify(claims).replace('{', '{"\\u0073ub":"x",')],
  ])('%s is refused', async (_, header, payload) => {
    await expectRefused(issuer.signRaw(header, payload))
  })

  it.each<[string, Record<string, unknown>]>([
    ['aud that is a number', { ...claims, aud: 5 }],
    ['aud with a number in it', { ...claims, aud: ['sigstore', 5] }],
    ['aud that is an object', { ...claims, aud: { sigstore: true } }],
    ['aud that is null', { ...claims, aud: null }],
    ['aud that contains ours as a part', { ...claims, aud: 'sigstore2' }],
    ['no aud', without('aud')],
    ['exp that is true', { ...claims, exp: true }],
    ['exp that is null', { ...claims, exp: null }],
    ['exp that is text', { ...claims, exp: 'tomorrow' }],
    ['exp in hexadecimal', { ...claims, exp: '0xffffffffff' }],
    ['exp beyond all time', { ...claims, exp: 1e300 }],
    ['exp in milliseconds', { ...claims, exp: NOW * 1000 }],
    ['no exp', without('exp')],
    ['nbf that is an object', { ...claims, nbf: {} }],
    ['iat that is text', { ...claims, iat: 'x' }],
    ['iat that is null', { ...claims, iat: null }],
    ['sub that is a number', { ...claims, sub: 5 }],
    ['sub that is a list', { ...claims, sub: ['u'] }],
    ['nonce that is a number', { ...claims, nonce: 1 }],
    ['iss that is a list', { ...claims, iss: [ISSUER] }],
    ['no iss', without('iss')],
    ['an issuer without client-id', { ...claims, iss: 'https://no-client.example.com' }],
    [
      'an issuer without client-id, for an empty audience',
      { ...claims, iss: 'https://no-client.example.com', aud: '' },
    ],
  ])('%s is refused', async (_, wrong) => {
    await expectRefused(issuer.token(wrong as never))
  })

  it('aud may be a list with ours in it', async () => {
    expect((await tokens.authenticate(issuer.token({ ...claims, aud: ['x', 'sigstore'] }))).name).toBe(
      'dev@example.com',
    )
  })
})

describe('J2: times', () => {
  it.each([
    ['exp now', { exp: SECONDS }],
    ['exp in a fraction of this second', { exp: SECONDS + 0.5 }],
    ['exp as a numeric string', { exp: String(SECONDS + 1) }],
    ['nbf five minutes ahead', { nbf: SECONDS + 300 }],
    ['nbf null', { nbf: null }],
    ['iat in the future, which nobody judges', { iat: SECONDS + 1e6 }],
    ['a life of a hundred years, which nobody judges', { exp: SECONDS + 3e9 }],
    ['iat as a fraction', { iat: SECONDS + 0.1 }],
  ])('%s passes', async (_, times) => {
    expect((await tokens.authenticate(issuer.token({ ...claims, ...times }))).name).toBe('dev@example.com')
  })

  it.each([
    ['exp a second ago', { exp: SECONDS - 1 }],
    ['exp a fraction of a second ago', { exp: SECONDS - 0.001 }],
    ['exp as a numeric string in the past', { exp: String(SECONDS - 1) }],
    ['exp zero', { exp: 0 }],
    ['exp negative', { exp: -SECONDS }],
    ['nbf over five minutes ahead', { nbf: SECONDS + 301 }],
  ])('%s is refused', async (_, times) => {
    await expectRefused(issuer.token({ ...claims, ...times }))
  })

  it('there is no leeway for exp', async () => {
    const token = issuer.token({ ...claims, exp: SECONDS })
    await tokens.authenticate(token)
    clock.advance(1)
    await expectRefused(token)
  })
})

describe('J3: size and shape', () => {
  it.each([
    ['a token of 1 MB', 'a'.repeat(1 << 20)],
    ['a token just too long', `${'a'.repeat(64 * 1024 - 3)}.a.a`],
    ['100,000 dots', '.'.repeat(100_000)],
    ['1,000 dots', '.'.repeat(1000)],
    ['one dot', 'a.b'],
    ['three dots', 'a.b.c.d'],
    ['nothing', ''],
    ['empty parts', '..'],
    ['padding', `${part({ alg: 'RS256' })}=.${part(claims)}.AA`],
    ['standard base64', `${part({ alg: 'RS256' })}.${part(claims)}.+/+/`],
    ['white space', ` ${part({ alg: 'RS256' })}.${part(claims)}.AA`],
    ['a header that is a list', `${part([])}.${part(claims)}.AA`],
    ['a header that is no JSON', `${part('{alg')}.${part(claims)}.AA`],
    ['a header without alg', `${part({})}.${part(claims)}.AA`],
    ['a kid that is a number', `${part({ alg: 'RS256', kid: 5 })}.${part(claims)}.AA`],
    ['a payload that is null', `${part({ alg: 'RS256' })}.${part('null')}.AA`],
    ['a payload that is text', `${part({ alg: 'RS256' })}.${part('"x"')}.AA`],
    ['bytes after the payload', `${part({ alg: 'RS256' })}.${part(`${JSON.stringify(claims)}x`)}.AA`],
    ['deep JSON', `${part({ alg: 'RS256' })}.${part(`{"iss":"${ISSUER}","x":${'['.repeat(10_000)}`)}.AA`],
    ['a lone surrogate', `${part({ alg: 'RS256' })}.${part('{"iss":"\\ud800"}')}.AA`],
    ['a number that is none', `${part({ alg: 'RS256' })}.${part('{"iss":"x","exp":1e999}')}.AA`],
  ])('%s is refused, and nobody is asked', async (_, token) => {
    await expectRefused(token)
    expect(source.asked).toEqual([])
  })

  it('a good token over 64 KiB is refused', async () => {
    await tokens.authenticate(issuer.token({ ...claims, filler: 'a'.repeat(47 * 1024) }))
    source.asked.length = 0
    await expectRefused(issuer.token({ ...claims, filler: 'a'.repeat(48 * 1024) }))
    expect(source.asked).toEqual([])
  })

  it('any token is answered or refused', async () => {
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'aA1-_.='.split('')), maxLength: 60 }),
      fc.json().map(part),
      fc.string(),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 4 }), async (parts) => {
        try {
          await tokens.authenticate(parts.join('.'))
          return false
        } catch (error) {
          return isCodedError(error) && error.code === 'CA_TOKEN_REFUSED'
        }
      }),
      { numRuns: 500 },
    )
  })

  it('any changed bit of a good token makes it a refused one', async () => {
    const token = issuer.token(claims)
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: token.length - 1 }),
        fc.constantFrom(...'AZaz09-_.'.split('')),
        async (at, char) => {
          const changed = token.slice(0, at) + char + token.slice(at + 1)
          if (changed === token) return true
          return tokens.authenticate(changed).then(
            () => false,
            (error: unknown) => isCodedError(error),
          )
        },
      ),
      { numRuns: 150 },
    )
  })
})

describe('J4: issuers', () => {
  it.each([
    'https://accounts.example.com/',
    'https://accounts.example.com.evil.example',
    'HTTPS://accounts.example.com',
    'https://accounts.example.com:443',
  ])('%s is nobody, and is not asked', async (iss) => {
    await expectRefused(issuer.token({ ...claims, iss }))
    expect(source.asked).toEqual([])
  })
})

describe('an issuer', () => {
  it('that does not answer makes its tokens refused', async () => {
    source.keySets.clear()
    await expect(tokens.authenticate(issuer.token(claims))).rejects.toThrowCode('CA_ISSUER_UNAVAILABLE')
  })

  it('is asked at the start; one that does not answer is named, and is no error', async () => {
    source.keySets.delete('https://no-client.example.com')
    const missing: string[] = []
    await tokens.warmUp((url) => missing.push(url))
    expect(missing).toEqual(['https://no-client.example.com'])
    source.asked.length = 0
    await tokens.authenticate(issuer.token(claims))
    expect(source.asked).toEqual([])
  })
})

it('nobody else can say that somebody is authenticated', async () => {
  const somebody = await tokens.authenticate(issuer.token(claims))
  const Authenticated = somebody.constructor as new (key: symbol, identity: object) => unknown
  expect(() => new Authenticated(Symbol('authenticated'), {})).toThrow(TypeError)
})
