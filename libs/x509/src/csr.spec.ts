import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  base64Decode,
  derBitString,
  derElement,
  derInteger,
  derOid,
  derSequence,
  equalBytes,
  hexDecode,
  pemEncode,
  utf8Decode,
} from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import type { KeyType } from '@touchmark/crypto'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { algorithmIdentifier } from './algorithms.js'
import { parseCsr } from './csr.js'
import { P256 } from './testing/certificates.js'
import { recordedCase } from './testing/fulcio-vectors.js'

interface Parts {
  info: Uint8Array[]
  algorithm: Uint8Array
}

const signer = generateSigner(P256)
const NO_ATTRIBUTES = derElement(0xa0)

async function csr(change: (parts: Parts) => void = () => undefined, key = signer): Promise<Uint8Array> {
  const parts = {
    info: [derInteger(0), derSequence(), key.publicKey.spki, NO_ATTRIBUTES],
    algorithm: algorithmIdentifier(key.scheme),
  }
  change(parts)
  const info = derSequence(...parts.info)
  return derSequence(info, parts.algorithm, derBitString(await key.sign(info)))
}

function recordedCsr(name: string): string {
  const body = JSON.parse(recordedCase(name).request.body) as { certificateSigningRequest: string }
  return utf8Decode(base64Decode(body.certificateSigningRequest))
}

describe('recorded requests', () => {
  it('one by sigstore-python verifies', () => {
    const parsed = parseCsr(recordedCsr('v2-email-csr'))
    expect(() => parsed.verify(nodeCrypto)).not.toThrow()
    expect(parsed.publicKey.type).toEqual({ kind: 'ecdsa', curve: 'P-256' })
  })
  it('one with a wrong signature does not', () => {
    expect(() => parseCsr(recordedCsr('error-csr-bad-signature')).verify(nodeCrypto)).toThrowCode('X509_CSR_SIGNATURE')
  })
  it('RSA-PSS is named as the reference names it', () => {
    const parsed = parseCsr(recordedCsr('error-csr-rsa-pss'))
    expect(() => parsed.verify(nodeCrypto)).toThrow('unrecognized signature algorithm: SHA256-RSAPSS')
    expect(() => parsed.verify(nodeCrypto)).toThrowCode('X509_ALGORITHM_UNSUPPORTED')
  })
  it('P-384 with SHA-256 is a good signature: whether the pair is allowed is policy', () => {
    const parsed = parseCsr(recordedCsr('error-csr-p384-sha256'))
    expect(() => parsed.verify(nodeCrypto)).not.toThrow()
    expect(parsed.signatureAlgorithm.scheme).toEqual({ kind: 'ecdsa', hash: 'SHA2_256' })
  })
  it('one that is none is refused', () => {
    expect(() => parseCsr(recordedCsr('error-bad-csr'))).toThrowCode('X509_CSR_INVALID')
  })
})

describe('every kind of key', () => {
  const kinds: KeyType[] = [
    P256,
    { kind: 'ecdsa', curve: 'P-384' },
    { kind: 'ecdsa', curve: 'P-521' },
    { kind: 'rsa', modulusBits: 2048 },
    { kind: 'ed25519' },
  ]
  it.each(kinds)('%j', async (type) => {
    const key = generateSigner(type, type.kind === 'ed25519' ? { kind: 'ed25519' } : undefined)
    const parsed = parseCsr(await csr(undefined, key))
    expect(() => parsed.verify(nodeCrypto)).not.toThrow()
    expect(equalBytes(parsed.publicKey.spki, key.publicKey.spki)).toBe(true)
  })
})

describe('refusals', () => {
  const refused = async (change: (parts: Parts) => void): Promise<void> => {
    const der = await csr(change)
    expect(() => parseCsr(der)).toThrowCode('X509_CSR_INVALID')
  }
  it('another version', () => refused(({ info }) => (info[0] = derInteger(1))))
  it('no attributes element', () => refused(({ info }) => info.pop()))
  it('a malformed attribute', () => refused(({ info }) => (info[3] = derElement(0xa0, derSequence(derOid('1.2.3'))))))
  it('a malformed subject', () => refused(({ info }) => (info[1] = hexDecode('30023000'))))
  it('something after the attributes', () => refused(({ info }) => info.push(hexDecode('0500'))))
  it('a byte after the request', async () => {
    const der = await csr()
    expect(() => parseCsr(Uint8Array.of(...der, 0))).toThrowCode('X509_CSR_INVALID')
  })
  it('a signature over other bytes', async () => {
    const der = await csr()
    const other = await csr(
      ({ info }) => (info[1] = derSequence(derElement(0x31, derSequence(derOid('2.5.4.3'), hexDecode('0c0161'))))),
    )
    // The info of one with the signature of the other.
    const swapped = derSequence(...[other, der].map((from, i) => (i === 0 ? firstPart(from) : rest(from))))
    expect(() => parseCsr(swapped).verify(nodeCrypto)).toThrowCode('X509_CSR_SIGNATURE')
  })
  it('an algorithm of another kind of key, an unknown one', async () => {
    const rsa = await csr((parts) => (parts.algorithm = hexDecode('300d06092a864886f70d01010b0500')))
    expect(() => parseCsr(rsa).verify(nodeCrypto)).toThrowCode('X509_CSR_SIGNATURE')
    const unknown = await csr((parts) => (parts.algorithm = derSequence(derOid('1.2.3.4'))))
    expect(() => parseCsr(unknown).verify(nodeCrypto)).toThrowCode('X509_CSR_SIGNATURE')
  })
  it.each([
    ['ECDSA-SHA1', '300906072a8648ce3d0401'],
    ['SHA1-RSA', '300d06092a864886f70d0101050500'],
  ])('%s, by name', async (name, hex) => {
    const der = await csr((parts) => (parts.algorithm = hexDecode(hex)))
    expect(() => parseCsr(der).verify(nodeCrypto)).toThrow(`unrecognized signature algorithm: ${name}`)
  })
  it('something after the signature, and in an attribute', async () => {
    const info = derSequence(derInteger(0), derSequence(), signer.publicKey.spki, NO_ATTRIBUTES)
    const parts = [info, algorithmIdentifier(signer.scheme), derBitString(await signer.sign(info))]
    expect(() => parseCsr(derSequence(...parts, hexDecode('0500')))).toThrowCode('X509_CSR_INVALID')
    const attribute = (...more: Uint8Array[]) =>
      derElement(0xa0, derSequence(derOid('1.2.3'), derElement(0x31), ...more))
    await refused(({ info: fields }) => (fields[3] = attribute(hexDecode('0500'))))
    expect(parseCsr(await csr(({ info: fields }) => (fields[3] = attribute()))).der).toBeDefined()
  })
  it('more than 64 KiB, although it is in order', async () => {
    const big = await csr(({ info }) => (info[1] = longName(66_000)))
    expect(() => parseCsr(big)).toThrowCode('X509_CSR_INVALID')
    const text = pemEncode('CERTIFICATE REQUEST', await csr())
    expect(parseCsr(' '.repeat(1_000) + '\n' + text).der).toBeDefined()
    expect(() => parseCsr(' '.repeat(131_073) + '\n' + text)).toThrowCode('X509_CSR_INVALID')
  })
})

function longName(length: number): Uint8Array {
  const value = derElement(0x0c, new Uint8Array(length).fill(0x61))
  return derSequence(derElement(0x31, derSequence(derOid('2.5.4.3'), value)))
}

function firstPart(der: Uint8Array): Uint8Array {
  const inner = der.subarray(der[1]! < 0x80 ? 2 : 3)
  const length = inner[1]! < 0x80 ? 2 + inner[1]! : 3 + inner[2]!
  return inner.subarray(0, length)
}
function rest(der: Uint8Array): Uint8Array {
  const inner = der.subarray(der[1]! < 0x80 ? 2 : 3)
  return inner.subarray(firstPart(der).length)
}

describe('PEM', () => {
  it.each(['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'])('type %s', async (label) => {
    const der = await csr()
    expect(equalBytes(parseCsr(pemEncode(label, der)).der, der)).toBe(true)
  })
  it('of another type, no PEM, and another block first', async () => {
    const der = await csr()
    for (const text of [
      pemEncode('CERTIFICATE', der),
      'MIIB',
      '',
      pemEncode('CERTIFICATE', der) + pemEncode('CERTIFICATE REQUEST', der),
    ])
      expect(() => parseCsr(text)).toThrowCode('X509_CSR_INVALID')
  })
})

it('any bytes: a coded error, or a request that is these bytes', async () => {
  const good = await csr()
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 120 }),
    fc.record({ at: fc.nat(good.length - 1), to: fc.nat(255) }).map(({ at, to }) => {
      const changed = Uint8Array.from(good)
      changed[at] = to
      return changed
    }),
    fc.nat(good.length - 1).map((length) => good.subarray(0, length)),
  )
  fc.assert(
    fc.property(bytes, (input) => {
      try {
        const parsed = parseCsr(input)
        expect(equalBytes(parsed.der, input)).toBe(true)
        parsed.verify(nodeCrypto)
        expect(equalBytes(input, good)).toBe(true)
      } catch (error) {
        if (!isCodedError(error)) throw error
      }
    }),
    { numRuns: 600 },
  )
})
