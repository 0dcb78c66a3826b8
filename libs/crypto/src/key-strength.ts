import { bytesToBigInt } from './big-integers.js'
import { isUsableEd25519Key } from './ed25519.js'
import { CryptoError } from './errors.js'
import type { PublicKey } from './types.js'

const RSA_BITS: ReadonlySet<number> = new Set([2048, 3072, 4096])
const RSA_EXPONENT = 65537n
/** As many rounds as Fulcio's; factors that close come from a broken generator (CVE-2022-26320). */
const FERMAT_ROUNDS = 100

/** Primes whose residues tell the fingerprint of ROCA keys (CVE-2017-15361). */
const ROCA_PRIMES = [11n, 13n, 17n, 19n, 37n, 53n, 61n, 71n, 73n, 79n, 97n, 103n, 107n, 109n, 127n, 151n, 157n] as const

interface Tables {
  readonly smallPrimes: readonly bigint[]
  /** The residues that ROCA moduli have: the powers of 65537. */
  readonly roca: readonly { prime: bigint; residues: ReadonlySet<bigint> }[]
  /** Squares modulo 64 and 45045. */
  readonly squares64: ReadonlySet<bigint>
  readonly squares45045: ReadonlySet<bigint>
}

let made: Tables | undefined

/** Made at the first RSA key: most processes never see one, and making them takes milliseconds of a start. */
function tables(): Tables {
  made ??= {
    smallPrimes: primesBelow(752).map(BigInt),
    roca: ROCA_PRIMES.map((prime) => ({ prime, residues: powers(65537n, prime) })),
    squares64: squaresModulo(64),
    squares45045: squaresModulo(45045),
  }
  return made
}

/**
 * The CA's rules for a key it certifies (contract ca.md §3 "Key validity"): RSA of exactly 2048, 3072 or 4096 bits, exponent exactly 65537,
 * no factor below 752, no factors close together, not of the ROCA generator; Ed25519 not of small order. A PublicKey on P-256, P-384 or
 * P-521 is strong by having been parsed. Throws CRYPTO_KEY_WEAK.
 */
export function checkKeyStrength(key: PublicKey): void {
  if (key.type.kind === 'ed25519' && !isUsableEd25519Key(key.keyBits)) throw weak('the Ed25519 key has small order')
  if (key.type.kind !== 'rsa') return
  if (key.rsa === undefined) throw weak('the RSA key has no modulus')
  if (!RSA_BITS.has(key.type.modulusBits))
    throw weak(`RSA keys have 2048, 3072 or 4096 bits, not ${key.type.modulusBits}`)
  if (key.rsa.exponent !== RSA_EXPONENT) throw weak(`the RSA exponent is ${key.rsa.exponent}, not ${RSA_EXPONENT}`)
  checkRsaModulus(key.rsa.modulus)
}

/**
 * The part of those rules that holds for an RSA key of any size: no factor below 752, not of the ROCA generator, no factors close together.
 * Throws CRYPTO_KEY_WEAK.
 */
export function checkRsaModulus(bytes: Uint8Array): void {
  const modulus = bytesToBigInt(bytes)
  const { smallPrimes, roca } = tables()
  if (smallPrimes.some((prime) => modulus % prime === 0n)) throw weak('the RSA modulus has a small factor')
  if (roca.every(({ prime, residues }) => residues.has(modulus % prime)))
    throw weak('the RSA key comes from a generator that is broken (ROCA)')
  if (hasCloseFactors(modulus)) throw weak('the factors of the RSA modulus are close together')
}

/** Fermat's factorisation: finds p and q when they differ little, as p·q = a² - b² with a small b. */
function hasCloseFactors(modulus: bigint): boolean {
  const { squares64, squares45045 } = tables()
  let a = squareRoot(modulus)
  if (a * a < modulus) a++
  for (let round = 0; round < FERMAT_ROUNDS; round++, a++) {
    const square = a * a - modulus
    // Most numbers are no squares modulo 64 and 45045; the root is taken of the few left.
    if (!squares64.has(square % 64n) || !squares45045.has(square % 45045n)) continue
    const root = squareRoot(square)
    if (root * root === square) return true
  }
  return false
}

function squaresModulo(modulus: number): ReadonlySet<bigint> {
  const squares = new Set<bigint>()
  for (let i = 0; i < modulus; i++) squares.add(BigInt((i * i) % modulus))
  return squares
}

/** The integer square root (Newton). */
function squareRoot(value: bigint): bigint {
  if (value < 2n) return value
  let root = 1n << BigInt(2 * value.toString(16).length)
  for (;;) {
    const next = (root + value / root) >> 1n
    if (next >= root) return root
    root = next
  }
}

function powers(base: bigint, modulus: bigint): ReadonlySet<bigint> {
  const found = new Set<bigint>()
  for (let power = 1n; !found.has(power); power = (power * base) % modulus) found.add(power)
  return found
}

function primesBelow(limit: number): number[] {
  const primes: number[] = []
  for (let i = 2; i < limit; i++) if (primes.every((prime) => i % prime !== 0)) primes.push(i)
  return primes
}

function weak(why: string): CryptoError {
  return new CryptoError('CRYPTO_KEY_WEAK', `public key: ${why}`)
}
