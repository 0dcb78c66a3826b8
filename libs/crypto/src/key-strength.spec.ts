import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it, jest } from '@jest/globals'
import { DER_NULL, derBitString, derInteger, derOid, derSequence, hexDecode } from '@touchmark/encoding'
import { bitLength } from './big-integers.js'
import { checkKeyStrength } from './key-strength.js'
import { generateSigner } from './node/index.js'
import { parsePublicKeyDer } from './public-key.js'
import type { PublicKey } from './types.js'

// Keys are generated here, which takes as long as it takes.
jest.setTimeout(60_000)

function rsaKey(modulus: bigint, exponent = 65537n): PublicKey {
  const key = derSequence(derInteger(modulus), derInteger(exponent))
  return parsePublicKeyDer(derSequence(derSequence(derOid('1.2.840.113549.1.1.1'), DER_NULL), derBitString(key)))
}

const PRIMES = Array.from({ length: 750 }, (_, i) => i + 2).filter(
  (n) => ![2, 3, 5, 7, 11, 13, 17, 19, 23].some((p) => n > p && n % p === 0),
)
const hasSmallFactor = (n: bigint): boolean => PRIMES.some((prime) => n % BigInt(prime) === 0n)

/** A product of two numbers without small factors, `gap` apart or a little more, of 2048 bits. */
function closeProduct(gap: bigint): bigint {
  const clean = (from: bigint): bigint => {
    let n = from | 1n
    while (hasSmallFactor(n)) n += 2n
    return n
  }
  const p = clean(2n ** 1024n - 2n ** 1020n)
  return p * clean(p + gap)
}

const strong = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey
const strongModulus = BigInt(`0x${Buffer.from(strong.export({ format: 'jwk' }).n!, 'base64url').toString('hex')}`)

describe('checkKeyStrength', () => {
  it('takes what a sound generator makes', () => {
    for (const curve of ['P-256', 'P-384', 'P-521'] as const)
      expect(() => checkKeyStrength(generateSigner({ kind: 'ecdsa', curve }).publicKey)).not.toThrow()
    expect(() => checkKeyStrength(generateSigner({ kind: 'ed25519' }).publicKey)).not.toThrow()
    expect(() => checkKeyStrength(rsaKey(strongModulus))).not.toThrow()
  })

  it.each([512, 1024, 2047, 2049, 2056, 8192])('refuses RSA of %i bits', (bits) => {
    let modulus = 2n ** BigInt(bits - 1) + 1n
    while (hasSmallFactor(modulus)) modulus += 2n
    expect(bitLength(modulus)).toBe(bits)
    expect(() => checkKeyStrength(rsaKey(modulus))).toThrowCode('CRYPTO_KEY_WEAK')
  })

  it.each([1n, 3n, 17n, 65536n, 65539n])('refuses RSA exponent %i', (exponent) => {
    expect(() => checkKeyStrength(rsaKey(strongModulus, exponent))).toThrowCode('CRYPTO_KEY_WEAK')
  })

  it.each([2n, 3n, 5n, 751n])('refuses an RSA modulus with the factor %i', (prime) => {
    let rest = 2n ** 2047n / prime + 12345n
    while (
      (prime !== 2n && rest % 2n === 0n) ||
      PRIMES.some((p) => BigInt(p) !== prime && (rest * prime) % BigInt(p) === 0n)
    )
      rest++
    expect(bitLength(rest * prime)).toBe(2048)
    expect(() => checkKeyStrength(rsaKey(rest * prime))).toThrowCode('CRYPTO_KEY_WEAK')
  })

  it('refuses factors that are close, and takes factors that are not', () => {
    expect(() => checkKeyStrength(rsaKey(closeProduct(2n)))).toThrowCode('CRYPTO_KEY_WEAK')
    expect(() => checkKeyStrength(rsaKey(closeProduct(2n ** 512n)))).toThrowCode('CRYPTO_KEY_WEAK')
    // Within the hundred rounds though not in the first: (p - q)² / 8√n is about 60 of them.
    expect(() => checkKeyStrength(rsaKey(closeProduct(22n * 2n ** 512n)))).toThrowCode('CRYPTO_KEY_WEAK')
    expect(() => checkKeyStrength(rsaKey(closeProduct(2n ** 600n)))).not.toThrow()
  })

  it('refuses the square of a number', () => {
    let root = 2n ** 1024n - 1n
    while (hasSmallFactor(root)) root -= 2n
    expect(() => checkKeyStrength(rsaKey(root * root))).toThrowCode('CRYPTO_KEY_WEAK')
  })

  it('refuses a modulus with the fingerprint of ROCA', () => {
    const primes = [11n, 13n, 17n, 19n, 37n, 53n, 61n, 71n, 73n, 79n, 97n, 103n, 107n, 109n, 127n, 151n, 157n]
    const product = primes.reduce((a, b) => a * b)
    let modulus = 65537n ** 5n % product
    modulus += product * (2n ** 2047n / product + 1n)
    while (hasSmallFactor(modulus)) modulus += product
    expect(() => checkKeyStrength(rsaKey(modulus))).toThrowCode('CRYPTO_KEY_WEAK')
  })

  it('refuses an Ed25519 key of small order', () => {
    const spki = Uint8Array.of(...hexDecode('302a300506032b6570032100'), 1, ...new Uint8Array(31))
    expect(() => checkKeyStrength(parsePublicKeyDer(spki))).toThrowCode('CRYPTO_KEY_WEAK')
  })

  it('refuses an RSA key of which nothing is known', () => {
    const { type, spki, keyBits } = rsaKey(strongModulus)
    expect(() => checkKeyStrength({ type, spki, keyBits })).toThrowCode('CRYPTO_KEY_WEAK')
  })
})
