import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  derElement,
  derOid,
  derPrintableString,
  derSequence,
  derSetOf,
  derUtf8String,
  hexDecode,
  TAG,
} from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { encodeSubjectName, nameToString, parseName, subjectNameOf } from './names.js'
import { recordedPem } from './testing/fulcio-vectors.js'

const attribute = (oid: string, value: Uint8Array): Uint8Array => derSequence(derOid(oid), value)
const name = (...values: Uint8Array[]): Uint8Array =>
  derSequence(...values.map((value) => derSetOf(attribute('2.5.4.3', value))))

describe('a distinguished name as text', () => {
  it('of recorded CAs', () => {
    expect(nameToString(recordedPem('chain-intermediate').subject)).toBe('O=example.org, CN=example-p384')
    expect(nameToString(recordedPem('ephemeral-root').subject)).toBe(
      'C=USA, ST=WA, L=Kirkland, street=767 6th St S, postalCode=98033, O=sigstore',
    )
  })
  it('of nobody is empty', () => expect(nameToString(derSequence())).toBe(''))
  it('in each kind of string, hexadecimal for others', () => {
    const text = nameToString(
      name(
        derUtf8String('ü'),
        derPrintableString('p'),
        derElement(TAG.ia5String, hexDecode('69')),
        derElement(TAG.teletexString, hexDecode('fc')),
        derElement(0x12, hexDecode('37')),
        derElement(TAG.bmpString, hexDecode('00fc')),
        derElement(TAG.bmpString, hexDecode('00')),
        derElement(TAG.octetString, hexDecode('01')),
      ),
    )
    expect(text).toBe('CN=ü, CN=p, CN=i, CN=ü, CN=7, CN=ü, CN=#1e0100, CN=#040101')
  })
  it('with several attributes in one set, and an unknown one', () => {
    const set = derElement(TAG.set, attribute('2.5.4.10', derUtf8String('o')), attribute('1.2.3', derUtf8String('x')))
    expect(nameToString(derSequence(set))).toBe('O=o, 1.2.3=x')
  })
  it('cannot be made to look like another', () => {
    expect(nameToString(name(derUtf8String('a, O=b')))).toBe('CN=a\\, O\\=b')
    expect(nameToString(name(derUtf8String('a\u001b[2J\n\u202e')))).toBe('CN=a\\u001b[2J\\u000a\\u202e')
  })
})

describe('a name is refused', () => {
  it.each(['', '3100', '30023100', '300431023000', '3000ff', '300b3109300706035504030c01'])('%s', (hex) => {
    expect(() => parseName(hexDecode(hex))).toThrowCode('X509_NAME_INVALID')
  })
  it('when its text is not UTF-8', () => {
    expect(() => parseName(name(derElement(TAG.utf8String, hexDecode('ff'))))).toThrowCode('X509_NAME_INVALID')
  })
})

describe('subject names', () => {
  it('come back', () => {
    const subject = { organization: 'example.org', commonName: 'töuchmark' }
    expect(subjectNameOf(encodeSubjectName(subject))).toEqual(subject)
    expect(subjectNameOf(derSequence())).toEqual({ organization: '', commonName: '' })
  })
  it('have 1 to 64 characters, counted as characters', () => {
    const commonName = '𝔞'.repeat(64)
    expect(subjectNameOf(encodeSubjectName({ organization: 'o', commonName })).commonName).toBe(commonName)
    expect(() => encodeSubjectName({ organization: 'o', commonName: commonName + 'a' })).toThrowCode(
      'X509_NAME_INVALID',
    )
  })
})

it('any bytes: a coded error or attributes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        parseName(bytes)
      } catch (error) {
        if (!isCodedError(error)) throw error
      }
    }),
    { numRuns: 300 },
  )
})
