import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, it, jest } from '@jest/globals'
import { isCodedError } from '@touchmark/errors'
import fc from 'fast-check'
import { nobleCrypto } from '../noble/index.js'
import type { KeyType } from '../types.js'
import { generateSigner, MemorySigner, privateKeyToPkcs8, randomBytes, signerFromPkcs8 } from './index.js'

// Keys are generated here, which takes as long as it takes.
jest.setTimeout(60_000)

const TYPES: readonly KeyType[] = [
  { kind: 'ecdsa', curve: 'P-256' },
  { kind: 'ecdsa', curve: 'P-384' },
  { kind: 'ecdsa', curve: 'P-521' },
  { kind: 'rsa', modulusBits: 2048 },
  { kind: 'ed25519' },
]
const MESSAGE = Uint8Array.of(1, 2, 3)

describe.each(TYPES)('a signer for %j', (type) => {
  it('signs what the other adapter verifies, also after a round trip through PKCS#8', async () => {
    const signer = generateSigner(type)
    expect(signer.publicKey.type).toEqual(type)
    const again = signerFromPkcs8(privateKeyToPkcs8(signer))
    expect(again.publicKey).toEqual(signer.publicKey)
    expect(again.scheme).toEqual(signer.scheme)
    for (const { publicKey, scheme, ...rest } of [signer, again]) {
      expect(rest).toEqual({})
      const signature = await (publicKey === signer.publicKey ? signer : again).sign(MESSAGE)
      expect(Object.getPrototypeOf(signature)).toBe(Uint8Array.prototype)
      expect(nobleCrypto.verify(publicKey, scheme, MESSAGE, signature)).toBe(true)
    }
  })

  it('signs as well when it does not look at the result again', async () => {
    const signer = generateSigner(type)
    const signature = await signer.signUnchecked(MESSAGE)
    expect(nobleCrypto.verify(signer.publicKey, signer.scheme, MESSAGE, signature)).toBe(true)
  })

  it('shows nothing of the private key', () => {
    const signer = generateSigner(type)
    const shown =
      inspect(signer, { depth: 9, showHidden: true }) +
      JSON.stringify(signer, (_k, v: unknown) => (typeof v === 'bigint' ? String(v) : v))
    const { d } = createPrivateKey({ key: Buffer.from(signer.pkcs8()), format: 'der', type: 'pkcs8' }).export({
      format: 'jwk',
    })
    expect(shown).not.toContain(d!.slice(0, 16))
    expect(shown).not.toContain('privateKey')
    expect(Object.keys(signer).sort()).toEqual(['publicKey', 'scheme'])
  })
})

describe('MemorySigner', () => {
  it('refuses a scheme of another kind of key', () => {
    expect(() => generateSigner({ kind: 'ed25519' }, { kind: 'ecdsa', hash: 'SHA2_256' })).toThrowCode(
      'CRYPTO_PRIVATE_KEY_INVALID',
    )
    expect(() => generateSigner({ kind: 'ecdsa', curve: 'P-256' }, { kind: 'ed25519ph' })).toThrowCode(
      'CRYPTO_PRIVATE_KEY_INVALID',
    )
  })

  it('refuses kinds of keys that are not supported', () => {
    for (const { privateKey } of [
      generateKeyPairSync('x25519'),
      generateKeyPairSync('ed448'),
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
      generateKeyPairSync('ec', { namedCurve: 'secp224r1' }),
    ]) {
      const der = privateKey.export({ type: 'pkcs8', format: 'der' })
      expect(() => signerFromPkcs8(der)).toThrowCode('CRYPTO_PRIVATE_KEY_INVALID')
    }
  })

  it('signs with another hash when told so', async () => {
    const signer = generateSigner({ kind: 'ecdsa', curve: 'P-384' }, { kind: 'ecdsa', hash: 'SHA2_256' })
    expect(nobleCrypto.verify(signer.publicKey, signer.scheme, MESSAGE, await signer.sign(MESSAGE))).toBe(true)
  })

  it('rejects with a coded error when the key cannot sign', async () => {
    // 512 bits have no room for a SHA-512 DigestInfo.
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 512 })
    const signer = new MemorySigner(privateKey, { kind: 'rsa-pkcs1', hash: 'SHA2_512' })
    await expect(signer.sign(MESSAGE)).rejects.toThrowCode('CRYPTO_SIGN_FAILED')
  })

  it('keeps back a signature that does not verify', async () => {
    const [one, other] = [generateSigner({ kind: 'ed25519' }), generateSigner({ kind: 'ed25519' })]
    // As if the key in memory had changed after the public half was derived.
    Object.assign(one, { publicKey: other.publicKey })
    await expect(one.sign(MESSAGE)).rejects.toThrowCode('CRYPTO_SIGN_FAILED')
  })
})

describe('signerFromPkcs8', () => {
  it('gives any bytes a coded error or a signer', () => {
    const good = privateKeyToPkcs8(generateSigner({ kind: 'ecdsa', curve: 'P-256' }))
    const changed = fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, value]) => {
      const bytes = Uint8Array.from(good)
      bytes[at] = value
      return bytes
    })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 150 }), changed), (bytes) => {
        try {
          expect(signerFromPkcs8(bytes)).toBeInstanceOf(MemorySigner)
        } catch (error) {
          if (!isCodedError(error)) throw error
          expect(error.code).toBe('CRYPTO_PRIVATE_KEY_INVALID')
        }
      }),
      { numRuns: 300 },
    )
  })

  it('refuses SEC1 and PKCS#1', () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export({
      type: 'sec1',
      format: 'der',
    })
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'der' })
    expect(() => signerFromPkcs8(ec)).toThrowCode('CRYPTO_PRIVATE_KEY_INVALID')
    expect(() => signerFromPkcs8(rsa)).toThrowCode('CRYPTO_PRIVATE_KEY_INVALID')
  })
})

describe('privateKeyToPkcs8', () => {
  it('gives what node reads as the same key', () => {
    const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
    const key = createPublicKey(
      createPrivateKey({ key: Buffer.from(privateKeyToPkcs8(signer)), format: 'der', type: 'pkcs8' }),
    )
    expect(new Uint8Array(key.export({ type: 'spki', format: 'der' }))).toEqual(signer.publicKey.spki)
  })

  it('refuses a signer whose key is elsewhere', () => {
    const { publicKey, scheme } = generateSigner({ kind: 'ed25519' })
    const remote = { publicKey, scheme, sign: () => Promise.resolve(new Uint8Array(64)) }
    expect(() => privateKeyToPkcs8(remote)).toThrowCode('CRYPTO_PRIVATE_KEY_INVALID')
  })
})

describe('randomBytes', () => {
  it('gives as many bytes as asked, others each time', () => {
    expect(randomBytes(32)).toHaveLength(32)
    expect(randomBytes(32)).not.toEqual(randomBytes(32))
    expect(Object.getPrototypeOf(randomBytes(1))).toBe(Uint8Array.prototype)
  })
})
