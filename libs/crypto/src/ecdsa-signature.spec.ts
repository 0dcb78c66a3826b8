import { describe, expect, it } from '@jest/globals'
import { derElement, derInteger, derSequence } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import fc from 'fast-check'
import { CURVES } from './curves.js'
import { decodeEcdsaSignature, digestToNumber, ecdsaSignatureToDer, encodeEcdsaSignature } from './ecdsa-signature.js'
import { bigIntToBytes } from './big-integers.js'

const { n } = CURVES['P-256']
const der = (r: bigint, s: bigint): Uint8Array => derSequence(derInteger(r), derInteger(s))

describe('decodeEcdsaSignature', () => {
  it('takes the smallest and the largest numbers, high s among them', () => {
    expect(decodeEcdsaSignature(der(1n, 1n), 'P-256')).toEqual({ r: 1n, s: 1n })
    expect(decodeEcdsaSignature(der(n - 1n, n - 1n), 'P-256')).toEqual({ r: n - 1n, s: n - 1n })
  })

  it('takes the longest signature there is', () => {
    const most = CURVES['P-521'].n - 1n
    expect(decodeEcdsaSignature(der(most, most), 'P-521')).toEqual({ r: most, s: most })
  })

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['r = 0', der(0n, 1n)],
    ['s = 0', der(1n, 0n)],
    ['r = n', der(n, 1n)],
    ['s = n', der(1n, n)],
    ['a negative r', der(-1n, 1n)],
    ['a negative s', der(1n, -1n)],
    ['a byte behind', Uint8Array.of(...der(1n, 1n), 0)],
    ['a byte behind, inside', derSequence(derInteger(1), derInteger(1), Uint8Array.of(0))],
    ['a padded number', derSequence(derElement(2, Uint8Array.of(0, 1)), derInteger(1))],
    ['a length that is not minimal', Uint8Array.of(0x30, 0x81, 6, 2, 1, 1, 2, 1, 1)],
    ['one number', derSequence(derInteger(1))],
    ['a SET', derElement(0x31, derInteger(1), derInteger(1))],
    ['more than any signature has', der(2n ** 600n, 1n)],
    ['a long garbage', new Uint8Array(100_000)],
  ])('refuses %s', (_what, bytes) => {
    expect(() => decodeEcdsaSignature(bytes, 'P-256')).toThrowCode('CRYPTO_SIGNATURE_INVALID')
  })

  it('gives any bytes a coded error or numbers that encode to them', () => {
    const near = fc.tuple(fc.uint8Array({ maxLength: 8 }), fc.uint8Array({ maxLength: 8 })).map(([r, s]) => {
      return derSequence(derElement(2, r), derElement(2, s))
    })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), near), (bytes) => {
        try {
          const { r, s } = decodeEcdsaSignature(bytes, 'P-256')
          expect(der(r, s)).toEqual(bytes)
        } catch (error) {
          if (!isCodedError(error)) throw error
        }
      }),
      { numRuns: 1000 },
    )
  })
})

describe('ecdsaSignatureToDer', () => {
  it('leaves DER as it is', () => {
    expect(ecdsaSignatureToDer(der(5n, n))).toEqual(der(5n, n))
  })

  it('takes halves padded at will', () => {
    for (const half of [1, 32, 48, 66])
      expect(ecdsaSignatureToDer(Uint8Array.of(...bigIntToBytes(200n, half), ...bigIntToBytes(7n, half)))).toEqual(
        der(200n, 7n),
      )
  })

  it('has no answer to other bytes', () => {
    for (const length of [0, 1, 63, 65, 133, 134]) expect(ecdsaSignatureToDer(new Uint8Array(length))).toBeUndefined()
  })

  it('writes what the decoder reads', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: n - 1n }), fc.bigInt({ min: 1n, max: n - 1n }), (r, s) => {
        const halves = Uint8Array.of(...bigIntToBytes(r, 32), ...bigIntToBytes(s, 32))
        expect(decodeEcdsaSignature(encodeEcdsaSignature(halves), 'P-256')).toEqual({ r, s })
      }),
    )
  })
})

describe('digestToNumber', () => {
  it('takes the leftmost bits', () => {
    const digest = Uint8Array.from({ length: 64 }, (_, i) => i + 1)
    const number = (bytes: number): bigint => BigInt(`0x${Buffer.from(digest.subarray(0, bytes)).toString('hex')}`)
    expect(digestToNumber(digest, 'P-256')).toBe(number(32))
    expect(digestToNumber(digest, 'P-384')).toBe(number(48))
    expect(digestToNumber(digest, 'P-521')).toBe(number(64))
  })
})
