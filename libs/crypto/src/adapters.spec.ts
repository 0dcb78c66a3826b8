import { createECDH, generateKeyPairSync, sign as nodeSign, constants } from 'node:crypto'
import { p256, p384, p521 } from '@noble/curves/nist.js'
import { describe, expect, it, jest } from '@jest/globals'
import { derBitString, derInteger, DER_NULL, derOid, derSequence } from '@touchmark/encoding'
import fc from 'fast-check'
import { bigIntToBytes, bytesToBigInt, mod, modInverse, modPow } from './big-integers.js'
import { CURVES } from './curves.js'
import { encodeEcdsaSignature } from './ecdsa-signature.js'
import { schemeOf } from './key-details.js'
import { nobleCrypto } from './noble/index.js'
import { generateSigner, nodeCrypto, sha1 } from './node/index.js'
import { pkcs1EncodedMessage } from './pkcs1.js'
import { parsePublicKeyDer } from './public-key.js'
import type { CryptoPort, Curve, HashAlgorithm, KeyType, PublicKey, SignatureScheme } from './types.js'

// Keys are generated here, which takes as long as it takes.
jest.setTimeout(60_000)

const PORTS: readonly (readonly [string, CryptoPort])[] = [
  ['node', nodeCrypto],
  ['noble', nobleCrypto],
]
const NOBLE = { 'P-256': p256, 'P-384': p384, 'P-521': p521 } as const
const HASHES: readonly HashAlgorithm[] = ['SHA2_256', 'SHA2_384', 'SHA2_512']
const TYPES: readonly KeyType[] = [
  { kind: 'ecdsa', curve: 'P-256' },
  { kind: 'ecdsa', curve: 'P-384' },
  { kind: 'ecdsa', curve: 'P-521' },
  { kind: 'rsa', modulusBits: 2048 },
  { kind: 'ed25519' },
]
const MESSAGE = Uint8Array.from({ length: 300 }, (_, i) => i & 255)

/** The public key d·G and a signature with nonce k over the number e, made by hand. */
function signNumber(
  curve: Curve,
  d: bigint,
  e: bigint,
  k: bigint,
): { key: PublicKey; signature: Uint8Array; r: bigint } {
  const { n, bytes, oid } = CURVES[curve]
  const base = NOBLE[curve].Point.BASE
  const r = base.multiply(k).toAffine().x % n
  const s = mod(modInverse(k, n) * (e + r * d), n)
  const spki = derSequence(
    derSequence(derOid('1.2.840.10045.2.1'), derOid(oid)),
    derBitString(base.multiply(d).toBytes(false)),
  )
  const halves = Uint8Array.of(...bigIntToBytes(r, bytes), ...bigIntToBytes(s, bytes))
  return { key: parsePublicKeyDer(spki), signature: encodeEcdsaSignature(halves), r }
}

describe('hash', () => {
  it('is the same by both, in parts or whole, and no Buffer', () => {
    for (const algorithm of HASHES) {
      const whole = nodeCrypto.hash(algorithm, MESSAGE)
      expect(Object.getPrototypeOf(whole)).toBe(Uint8Array.prototype)
      expect(nobleCrypto.hash(algorithm, MESSAGE)).toEqual(whole)
      for (const [, port] of PORTS) {
        expect(port.hash(algorithm, MESSAGE.subarray(0, 7), MESSAGE.subarray(7))).toEqual(whole)
        expect(port.hash(algorithm)).toEqual(port.hash(algorithm, new Uint8Array(0)))
      }
    }
  })

  it('has SHA-1 apart, for key identifiers', () => {
    expect(Buffer.from(sha1(Uint8Array.of(0x61, 0x62, 0x63))).toString('hex')).toBe(
      'a9993e364706816aba3e25717850c26c9cd0d89d',
    )
  })
})

describe.each(PORTS)('%s', (_name, port) => {
  it.each(TYPES)('takes the right signature and no changed one: %j', async (type) => {
    const signer = generateSigner(type)
    const { publicKey, scheme } = signer
    const signature = await signer.sign(MESSAGE)
    const ask = (message: Uint8Array, bytes: Uint8Array): boolean[] => {
      const answers = [port.verify(publicKey, scheme, message, bytes)]
      if (scheme.kind === 'ed25519') return answers
      const algorithm = 'hash' in scheme ? scheme.hash : 'SHA2_512'
      return [...answers, port.verifyDigest(publicKey, scheme, port.hash(algorithm, message), bytes)]
    }
    expect(new Set(ask(MESSAGE, signature))).toEqual(new Set([true]))
    expect(new Set(ask(MESSAGE.subarray(1), signature))).toEqual(new Set([false]))
    for (let at = 0; at < signature.length; at += 11) {
      const changed = Uint8Array.from(signature)
      changed[at]! ^= 1 << (at & 7)
      expect(new Set(ask(MESSAGE, changed))).toEqual(new Set([false]))
    }
    for (const bytes of [
      new Uint8Array(0),
      signature.subarray(1),
      signature.subarray(0, -1),
      Uint8Array.of(...signature, 0),
    ])
      expect(new Set(ask(MESSAGE, bytes))).toEqual(new Set([false]))
    const other = generateSigner(type).publicKey
    expect(port.verify(other, scheme, MESSAGE, signature)).toBe(false)
  })

  it('answers false when key and scheme do not belong together', async () => {
    const schemes: readonly SignatureScheme[] = [
      { kind: 'ecdsa', hash: 'SHA2_256' },
      { kind: 'rsa-pkcs1', hash: 'SHA2_256' },
      { kind: 'ed25519' },
      { kind: 'ed25519ph' },
    ]
    for (const type of TYPES) {
      const signer = generateSigner(type)
      const signature = await signer.sign(MESSAGE)
      for (const scheme of schemes) {
        if (scheme.kind.startsWith(type.kind)) continue
        expect(port.verify(signer.publicKey, scheme, MESSAGE, signature)).toBe(false)
        expect(port.verifyDigest(signer.publicKey, scheme, port.hash('SHA2_256', MESSAGE), signature)).toBe(false)
      }
    }
  })

  it('answers false to a digest of another length', async () => {
    const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
    const digest = port.hash('SHA2_256', MESSAGE)
    const signature = await signer.sign(MESSAGE)
    expect(port.verifyDigest(signer.publicKey, signer.scheme, digest, signature)).toBe(true)
    for (const wrong of [
      digest.subarray(1),
      Uint8Array.of(...digest, 0),
      new Uint8Array(0),
      port.hash('SHA2_384', MESSAGE),
    ])
      expect(port.verifyDigest(signer.publicKey, signer.scheme, wrong, signature)).toBe(false)
  })

  it.each(['P-256', 'P-384', 'P-521'] as const)('cuts or keeps the digests of all hashes on %s', (curve) => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: curve })
    const key = parsePublicKeyDer(publicKey.export({ type: 'spki', format: 'der' }))
    for (const hash of HASHES) {
      const signature = nodeSign(hash.replace('SHA2_', 'sha'), MESSAGE, privateKey)
      const digest = port.hash(hash, MESSAGE)
      expect(port.verifyDigest(key, { kind: 'ecdsa', hash }, digest, signature)).toBe(true)
      expect(port.verify(key, { kind: 'ecdsa', hash }, MESSAGE, signature)).toBe(true)
      digest[0]! ^= 1
      expect(port.verifyDigest(key, { kind: 'ecdsa', hash }, digest, signature)).toBe(false)
    }
  })

  it('takes RSA with every hash, and exponent 3', () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 })
    const key = parsePublicKeyDer(publicKey.export({ type: 'spki', format: 'der' }))
    for (const hash of HASHES) {
      const signature = nodeSign(hash.replace('SHA2_', 'sha'), MESSAGE, privateKey)
      expect(port.verify(key, { kind: 'rsa-pkcs1', hash }, MESSAGE, signature)).toBe(true)
      expect(port.verifyDigest(key, { kind: 'rsa-pkcs1', hash }, port.hash(hash, MESSAGE), signature)).toBe(true)
    }
    const padding = constants.RSA_PKCS1_PSS_PADDING
    const pss = nodeSign('sha256', MESSAGE, { key: privateKey, padding })
    expect(port.verify(key, { kind: 'rsa-pkcs1', hash: 'SHA2_256' }, MESSAGE, pss)).toBe(false)
  })

  it('takes nothing under an RSA key of exponent 1 or an even one, nor a modulus too small for the block', () => {
    const rsa = (modulus: bigint, exponent: bigint): PublicKey =>
      parsePublicKeyDer(
        derSequence(
          derSequence(derOid('1.2.840.113549.1.1.1'), DER_NULL),
          derBitString(derSequence(derInteger(modulus), derInteger(exponent))),
        ),
      )
    const scheme: SignatureScheme = { kind: 'rsa-pkcs1', hash: 'SHA2_256' }
    const digest = port.hash('SHA2_256', MESSAGE)
    const block = pkcs1EncodedMessage('SHA2_256', digest, 256)!
    // Under exponent 1 the block is its own signature.
    expect(port.verifyDigest(rsa(2n ** 2048n - 1n, 1n), scheme, digest, block)).toBe(false)
    // Under an even exponent, modulo a prime that is 3 modulo 4, anyone takes the roots of every other block.
    const prime = 2n ** 2048n - 1942289n
    const root = (value: bigint): bigint | undefined => {
      const found = modPow(value, (prime + 1n) / 4n, prime)
      return (found * found) % prime === value ? found : undefined
    }
    for (let i = 0, forged = 0; forged < 2; i++) {
      const other = port.hash('SHA2_256', Uint8Array.of(i))
      const second = root(bytesToBigInt(pkcs1EncodedMessage('SHA2_256', other, 256)!))
      if (second === undefined) continue
      const fourth = root(second) ?? root(prime - second)!
      expect(port.verifyDigest(rsa(prime, 2n), scheme, other, bigIntToBytes(second, 256))).toBe(false)
      expect(port.verifyDigest(rsa(prime, 4n), scheme, other, bigIntToBytes(fourth, 256))).toBe(false)
      forged++
    }
    expect(port.verifyDigest(rsa(2n ** 256n - 1n, 3n), scheme, digest, new Uint8Array(32))).toBe(false)
  })

  it('refuses an RSA signature that is the right one plus the modulus', async () => {
    const signer = generateSigner({ kind: 'rsa', modulusBits: 2048 })
    const modulus = bytesToBigInt(signer.publicKey.rsa!.modulus)
    for (let i = 0; i < 40; i++) {
      const message = Uint8Array.of(i)
      const sum = bytesToBigInt(await signer.sign(message)) + modulus
      if (sum >= 2n ** 2048n) continue
      expect(port.verify(signer.publicKey, signer.scheme, message, bigIntToBytes(sum, 256))).toBe(false)
    }
  })

  describe.each(['P-256', 'P-384', 'P-521'] as const)('ECDSA over a digest on %s', (curve) => {
    const { n, bytes } = CURVES[curve]
    const scheme: SignatureScheme = {
      kind: 'ecdsa',
      hash: ({ 32: 'SHA2_256', 48: 'SHA2_384', 66: 'SHA2_512' } as const)[bytes as 32],
    }
    const length = Math.min(bytes, 64)
    const limit = 2n ** BigInt(8 * length)
    const check = (key: PublicKey, e: bigint, signature: Uint8Array): boolean =>
      port.verifyDigest(key, scheme, bigIntToBytes(e, length), signature)
    /** r for each nonce k from 2 on. */
    function* commitments(): Generator<{ r: bigint; k: bigint }> {
      const { BASE } = NOBLE[curve].Point
      for (let k = 2n, point = BASE.double(); ; k++, point = point.add(BASE)) yield { r: point.toAffine().x % n, k }
    }
    /** e such that e/r equals the wanted factor, and small enough to be a digest. */
    const digestFor = (factor: bigint): { e: bigint; k: bigint } => {
      for (const { r, k } of commitments()) {
        const e = mod(factor * r, n)
        if (e < limit) return { e, k }
      }
      throw new Error('unreachable')
    }

    it('takes the digest 0, and one equal to the order', () => {
      const { key, signature } = signNumber(curve, 5n, 0n, 77n)
      expect(check(key, 0n, signature)).toBe(true)
      expect(check(key, 1n, signature)).toBe(false)
      if (n < limit) expect(check(key, n, signature)).toBe(true)
    })

    // P-521: e/r = d needs a digest of 512 bits from an order of 521, one nonce in 512: sought with a fixed small d.
    it('takes a digest with e/r·G = Q, where the sum is a tangent', () => {
      const d = 12345n
      const { e, k } = digestFor(d)
      const { key, signature } = signNumber(curve, d, e, k)
      expect(check(key, e, signature)).toBe(true)
      expect(check(key, e ^ 1n, signature)).toBe(false)
    }, 60_000)

    it('refuses whatever s when e/r·G = -Q, where the sum is infinity', () => {
      const d = 12345n
      const { e, k } = digestFor(n - d)
      const { key, r } = signNumber(curve, d, e, k)
      for (const s of [1n, 2n, r, n - 1n]) {
        const halves = Uint8Array.of(...bigIntToBytes(r, bytes), ...bigIntToBytes(s, bytes))
        expect(check(key, e, encodeEcdsaSignature(halves))).toBe(false)
      }
    }, 60_000)

    it('takes the digest that is the hash of each message the adapter itself uses', () => {
      for (const message of [new Uint8Array(0), Uint8Array.of(0)]) {
        const e = bytesToBigInt(port.hash(scheme.hash, message))
        const { key, signature } = signNumber(curve, 9n, e, 1234n)
        expect(check(key, e, signature)).toBe(true)
        expect(check(key, e ^ 4n, signature)).toBe(false)
      }
    })

    it('takes a digest for which the shifted key is the doubled key or infinity', () => {
      // (e - e')/r = ±d with e' the hash of the empty message.
      const known = bytesToBigInt(port.hash(scheme.hash, new Uint8Array(0)))
      for (const d of [54321n, n - 54321n]) {
        for (const { r, k } of commitments()) {
          const e = mod(54321n * r + known, n)
          if (e >= limit) continue
          const { key, signature } = signNumber(curve, d, e, k)
          expect(check(key, e, signature)).toBe(true)
          expect(check(key, e ^ 1n, signature)).toBe(false)
          break
        }
      }
    }, 60_000)

    it('does not take the signature for the digest n - e, nor under the mirrored key', () => {
      const e = 2n ** 200n + 12345n
      const { key, signature } = signNumber(curve, 31337n, e, 4242n)
      expect(check(key, e, signature)).toBe(true)
      if (n - e < limit) expect(check(key, n - e, signature)).toBe(false)
      expect(check(signNumber(curve, n - 31337n, e, 4242n).key, e, signature)).toBe(false)
    })

    it('takes high s as well as low s', () => {
      const e = 99n
      const { key, r } = signNumber(curve, 3n, e, 5n)
      const low = mod(modInverse(5n, n) * (e + r * 3n), n)
      for (const value of [low, n - low]) {
        const halves = Uint8Array.of(...bigIntToBytes(r, bytes), ...bigIntToBytes(value, bytes))
        expect(check(key, e, encodeEcdsaSignature(halves))).toBe(true)
      }
    })
  })
})

describe('both adapters', () => {
  it('agree on ECDSA over any digest with near and far numbers', () => {
    const ecdh = createECDH('prime256v1')
    ecdh.generateKeys()
    const { n } = CURVES['P-256']
    const scheme: SignatureScheme = { kind: 'ecdsa', hash: 'SHA2_256' }
    const d = bytesToBigInt(ecdh.getPrivateKey())
    const number = fc.oneof(
      fc.bigInt({ min: 1n, max: n - 1n }),
      fc.bigInt({ min: 1n, max: 5n }),
      fc.bigInt({ min: n - 5n, max: n - 1n }),
    )
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), number, fc.boolean(), (digest, k, right) => {
        const { key, signature } = signNumber('P-256', d, bytesToBigInt(digest), k)
        if (!right) digest[31]! ^= 1
        expect(nodeCrypto.verifyDigest(key, scheme, digest, signature)).toBe(right)
        expect(nobleCrypto.verifyDigest(key, scheme, digest, signature)).toBe(right)
      }),
      { numRuns: 100 },
    )
  }, 60_000)

  it('agree on which scheme a key signs with', () => {
    for (const type of TYPES)
      expect(schemeOf(generateSigner(type).publicKey).kind).toBe(
        { ecdsa: 'ecdsa', rsa: 'rsa-pkcs1', ed25519: 'ed25519' }[type.kind],
      )
  })
})
