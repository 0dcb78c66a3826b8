import { createECDH, generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import {
  DER_NULL,
  derBitString,
  derElement,
  derInteger,
  derOctetString,
  derOid,
  derSequence,
  pemEncode,
} from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import fc from 'fast-check'
import { parsePublicKeyDer, parsePublicKeyPem } from './public-key.js'
import type { Curve, PublicKey } from './types.js'

const EC = '1.2.840.10045.2.1'
const RSA = '1.2.840.113549.1.1.1'
const CURVES: Record<string, string> = {
  prime256v1: '1.2.840.10045.3.1.7',
  secp384r1: '1.3.132.0.34',
  secp521r1: '1.3.132.0.35',
  secp224r1: '1.3.132.0.33',
  secp256k1: '1.3.132.0.10',
  brainpoolP256r1: '1.3.36.3.3.2.8.1.1.7',
}

const point = (curve: string, format: 'uncompressed' | 'compressed' | 'hybrid' = 'uncompressed'): Uint8Array => {
  const ecdh = createECDH(curve)
  ecdh.generateKeys()
  return new Uint8Array(ecdh.getPublicKey(null, format))
}
const ecSpki = (curve: string, bits: Uint8Array): Uint8Array =>
  derSequence(derSequence(derOid(EC), derOid(CURVES[curve]!)), derBitString(bits))
const spkiOf = (pair: { publicKey: { export(o: { type: 'spki'; format: 'der' }): Buffer } }): Uint8Array =>
  new Uint8Array(pair.publicKey.export({ type: 'spki', format: 'der' }))

const P256 = ecSpki('prime256v1', point('prime256v1'))
const ED25519 = spkiOf(generateKeyPairSync('ed25519'))
const RSA_PAIR = generateKeyPairSync('rsa', { modulusLength: 2048 })
const RSA_SPKI = spkiOf(RSA_PAIR)
const RSA_PKCS1 = new Uint8Array(RSA_PAIR.publicKey.export({ type: 'pkcs1', format: 'der' }))
const rsaSpki = (...numbers: Uint8Array[]): Uint8Array =>
  derSequence(derSequence(derOid(RSA), DER_NULL), derBitString(derSequence(...numbers)))
const MODULUS = 2n ** 2047n + 1n

/** The encoding a parsed key must have come from. */
function encode(key: PublicKey): Uint8Array {
  const oids: Record<Curve, string> = { 'P-256': 'prime256v1', 'P-384': 'secp384r1', 'P-521': 'secp521r1' }
  if (key.type.kind === 'ecdsa') return ecSpki(oids[key.type.curve], key.keyBits)
  if (key.type.kind === 'ed25519') return derSequence(derSequence(derOid('1.3.101.112')), derBitString(key.keyBits))
  return rsaSpki(
    derInteger(BigInt(`0x${Buffer.from(key.rsa!.modulus).toString('hex')}`)),
    derInteger(key.rsa!.exponent),
  )
}

describe('parsePublicKeyDer', () => {
  it.each([
    ['prime256v1', 'P-256'],
    ['secp384r1', 'P-384'],
    ['secp521r1', 'P-521'],
  ] as const)('takes %s', (name, curve) => {
    const bits = point(name)
    const key = parsePublicKeyDer(ecSpki(name, bits))
    expect(key.type).toEqual({ kind: 'ecdsa', curve })
    expect(key.keyBits).toEqual(bits)
    expect(encode(key)).toEqual(key.spki)
  })

  it('takes Ed25519 and RSA', () => {
    expect(parsePublicKeyDer(ED25519)).toEqual({
      type: { kind: 'ed25519' },
      spki: ED25519,
      keyBits: ED25519.subarray(-32),
    })
    const key = parsePublicKeyDer(RSA_SPKI)
    expect(key.type).toEqual({ kind: 'rsa', modulusBits: 2048 })
    expect(key.keyBits).toEqual(RSA_PKCS1)
    expect(key.rsa!.exponent).toBe(65537n)
    expect(key.rsa!.modulus).toHaveLength(256)
    expect(encode(key)).toEqual(RSA_SPKI)
  })

  it('takes an RSA modulus whose length is no whole number of bytes', () => {
    expect(parsePublicKeyDer(rsaSpki(derInteger(2n ** 2050n + 1n), derInteger(3n))).type).toEqual({
      kind: 'rsa',
      modulusBits: 2051,
    })
  })

  it('keeps a copy of the bytes', () => {
    const given = Buffer.from(P256)
    const key = parsePublicKeyDer(given)
    given.fill(0)
    expect(key.spki).toEqual(P256)
    expect(key.keyBits).toEqual(P256.subarray(-65))
  })

  const algorithm = (oid: string, ...parameters: Uint8Array[]): Uint8Array => derSequence(derOid(oid), ...parameters)
  const offCurve = Uint8Array.from(P256)
  offCurve[60]! ^= 1
  const longLength = Uint8Array.of(0x30, 0x81, P256.length - 2, ...P256.subarray(2))

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['a trailing byte', Uint8Array.of(...P256, 0)],
    [
      'a trailing element inside',
      derSequence(algorithm(EC, derOid(CURVES.prime256v1!)), derBitString(P256.subarray(-65)), DER_NULL),
    ],
    ['a length that is not minimal', longLength],
    ['an indefinite length', Uint8Array.of(0x30, 0x80, ...P256.subarray(2), 0, 0)],
    ['a point off the curve', offCurve],
    ['a compressed point', ecSpki('prime256v1', point('prime256v1', 'compressed'))],
    ['a hybrid point', ecSpki('prime256v1', point('prime256v1', 'hybrid'))],
    ['the point at infinity', ecSpki('prime256v1', Uint8Array.of(0))],
    ['a point of another curve', ecSpki('prime256v1', point('secp384r1'))],
    ['secp256k1', ecSpki('secp256k1', point('secp256k1'))],
    ['brainpool', ecSpki('brainpoolP256r1', point('brainpoolP256r1'))],
    ['id-ecDH', derSequence(algorithm('1.3.132.1.12', derOid(CURVES.prime256v1!)), derBitString(P256.subarray(-65)))],
    ['EC without a curve', derSequence(algorithm(EC), derBitString(P256.subarray(-65)))],
    [
      'EC with a curve and more',
      derSequence(algorithm(EC, derOid(CURVES.prime256v1!), DER_NULL), derBitString(P256.subarray(-65))),
    ],
    [
      'EC with explicit parameters',
      derSequence(algorithm(EC, derSequence(derInteger(1))), derBitString(P256.subarray(-65))),
    ],
    [
      'unused bits in the key',
      derSequence(algorithm(EC, derOid(CURVES.prime256v1!)), derElement(3, Uint8Array.of(1), P256.subarray(-65))),
    ],
    [
      'the key as an OCTET STRING',
      derSequence(algorithm(EC, derOid(CURVES.prime256v1!)), derOctetString(P256.subarray(-65))),
    ],
    ['P-224 off the curve', ecSpki('secp224r1', Uint8Array.of(4, ...new Uint8Array(56)))],
    ['RSA without NULL', derSequence(algorithm(RSA), derBitString(RSA_PKCS1))],
    ['RSA with other parameters', derSequence(algorithm(RSA, derInteger(0)), derBitString(RSA_PKCS1))],
    ['RSA with NULL and more', derSequence(algorithm(RSA, DER_NULL, DER_NULL), derBitString(RSA_PKCS1))],
    ['the RSA-PSS algorithm', derSequence(algorithm('1.2.840.113549.1.1.10'), derBitString(RSA_PKCS1))],
    ['bare PKCS#1', RSA_PKCS1],
    ['bytes behind the RSA key', derSequence(algorithm(RSA, DER_NULL), derBitString(Uint8Array.of(...RSA_PKCS1, 0)))],
    ['a third RSA number', rsaSpki(derInteger(MODULUS), derInteger(65537), derInteger(1))],
    ['a negative RSA modulus', rsaSpki(derInteger(-MODULUS), derInteger(65537))],
    ['RSA modulus 0', rsaSpki(derInteger(0), derInteger(65537))],
    ['a padded RSA modulus', rsaSpki(derElement(2, Uint8Array.of(0, 0x7f)), derInteger(65537))],
    ['RSA exponent 0', rsaSpki(derInteger(MODULUS), derInteger(0))],
    ['a negative RSA exponent', rsaSpki(derInteger(MODULUS), derInteger(-3))],
    ['RSA exponent 2^31', rsaSpki(derInteger(MODULUS), derInteger(2n ** 31n))],
    ['an RSA exponent as long as the modulus', rsaSpki(derInteger(MODULUS), derInteger(MODULUS))],
    ['an RSA modulus of 16385 bits', rsaSpki(derInteger(2n ** 16384n + 1n), derInteger(65537))],
    ['Ed25519 with NULL', derSequence(algorithm('1.3.101.112', DER_NULL), derBitString(ED25519.subarray(-32)))],
    ['Ed25519 of 31 bytes', derSequence(algorithm('1.3.101.112'), derBitString(ED25519.subarray(-31)))],
    ['Ed25519 of 33 bytes', derSequence(algorithm('1.3.101.112'), derBitString(ED25519.subarray(-33)))],
    ['Ed448', spkiOf(generateKeyPairSync('ed448'))],
    ['X25519 of 31 bytes', derSequence(algorithm('1.3.101.110'), derBitString(new Uint8Array(31)))],
    ['X25519 with NULL', derSequence(algorithm('1.3.101.110', DER_NULL), derBitString(new Uint8Array(32)))],
    [
      'DSA with a number that is 0',
      derSequence(
        algorithm('1.2.840.10040.4.1', derSequence(derInteger(0), derInteger(3), derInteger(2))),
        derBitString(derInteger(5)),
      ),
    ],
    ['DSA without parameters', derSequence(algorithm('1.2.840.10040.4.1'), derBitString(derInteger(5)))],
    ['more than any key takes', new Uint8Array(5000)],
  ])('refuses %s', (_what, spki) => {
    expect(() => parsePublicKeyDer(spki)).toThrowCode('CRYPTO_KEY_UNPARSABLE')
  })

  it.each<[string, Uint8Array]>([
    ['P-224', ecSpki('secp224r1', point('secp224r1'))],
    ['X25519', spkiOf(generateKeyPairSync('x25519'))],
    [
      'DSA',
      derSequence(
        algorithm('1.2.840.10040.4.1', derSequence(derInteger(23), derInteger(11), derInteger(2))),
        derBitString(derInteger(5)),
      ),
    ],
  ])('knows and does not take %s', (_what, spki) => {
    expect(() => parsePublicKeyDer(spki)).toThrowCode('CRYPTO_KEY_UNSUPPORTED')
    expect(() => parsePublicKeyPem(pemEncode('PUBLIC KEY', spki))).toThrowCode('CRYPTO_KEY_WEAK')
  })

  const sameOrRefused = (bytes: Uint8Array): void => {
    let key: PublicKey
    try {
      key = parsePublicKeyDer(bytes)
    } catch (error) {
      expect(isCodedError(error)).toBe(true)
      return
    }
    expect(encode(key)).toEqual(bytes)
  }

  it('gives any bytes a coded error or a key that encodes to them', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), sameOrRefused), { numRuns: 500 })
  })

  it('takes one encoding of each key: changed, cut or grown bytes are refused or another key', () => {
    const change = fc.record({ at: fc.nat(), value: fc.nat(255), cut: fc.integer({ min: -2, max: 2 }) })
    fc.assert(
      fc.property(fc.constantFrom(P256, ED25519, RSA_SPKI), fc.array(change, { maxLength: 3 }), (spki, changes) => {
        let bytes = Uint8Array.from(spki)
        for (const { at, value, cut } of changes) {
          bytes[at % bytes.length] = value
          if (cut < 0) bytes = bytes.slice(0, cut)
          if (cut > 0) bytes = Uint8Array.of(...bytes, ...new Uint8Array(cut))
        }
        sameOrRefused(bytes)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('parsePublicKeyPem', () => {
  const pem = pemEncode('PUBLIC KEY', P256)

  it('takes an SPKI, and a PKCS#1 key for which it builds the SPKI', () => {
    expect(parsePublicKeyPem(pem).spki).toEqual(P256)
    expect(parsePublicKeyPem(pemEncode('RSA PUBLIC KEY', RSA_PKCS1)).spki).toEqual(RSA_SPKI)
  })

  it.each([
    ['text around it', `hello\n${pem}bye`],
    ['CRLF', pem.replaceAll('\n', '\r\n')],
    ['headers', pem.replace('KEY-----\n', 'KEY-----\nComment: x\n\n')],
    ['one long line', `-----BEGIN PUBLIC KEY-----\n${Buffer.from(P256).toString('base64')}\n-----END PUBLIC KEY-----`],
    ['another block behind it', pem + pemEncode('CERTIFICATE', Uint8Array.of(1))],
    [
      'a broken block behind it',
      `${pem}-----BEGIN PUBLIC KEY-----\n!!!!\n-----END PUBLIC KEY-----\n-----BEGIN X-----\n`,
    ],
  ])('takes %s', (_what, text) => {
    expect(parsePublicKeyPem(text).spki).toEqual(P256)
  })

  it.each([
    ['nothing', ''],
    ['no PEM', Buffer.from(P256).toString('base64')],
    ['indentation', pem.replaceAll(/^/gm, '  ')],
    ['another label', pemEncode('EC PUBLIC KEY', P256)],
    ['another label first', pemEncode('CERTIFICATE', P256) + pem],
    ['a private key label', pemEncode('PRIVATE KEY', P256)],
    ['PKCS#1 under the label of SPKI', pemEncode('PUBLIC KEY', RSA_PKCS1)],
    ['SPKI under the label of PKCS#1', pemEncode('RSA PUBLIC KEY', P256)],
    ['PKCS#1 with a byte behind it', pemEncode('RSA PUBLIC KEY', Uint8Array.of(...RSA_PKCS1, 0))],
    ['an empty block', '-----BEGIN RSA PUBLIC KEY-----\n-----END RSA PUBLIC KEY-----\n'],
    ['a block without an end', pem.slice(0, -30)],
    ['base64 that is none', pem.replace('M', '!')],
    ['a trailing byte', pemEncode('PUBLIC KEY', Uint8Array.of(...P256, 0))],
    ['64 KiB of text', ' '.repeat(65536) + pem],
  ])('refuses %s', (_what, text) => {
    expect(() => parsePublicKeyPem(text)).toThrowCode('CRYPTO_KEY_UNPARSABLE')
  })

  it('refuses an off-curve point as unparsable, not as weak', () => {
    const off = Uint8Array.from(P256)
    off[70]! ^= 1
    expect(() => parsePublicKeyPem(pemEncode('PUBLIC KEY', off))).toThrowCode('CRYPTO_KEY_UNPARSABLE')
  })

  it('gives any text a key or a coded error', () => {
    const piece = fc.constantFrom('-----BEGIN PUBLIC KEY-----', '-----END PUBLIC KEY-----', '\n', 'AAAA', ':', pem, ' ')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        try {
          parsePublicKeyPem(pieces.join(''))
        } catch (error) {
          expect(isCodedError(error)).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('takes the weak keys of Fulcio’s own answers apart as Fulcio does', () => {
    const weak =
      'ME4wEAYHKoZIzj0CAQYFK4EEACEDOgAE5Eg7Gc9P//qOKFTHmJEPT/zlwPPIMSWt/Zmj86tRZ8SMGf9V/wZt/VJO7rcbqzvHHsf3vl4axxQ='
    const unknown =
      'MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEhTRoA00bBv4RvLf6K1AawpO9oc6dDLZc/Z6L4rpXAxc5HWNoQAB3PDb/cfqbyk/RMKGC5dOZL5wGxZZfjhK5ow=='
    const wrap = (base64: string): string => `-----BEGIN PUBLIC KEY-----\n${base64}\n-----END PUBLIC KEY-----\n`
    expect(() => parsePublicKeyPem(wrap(weak))).toThrowCode('CRYPTO_KEY_WEAK')
    expect(() => parsePublicKeyPem(wrap(unknown))).toThrowCode('CRYPTO_KEY_UNPARSABLE')
  })
})
