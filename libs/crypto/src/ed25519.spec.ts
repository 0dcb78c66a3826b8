import { ED25519_TORSION_SUBGROUP, ed25519 } from '@noble/curves/ed25519.js'
import { describe, expect, it } from '@jest/globals'
import { hexDecode } from '@touchmark/encoding'
import { ED25519_ORDER, isUsableEd25519Key, littleEndian } from './ed25519.js'
import { nobleCrypto } from './noble/index.js'
import { generateSigner, nodeCrypto, signerFromPkcs8 } from './node/index.js'
import { parsePublicKeyDer } from './public-key.js'

const PORTS = [
  ['node', nodeCrypto],
  ['noble', nobleCrypto],
] as const

const spki = (raw: Uint8Array): Uint8Array => Uint8Array.of(...hexDecode('302a300506032b6570032100'), ...raw)

describe('isUsableEd25519Key', () => {
  it('refuses the eight points of small order, with either sign', () => {
    expect(ED25519_TORSION_SUBGROUP).toHaveLength(8)
    for (const hex of ED25519_TORSION_SUBGROUP) {
      const raw = hexDecode(hex)
      expect(isUsableEd25519Key(raw)).toBe(false)
      raw[31]! ^= 0x80
      expect(isUsableEd25519Key(raw)).toBe(false)
    }
  })

  it('refuses other lengths and coordinates that are not below the prime', () => {
    expect(isUsableEd25519Key(new Uint8Array(31).fill(9))).toBe(false)
    expect(isUsableEd25519Key(new Uint8Array(33).fill(9))).toBe(false)
    // p + 3: the encoding of y = 3 that is not the shortest.
    expect(isUsableEd25519Key(hexDecode(`f0${'ff'.repeat(30)}7f`))).toBe(false)
  })

  it('takes ordinary keys', () => {
    expect(isUsableEd25519Key(ed25519.Point.BASE.toBytes())).toBe(true)
  })
})

describe.each(PORTS)('Ed25519 with %s', (_name, port) => {
  it('takes no signature under a key of small order, which would fit any message', () => {
    // Key and commitment are the identity, S is 0: the equation holds whatever was signed.
    const identity = Uint8Array.of(1, ...new Uint8Array(31))
    const signature = Uint8Array.of(...identity, ...new Uint8Array(32))
    const key = parsePublicKeyDer(spki(identity))
    expect(port.verify(key, { kind: 'ed25519' }, Uint8Array.of(1), signature)).toBe(false)
    expect(port.verifyDigest(key, { kind: 'ed25519ph' }, new Uint8Array(64), signature)).toBe(false)
  })

  it('refuses S + L', async () => {
    for (const scheme of [{ kind: 'ed25519' }, { kind: 'ed25519ph' }] as const) {
      const signer = generateSigner({ kind: 'ed25519' }, scheme)
      const message = Uint8Array.of(1, 2, 3)
      const signature = await signer.sign(message)
      expect(port.verify(signer.publicKey, scheme, message, signature)).toBe(true)
      const s = littleEndian(signature.subarray(32)) + ED25519_ORDER
      const big = Uint8Array.from(signature)
      big.set(Uint8Array.from(Buffer.from(s.toString(16).padStart(64, '0'), 'hex')).reverse(), 32)
      expect(port.verify(signer.publicKey, scheme, message, big)).toBe(false)
    }
  })

  it('answers false for a key that is no point', () => {
    let raw = Uint8Array.from(ed25519.Point.BASE.toBytes())
    for (
      const isPoint = () => {
        try {
          ed25519.Point.fromBytes(raw)
          return true
        } catch {
          return false
        }
      };
      isPoint();
    )
      raw = Uint8Array.of(raw[0]! + 1, ...raw.subarray(1))
    const key = parsePublicKeyDer(spki(raw))
    const signature = new Uint8Array(64).fill(1)
    expect(port.verify(key, { kind: 'ed25519' }, Uint8Array.of(1), signature)).toBe(false)
    expect(port.verifyDigest(key, { kind: 'ed25519ph' }, new Uint8Array(64), signature)).toBe(false)
  })

  it('has no digest form of pure Ed25519', async () => {
    const signer = generateSigner({ kind: 'ed25519' })
    const digest = port.hash('SHA2_512', Uint8Array.of(1))
    expect(port.verifyDigest(signer.publicKey, { kind: 'ed25519' }, digest, await signer.sign(digest))).toBe(false)
  })

  it('takes pure for prehashed neither way', async () => {
    const message = Uint8Array.of(1)
    const pure = generateSigner({ kind: 'ed25519' })
    expect(port.verify(pure.publicKey, { kind: 'ed25519ph' }, message, await pure.sign(message))).toBe(false)
    const prehashed = generateSigner({ kind: 'ed25519' }, { kind: 'ed25519ph' })
    expect(port.verify(prehashed.publicKey, { kind: 'ed25519' }, message, await prehashed.sign(message))).toBe(false)
  })

  it('agrees with the vector of RFC 8032 §7.3', async () => {
    const seed = hexDecode('833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42')
    const signature = hexDecode(
      '98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41' +
        '31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406',
    )
    const pkcs8 = Uint8Array.of(...hexDecode('302e020100300506032b657004220420'), ...seed)
    const signer = signerFromPkcs8(pkcs8, { kind: 'ed25519ph' })
    const message = hexDecode('616263')
    expect(await signer.sign(message)).toEqual(signature)
    expect(port.verify(signer.publicKey, signer.scheme, message, signature)).toBe(true)
    expect(port.verifyDigest(signer.publicKey, signer.scheme, port.hash('SHA2_512', message), signature)).toBe(true)
    expect(port.verifyDigest(signer.publicKey, signer.scheme, port.hash('SHA2_256', message), signature)).toBe(false)
    expect(port.verify(signer.publicKey, signer.scheme, hexDecode('616264'), signature)).toBe(false)
  })
})
