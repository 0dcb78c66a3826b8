import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import type { JsonValue } from '@touchmark/encoding'
import { algorithmsOf, KeySet } from './key-set.js'

const jwk = (key: KeyObject, more: Record<string, JsonValue> = {}): JsonValue => ({
  ...(key.export({ format: 'jwk' }) as object),
  ...more,
})
const rsa = (modulusLength: number, publicExponent = 65537): KeyObject =>
  generateKeyPairSync('rsa', { modulusLength, publicExponent }).publicKey
const ec = (namedCurve: string): KeyObject => generateKeyPairSync('ec', { namedCurve }).publicKey
const good = rsa(2048)

const count = async (key: JsonValue, algorithm: string, keyId?: string): Promise<number> =>
  (await new KeySet({ keys: [key] }).candidates(algorithm, keyId)).length

describe('keys of an issuer', () => {
  it.each<[string, JsonValue, string]>([
    ['RSA 2048', jwk(good), 'RS256'],
    ['RSA 2048 for PSS', jwk(good), 'PS512'],
    ['RSA with exponent 3', jwk(rsa(2048, 3)), 'RS256'],
    ['P-256', jwk(ec('P-256')), 'ES256'],
    ['P-384', jwk(ec('P-384')), 'ES384'],
    ['P-521', jwk(ec('P-521')), 'ES512'],
    ['Ed25519', jwk(generateKeyPairSync('ed25519').publicKey), 'EdDSA'],
    ['a key that says what it is for', jwk(good, { use: 'sig', alg: 'RS256', key_ops: ['verify'] }), 'RS256'],
    ['a private key shown by mistake, as the public one', jwk(generateKeyPairSync('ed25519').privateKey), 'EdDSA'],
  ])('%s checks signatures', async (_, key, algorithm) => {
    expect(await count(key, algorithm)).toBe(1)
  })

  it.each<[string, JsonValue, string]>([
    ['RSA 1024', jwk(rsa(1024)), 'RS256'],
    ['an even exponent', jwk(good, { e: 'AQAA' }), 'RS256'],
    ['exponent 1', jwk(good, { e: 'AQ' }), 'RS256'],
    ['no exponent', { kty: 'RSA', n: (jwk(good) as { n: string }).n }, 'RS256'],
    ['a modulus that is no base64', jwk(good, { n: '!' }), 'RS256'],
    ['an even modulus', jwk(good, { n: Buffer.alloc(256, 0xee).toString('base64url') }), 'RS256'],
    ['a key for encryption', jwk(good, { use: 'enc' }), 'RS256'],
    ['a key that may not verify', jwk(good, { key_ops: ['encrypt'] }), 'RS256'],
    ['a key for another algorithm', jwk(good, { alg: 'RS512' }), 'RS256'],
    ['RSA for ES256', jwk(good), 'ES256'],
    ['P-384 for ES256', jwk(ec('P-384')), 'ES256'],
    ['secp256k1 for ES256', jwk(ec('secp256k1')), 'ES256'],
    ['a point off the curve', jwk(ec('P-256'), { y: Buffer.alloc(32, 1).toString('base64url') }), 'ES256'],
    ['X25519 for EdDSA', jwk(generateKeyPairSync('x25519').publicKey), 'EdDSA'],
    ['a secret', { kty: 'oct', k: 'AAAA' }, 'HS256'],
    ['a secret for RS256', { kty: 'oct', k: 'AAAA' }, 'RS256'],
    ['a kid that is a number', jwk(good, { kid: 5 }), 'RS256'],
    ['null', null, 'RS256'],
    ['text', 'x', 'RS256'],
  ])('%s does not', async (_, key, algorithm) => {
    expect(await count(key, algorithm)).toBe(0)
  })

  it('are those of the token’s kid, every one that has it', async () => {
    const set = new KeySet({
      keys: [jwk(good, { kid: 'a' }), jwk(good, { kid: 'a' }), jwk(good, { kid: 'b' }), jwk(good)],
    })
    expect((await set.candidates('RS256', 'a')).length).toBe(2)
    expect((await set.candidates('RS256', 'c')).length).toBe(0)
    expect((await set.candidates('RS256', undefined)).length).toBe(4)
  })
})

it.each([
  [[], ['RS256']],
  [['none', 'HS256'], ['RS256']],
  [
    ['ES256', 'none', 'RS512'],
    ['RS512', 'ES256'],
  ],
])('of the algorithms %j those are left: %j', (listed, left) => {
  expect(algorithmsOf(listed)).toEqual(left)
})
