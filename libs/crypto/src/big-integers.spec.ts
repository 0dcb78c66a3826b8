import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { bigIntToBytes, bitLength, bytesToBigInt, mod, modInverse, modPow } from './big-integers.js'
import { CURVES } from './curves.js'

describe('bytesToBigInt and bigIntToBytes', () => {
  it('are each other’s inverse at every length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
        const value = bytesToBigInt(bytes)
        expect(value).toBe(bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n))
        expect(bigIntToBytes(value, bytes.length)).toEqual(bytes)
      }),
    )
  })
})

describe('bitLength', () => {
  it('counts the bits of a number', () => {
    expect([0n, 1n, 2n, 7n, 8n, 15n, 16n, 255n, 256n].map(bitLength)).toEqual([0, 1, 2, 3, 4, 4, 5, 8, 9])
  })
})

describe('mod', () => {
  it('is never negative', () => {
    expect(mod(-1n, 7n)).toBe(6n)
    expect(mod(-7n, 7n)).toBe(0n)
  })
})

describe('modPow', () => {
  it('agrees with the definition', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 30n }), fc.integer({ min: 0, max: 60 }), (base, exponent) => {
        expect(modPow(base, BigInt(exponent), 1_000_003n)).toBe(base ** BigInt(exponent) % 1_000_003n)
      }),
    )
  })
})

describe('modInverse', () => {
  const moduli = Object.values(CURVES).flatMap(({ n, p }) => [n, p])

  it('inverts any number but 0 modulo each prime in use', () => {
    fc.assert(
      fc.property(fc.constantFrom(...moduli), fc.bigInt({ min: 1n, max: 2n ** 521n }), (modulus, value) => {
        fc.pre(value % modulus !== 0n)
        expect((modInverse(value, modulus) * value) % modulus).toBe(1n)
      }),
      { numRuns: 2000 },
    )
  })

  it('inverts the numbers at the edges', () => {
    for (const modulus of moduli)
      for (const value of [
        1n,
        2n,
        3n,
        modulus - 1n,
        modulus - 2n,
        modulus / 2n,
        2n ** 48n - 1n,
        2n ** 48n,
        2n ** 64n,
        -5n,
      ])
        expect(mod(modInverse(value, modulus) * value, modulus)).toBe(1n)
  })
})
