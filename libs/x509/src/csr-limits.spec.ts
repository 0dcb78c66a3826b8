import { expect, it } from '@jest/globals'
import {
  derBitString,
  derElement,
  derInteger,
  derOid,
  derSequence,
  derUtf8String,
  pemEncode,
} from '@touchmark/encoding'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { algorithmIdentifier } from './algorithms.js'
import { parseCsr } from './csr.js'
import { P256 } from './testing/certificates.js'

const signer = generateSigner(P256)

interface Parts {
  version?: Uint8Array
  subject?: Uint8Array
  attributes?: Uint8Array
  algorithm?: Uint8Array
}

/** Its signature is nonsense of a fixed length. */
function csr(parts: Parts): Uint8Array {
  const {
    version = derInteger(0),
    subject = derSequence(),
    attributes = derElement(0xa0),
    algorithm = algorithmIdentifier(signer.scheme),
  } = parts
  const info = derSequence(version, subject, signer.publicKey.spki, attributes)
  return derSequence(info, algorithm, derBitString(new Uint8Array(70)))
}

const named = (length: number): Uint8Array =>
  derSequence(derElement(0x31, derSequence(derOid('2.5.4.3'), derUtf8String('a'.repeat(length)))))

it('a request may have 64 KiB, and a text of twice that', () => {
  const room = 65_536 - csr({ subject: named(65_000) }).length
  const largest = csr({ subject: named(65_000 + room) })
  expect(largest).toHaveLength(65_536)
  expect(parseCsr(largest).der).toHaveLength(65_536)
  const larger = csr({ subject: named(65_001 + room) })
  expect(() => parseCsr(larger)).toThrowCode('X509_CSR_INVALID')

  const text = pemEncode('CERTIFICATE REQUEST', csr({}))
  const padded = (length: number): string => ' '.repeat(length - text.length - 1) + '\n' + text
  expect(parseCsr(padded(131_072)).der).toBeDefined()
  expect(() => parseCsr(padded(131_073))).toThrowCode('X509_CSR_INVALID')
})

it('has version 1 and no other number that begins alike', () => {
  for (const version of [derInteger(128), derInteger(1), derInteger(256)]) {
    const der = csr({ version })
    expect(() => parseCsr(der)).toThrowCode('X509_CSR_INVALID')
  }
})

it('has attributes that are an identifier and a set each', () => {
  const set = derElement(0x31)
  const good = derSequence(derOid('1.2.3'), set)
  expect(parseCsr(csr({ attributes: derElement(0xa0, good, good) })).der).toBeDefined()
  for (const second of [derSequence(), derSequence(set, set), derSequence(derOid('1.2.3'), derSequence()), set]) {
    const der = csr({ attributes: derElement(0xa0, good, second) })
    expect(() => parseCsr(der)).toThrowCode('X509_CSR_INVALID')
  }
  const primitive = csr({ attributes: derElement(0x80) })
  expect(() => parseCsr(primitive)).toThrowCode('X509_CSR_INVALID')
})

it('its key is never tried with the algorithm of another kind of key', () => {
  const rsa = csr({ algorithm: algorithmIdentifier({ kind: 'rsa-pkcs1', hash: 'SHA2_256' }) })
  const verify = (): boolean => true
  expect(() => parseCsr(rsa).verify({ ...nodeCrypto, verify })).toThrowCode('X509_CSR_SIGNATURE')
})

it('a mistake of the port is not told as a bad request', () => {
  class Mistake extends Error {}
  const parsed = parseCsr(csr({}))
  const verify = (): boolean => {
    throw new Mistake()
  }
  expect(() => parsed.verify({ ...nodeCrypto, verify })).toThrow(Mistake)
})
