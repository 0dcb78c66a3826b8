import { describe, expect, it } from '@jest/globals'
import {
  defaultKeyDetails,
  KEY_DETAILS,
  keyDetailsByFlag,
  keyDetailsByName,
  keyDetailsByNumber,
  PUBLIC_KEY_DETAILS,
  schemeOf,
} from './key-details.js'
import type { KeyType, PublicKey } from './types.js'

const TYPES: Record<string, KeyType> = {
  p256: { kind: 'ecdsa', curve: 'P-256' },
  p384: { kind: 'ecdsa', curve: 'P-384' },
  p521: { kind: 'ecdsa', curve: 'P-521' },
  rsa2048: { kind: 'rsa', modulusBits: 2048 },
  rsa3072: { kind: 'rsa', modulusBits: 3072 },
  rsa4096: { kind: 'rsa', modulusBits: 4096 },
  ed25519: { kind: 'ed25519' },
}
const keyOf = (type: KeyType): PublicKey => ({ type, spki: new Uint8Array(0), keyBits: new Uint8Array(0) })

describe('the registry', () => {
  it('accepts for a v2.4 log exactly its default list', () => {
    const accepted = KEY_DETAILS.filter((details) => details.acceptedByLogV2).map(({ number }) => number)
    expect(accepted).toEqual([5, 8, 9, 10, 11, 12, 13])
  })

  it('gives each accepted name to one key type and no other', () => {
    const fitting = KEY_DETAILS.filter((details) => details.acceptedByLogV2).map((details) => [
      details.name,
      Object.keys(TYPES).filter((name) => details.fits(TYPES[name]!)),
    ])
    expect(fitting).toEqual([
      ['PKIX_ECDSA_P256_SHA_256', ['p256']],
      ['PKIX_ED25519_PH', ['ed25519']],
      ['PKIX_RSA_PKCS1V15_2048_SHA256', ['rsa2048']],
      ['PKIX_RSA_PKCS1V15_3072_SHA256', ['rsa3072']],
      ['PKIX_RSA_PKCS1V15_4096_SHA256', ['rsa4096']],
      ['PKIX_ECDSA_P384_SHA_384', ['p384']],
      ['PKIX_ECDSA_P521_SHA_512', ['p521']],
    ])
  })

  it('finds by name, number and flag, and nothing that cannot be verified', () => {
    for (const details of KEY_DETAILS) {
      expect(keyDetailsByName(details.name)).toBe(details)
      expect(keyDetailsByNumber(details.number)).toBe(details)
      expect(PUBLIC_KEY_DETAILS[details.name]).toBe(details.number)
      if (details.flag !== undefined) expect(keyDetailsByFlag(details.flag)).toBe(details)
    }
    for (const name of ['PUBLIC_KEY_DETAILS_UNSPECIFIED', 'PKIX_RSA_PSS_2048_SHA256', 'ML_DSA_44', 'x', 'constructor'])
      expect(keyDetailsByName(name)).toBeUndefined()
    for (const number of [-1, 0, 2, 4, 6, 14, 15, 16, 17, 18, 21, 22, 23, 24, 999])
      expect(keyDetailsByNumber(number)).toBeUndefined()
    expect(keyDetailsByFlag('')).toBeUndefined()
  })

  it('states the hash of each', () => {
    expect(KEY_DETAILS.map(({ number, hash }) => `${number} ${hash}`)).toEqual([
      '1 SHA2_256',
      '3 SHA2_256',
      '5 SHA2_256',
      '7 SHA2_512',
      '8 SHA2_512',
      '9 SHA2_256',
      '10 SHA2_256',
      '11 SHA2_256',
      '12 SHA2_384',
      '13 SHA2_512',
      '19 SHA2_256',
      '20 SHA2_256',
    ])
  })
})

describe('defaultKeyDetails and schemeOf', () => {
  it.each([
    ['p256', 'PKIX_ECDSA_P256_SHA_256', { kind: 'ecdsa', hash: 'SHA2_256' }],
    ['p384', 'PKIX_ECDSA_P384_SHA_384', { kind: 'ecdsa', hash: 'SHA2_384' }],
    ['p521', 'PKIX_ECDSA_P521_SHA_512', { kind: 'ecdsa', hash: 'SHA2_512' }],
    ['rsa2048', 'PKIX_RSA_PKCS1V15_2048_SHA256', { kind: 'rsa-pkcs1', hash: 'SHA2_256' }],
    ['rsa4096', 'PKIX_RSA_PKCS1V15_4096_SHA256', { kind: 'rsa-pkcs1', hash: 'SHA2_256' }],
    ['ed25519', 'PKIX_ED25519_PH', { kind: 'ed25519' }],
  ])('are for %s %s', (type, name, scheme) => {
    const key = keyOf(TYPES[type]!)
    expect(defaultKeyDetails(key).name).toBe(name)
    expect(schemeOf(key)).toEqual(scheme)
  })

  it('have no default for other sizes of RSA', () => {
    expect(() => defaultKeyDetails(keyOf({ kind: 'rsa', modulusBits: 1024 }))).toThrowCode('CRYPTO_KEY_UNSUPPORTED')
  })
})
