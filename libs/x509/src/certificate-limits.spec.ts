import { describe, expect, it } from '@jest/globals'
import {
  derElement,
  derExplicit,
  derInteger,
  derOid,
  derSequence,
  hexDecode,
  TAG,
  utf8Encode,
} from '@touchmark/encoding'
import { generateSigner } from '@touchmark/crypto/node'
import { parseCertificate } from './certificate.js'
import type { Certificate } from './certificate.js'
import * as encode from './encode.js'
import { EXTENSION_OID, PURPOSE_OID } from './oids.js'
import { P256, plainFields, rawTbs, unsigned } from './testing/certificates.js'
import type { RawFields } from './testing/certificates.js'

const signer = generateSigner(P256)

function der(changes: Partial<RawFields>): Uint8Array {
  const fields = plainFields(signer, changes)
  return unsigned(rawTbs(fields), fields.algorithm)
}
const parse = (changes: Partial<RawFields>): Certificate => parseCertificate(der(changes))
const refused = (changes: Partial<RawFields>): void =>
  expect(() => parse(changes)).toThrowCode('X509_CERTIFICATE_INVALID')
const having = (oid: string, valueHex: string): Certificate =>
  parse({ extensions: [encode.extension(oid, false, hexDecode(valueHex))] })

describe('limits', () => {
  it('64 KiB are taken, one byte more is not', () => {
    const sized = (length: number): Uint8Array =>
      der({ extensions: [encode.extension('1.2.3', false, new Uint8Array(length))] })
    const room = 65_536 - sized(65_000).length
    expect(sized(65_000 + room)).toHaveLength(65_536)
    expect(parseCertificate(sized(65_000 + room)).extensions.size).toBe(1)
    expect(() => parseCertificate(sized(65_001 + room))).toThrowCode('X509_CERTIFICATE_INVALID')
  })
  it('64 purposes are taken', () => {
    const purposes = derSequence(...Array.from({ length: 64 }, () => derOid(PURPOSE_OID.any)))
    const extensions = [encode.extension(EXTENSION_OID.extKeyUsage, false, purposes)]
    expect(parse({ extensions }).extKeyUsage).toHaveLength(64)
  })
  it('a serial number is negative from the top bit on', () => {
    refused({ serial: hexDecode('020180') })
    expect(parse({ serial: hexDecode('02017f') }).serialHex).toBe('7f')
    expect(parse({ serial: hexDecode('02020080') }).serialHex).toBe('0080')
  })
  it('a version is 1, 2 or 3, with or without extensions', () => {
    for (const version of [derInteger(3), derInteger(128), derInteger(256), derInteger(-1), hexDecode('0200')]) {
      refused({ version: derExplicit(0, version) })
      refused({ version: derExplicit(0, version), extensions: undefined })
    }
    expect(parse({ version: derExplicit(0, derInteger(2)), extensions: undefined }).version).toBe(3)
  })
  it('version 2 may have either unique id, both, or none', () => {
    const version = derExplicit(0, derInteger(1))
    const issuer = derElement(0x81, Uint8Array.of(0, 1))
    const subject = derElement(0x82, Uint8Array.of(0, 1))
    for (const uniqueIds of [issuer, subject, Uint8Array.of(...issuer, ...subject)])
      expect(parse({ version, uniqueIds, extensions: undefined })).toMatchObject({ version: 2, hasUniqueId: true })
    expect(parse({ version, extensions: undefined }).hasUniqueId).toBe(false)
    refused({ version, uniqueIds: Uint8Array.of(...subject, ...issuer), extensions: undefined })
    refused({ version, uniqueIds: derElement(0xa1, Uint8Array.of(0, 1)), extensions: undefined })
  })
  it('an algorithm has an identifier, and parameters or none', () => {
    const algorithm = (...parts: Uint8Array[]) => derSequence(derOid('1.2.3'), ...parts)
    expect(parse({ algorithm: algorithm() }).signatureAlgorithm.name).toBeUndefined()
    expect(parse({ algorithm: algorithm(hexDecode('0500')) }).signatureAlgorithm.name).toBeUndefined()
    refused({ algorithm: derSequence(hexDecode('0500')) })
    refused({ algorithm: derSequence() })
  })
})

describe('a time', () => {
  const good = derElement(TAG.utcTime, utf8Encode('260101000000Z'))
  const read = (text: string, tag: number = TAG.utcTime): string =>
    parse({ validity: derSequence(derElement(tag, utf8Encode(text)), good) }).notBefore.toISOString()
  const bad = (text: string, tag?: number): void =>
    expect(() => read(text, tag)).toThrowCode('X509_CERTIFICATE_INVALID')

  it('is read in each part, from the first value to the last', () => {
    const times: [string, string][] = [
      ['000101000000Z', '2000-01-01T00:00:00.000Z'],
      ['491231235959Z', '2049-12-31T23:59:59.000Z'],
      ['500101000000Z', '1950-01-01T00:00:00.000Z'],
      ['991231235959Z', '1999-12-31T23:59:59.000Z'],
      ['260228235959Z', '2026-02-28T23:59:59.000Z'],
      ['280229000000Z', '2028-02-29T00:00:00.000Z'],
      ['190919191919Z', '2019-09-19T19:19:19.000Z'],
      ['101020101010Z', '2010-10-20T10:10:10.000Z'],
    ]
    for (const [text, iso] of times) expect(read(text)).toBe(iso)
  })
  it('has nothing but digits before its Z', () => {
    for (let at = 0; at < 12; at++)
      for (const character of ['/', ':', '.', ' ', '-'])
        for (const from of ['260110101010Z', '111111111111Z', '200120202020Z'])
          bad(from.slice(0, at) + character + from.slice(at + 1))
    bad('260101000000z')
  })
  it('is as long as its kind has it', () => {
    for (const text of ['', 'Z', '2601010000Z', '260101000000', '260101000000Z0', '260101000000ZZ', '20260101000000Z'])
      bad(text)
    bad('260101000000Z', TAG.generalizedTime)
    bad('260101000000Z', TAG.ia5String)
  })
  it('is there twice', () => {
    refused({ validity: derSequence(good) })
    refused({ validity: derSequence() })
    refused({ validity: derSequence(good, derElement(TAG.utcTime, utf8Encode('2601'))) })
  })
})

describe('extensions that are understood', () => {
  it('say what a key may do, bit by bit', () => {
    const usage = (hex: string) => having(EXTENSION_OID.keyUsage, hex).keyUsage
    const none = { digitalSignature: false, contentCommitment: false, keyCertSign: false, cRLSign: false }
    expect(usage('03020780')).toMatchObject({ ...none, digitalSignature: true })
    expect(usage('03020640')).toMatchObject({ ...none, contentCommitment: true })
    expect(usage('03020204')).toMatchObject({ ...none, keyCertSign: true })
    expect(usage('03020102')).toMatchObject({ ...none, cRLSign: true })
    expect(usage('03020520')).toMatchObject(none)
    expect(usage('030100')).toMatchObject(none)
  })
  it('name the key of the issuer, with or without its certificate beside it', () => {
    const aki = (hex: string) => having(EXTENSION_OID.authorityKeyIdentifier, hex).aki
    expect(aki('3003800101')).toEqual(Uint8Array.of(1))
    expect(aki('300c800101a1048202612e820105')).toEqual(Uint8Array.of(1))
    expect(aki('3009a1048202612e820105')).toBeUndefined()
    expect(aki('3000')).toBeUndefined()
    expect(() => aki('3003a00101')).toThrowCode('X509_CERTIFICATE_INVALID')
    expect(() => aki('3006820105800101')).toThrowCode('X509_CERTIFICATE_INVALID')
    expect(() => aki('3003a20105')).toThrowCode('X509_CERTIFICATE_INVALID')
  })
  it('say whether it is a CA, and how many may follow only when they do', () => {
    const constraints = (hex: string) => having(EXTENSION_OID.basicConstraints, hex).basicConstraints
    expect(constraints('3000')).toStrictEqual({ ca: false })
    expect(constraints('30030101ff')).toStrictEqual({ ca: true })
    expect(constraints('30060101ff020100')).toStrictEqual({ ca: true, pathLength: 0 })
  })
  it('name the key itself', () => {
    expect(having(EXTENSION_OID.subjectKeyIdentifier, '04020102').ski).toEqual(Uint8Array.of(1, 2))
  })
  it('list every purpose', () => {
    expect(having(EXTENSION_OID.extKeyUsage, '300806022a0306022a04').extKeyUsage).toEqual(['1.2.3', '1.2.4'])
    expect(() => having(EXTENSION_OID.extKeyUsage, '300806022a0304022a04')).toThrowCode('X509_CERTIFICATE_INVALID')
  })
})
