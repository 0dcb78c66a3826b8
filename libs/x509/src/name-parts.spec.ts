import { describe, expect, it } from '@jest/globals'
import { derElement, derOid, derSequence, derSetOf, derUtf8String, hexDecode, TAG } from '@touchmark/encoding'
import { generateSigner } from '@touchmark/crypto/node'
import { parseCertificate } from './certificate.js'
import { encodeSubjectName, nameToString, parseName } from './names.js'
import { P256, plainFields, rawTbs, unsigned } from './testing/certificates.js'

const attribute = (oid: string, text: string): Uint8Array => derSequence(derOid(oid), derUtf8String(text))

describe('the attributes of a name', () => {
  it('are told by their usual short names', () => {
    const table: [string, string][] = [
      ['2.5.4.3', 'CN'],
      ['2.5.4.4', 'SN'],
      ['2.5.4.5', 'serialNumber'],
      ['2.5.4.6', 'C'],
      ['2.5.4.7', 'L'],
      ['2.5.4.8', 'ST'],
      ['2.5.4.9', 'street'],
      ['2.5.4.10', 'O'],
      ['2.5.4.11', 'OU'],
      ['2.5.4.17', 'postalCode'],
      ['1.2.840.113549.1.9.1', 'emailAddress'],
    ]
    for (const [oid, name] of table) expect(nameToString(derSequence(derSetOf(attribute(oid, 'x'))))).toBe(`${name}=x`)
  })
  it('of two octets a character have all their bits', () => {
    const name = derSequence(derSetOf(derSequence(derOid('2.5.4.3'), derElement(TAG.bmpString, hexDecode('4e2d0061')))))
    expect(nameToString(name)).toBe('CN=中a')
  })
})

describe('each attribute of a set', () => {
  const set = (second: Uint8Array): Uint8Array => derSequence(derElement(TAG.set, attribute('2.5.4.10', 'o'), second))
  const malformed = [
    derSequence(derOid('2.5.4.3')),
    derSequence(derUtf8String('a'), derUtf8String('b')),
    derSequence(derOid('2.5.4.3'), derUtf8String('a'), derUtf8String('b')),
    derElement(TAG.set),
  ]
  it('is looked at', () => {
    for (const second of malformed) expect(() => parseName(set(second))).toThrowCode('X509_NAME_INVALID')
  })
  it('is looked at when the certificate is read', () => {
    const signer = generateSigner(P256)
    const parse = (subject: Uint8Array) => {
      const fields = plainFields(signer, { subject })
      return parseCertificate(unsigned(rawTbs(fields), fields.algorithm))
    }
    expect(nameToString(parse(set(attribute('2.5.4.3', 'a'))).subject)).toBe('O=o, CN=a')
    for (const second of malformed) expect(() => parse(set(second))).toThrowCode('X509_CERTIFICATE_INVALID')
  })
})

it('a name that is written has both parts, in characters', () => {
  for (const text of ['', '\ud800', 'a\udc00']) {
    expect(() => encodeSubjectName({ organization: text, commonName: 'a' })).toThrowCode('X509_NAME_INVALID')
    expect(() => encodeSubjectName({ organization: 'a', commonName: text })).toThrowCode('X509_NAME_INVALID')
  }
})
