import { X509Certificate as NodeCertificate } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  context,
  derBoolean,
  derElement,
  derExplicit,
  derGeneralizedTime,
  derInteger,
  derOctetString,
  derOid,
  derSequence,
  derUtf8String,
  equalBytes,
  hexDecode,
  hexEncode,
  pemEncode,
  TAG,
  utf8Encode,
} from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { generateSigner } from '@touchmark/crypto/node'
import { parseCertificate, parseCertificatesPem, parseTbsCertificate } from './certificate.js'
import type { Certificate } from './certificate.js'
import * as encode from './encode.js'
import { EXTENSION_OID, PURPOSE_OID } from './oids.js'
import { commonName, dates, P256, plainFields, rawTbs, unsigned } from './testing/certificates.js'
import type { RawFields } from './testing/certificates.js'
import { recordedCertificates } from './testing/fulcio-vectors.js'

const recorded = recordedCertificates()
const signer = generateSigner(P256)

function der(changes: Partial<RawFields> = {}): Uint8Array {
  const fields = plainFields(signer, changes)
  return unsigned(rawTbs(fields), fields.algorithm)
}
const parse = (changes: Partial<RawFields> = {}): Certificate => parseCertificate(der(changes))
const known = (oid: string, valueHex: string): Partial<RawFields> => ({
  extensions: [encode.extension(oid, false, hexDecode(valueHex))],
})
const refused = (changes: Partial<RawFields>): void =>
  expect(() => parse(changes)).toThrowCode('X509_CERTIFICATE_INVALID')

describe('recorded certificates', () => {
  it('are 28', () => expect(recorded).toHaveLength(28))

  it.each(recorded)('$name: extensions equal the recorded ones in order', ({ leaf, extensions }) => {
    const found = [...leaf.extensions.values()].map(({ oid, critical, value }) => ({
      oid,
      critical,
      value: hexEncode(value),
    }))
    expect(found).toEqual(extensions)
  })

  it.each(recorded)('$name: fields agree with OpenSSL', ({ leaf }) => {
    const node = new NodeCertificate(leaf.der)
    expect(leaf.serialHex.toUpperCase()).toBe(node.serialNumber)
    expect(leaf.notBefore).toEqual(new Date(node.validFrom))
    expect(leaf.notAfter).toEqual(new Date(node.validTo))
    expect(hexEncode(leaf.spki)).toBe(node.publicKey.export({ format: 'der', type: 'spki' }).toString('hex'))
    expect(leaf.basicConstraints?.ca ?? false).toBe(node.ca)
    expect(hexEncode(leaf.subject)).toBe('3000')
    expect(leaf.extKeyUsage).toEqual(node.keyUsage)
    expect(leaf.keyUsage?.digitalSignature).toBe(true)
    expect(leaf.san).toHaveLength(1)
    expect(leaf.publicKey.spki).toEqual(leaf.spki)
  })

  it('have the names that were authenticated', () => {
    const san = Object.fromEntries(recorded.map(({ name, leaf }) => [name, leaf.san[0]]))
    expect(san['v2-email-pop']).toEqual({ type: 'email', value: 'dev@example.com' })
    expect(san['v2-uri']).toEqual({ type: 'uri', value: 'http://localhost/users/1' })
    expect(san['v2-username']).toEqual({ type: 'otherName', value: 'alice!localhost' })
  })
})

describe('what is taken (log-v2.md §3.2)', () => {
  it('version 1', () => {
    const certificate = parse({ version: new Uint8Array(), extensions: undefined })
    expect(certificate.version).toBe(1)
    expect(certificate.extensions.size).toBe(0)
  })
  it('version 2 with unique ids', () => {
    const id = derElement(context(1, false), Uint8Array.of(0, 1))
    expect(parse({ version: derExplicit(0, derInteger(1)), uniqueIds: id, extensions: undefined }).hasUniqueId).toBe(
      true,
    )
  })
  it('serial 0 and a serial of 30 octets', () => {
    expect(parse({ serial: derInteger(0) }).serialHex).toBe('00')
    expect(parse({ serial: derInteger(1n << 232n) }).serialNumber).toHaveLength(30)
  })
  it('an expired one, and times outside this century', () => {
    const certificate = parse({ validity: dates('1950-01-01T00:00:00Z', '9999-12-31T23:59:59Z') })
    expect(certificate.notBefore.toISOString()).toBe('1950-01-01T00:00:00.000Z')
    expect(certificate.notAfter.toISOString()).toBe('9999-12-31T23:59:59.000Z')
  })
  it('the last day of February in a leap year', () => {
    expect(parse({ validity: dates('2024-02-29T00:00:00Z', '2027-01-01T00:00:00Z') }).notBefore.getUTCDate()).toBe(29)
  })
  it('an unknown signature algorithm', () => {
    expect(parse({ algorithm: derSequence(derOid('1.2.3.4.5')) }).signatureAlgorithm.scheme).toBeUndefined()
  })
  it('an empty subject and issuer', () => {
    const certificate = parse({ subject: derSequence(), issuer: derSequence() })
    expect(certificate.isSelfIssued).toBe(true)
  })
  it('an unknown critical extension', () => {
    const certificate = parse({ extensions: [encode.extension('1.2.3.4', true, Uint8Array.of(1))] })
    expect(certificate.extensions.get('1.2.3.4')?.critical).toBe(true)
  })
  it('an explicit critical FALSE', () => {
    const extension = derSequence(derOid('1.2.3.4'), derBoolean(false), derOctetString(Uint8Array.of(1)))
    expect(parse({ extensions: [extension] }).extensions.get('1.2.3.4')?.critical).toBe(false)
  })
  it('a key that is none, until it is asked for', () => {
    const certificate = parse({ spki: derSequence() })
    expect(() => certificate.publicKey).toThrowCode('CRYPTO_KEY_UNPARSABLE')
  })
})

describe('what is refused', () => {
  it('version 4, version -1', () => {
    refused({ version: derExplicit(0, derInteger(3)) })
    refused({ version: derExplicit(0, derInteger(-1)) })
    refused({ version: derExplicit(0, derInteger(256)) })
  })
  it('a negative serial', () => refused({ serial: derInteger(-1) }))
  it('a serial that is not minimal', () => refused({ serial: hexDecode('02020001') }))
  it('a repeated extension', () => refused({ extensions: [encode.KEY_USAGE_SIGNATURE, encode.KEY_USAGE_SIGNATURE] }))
  it('extensions in version 1 and 2', () => {
    refused({ version: new Uint8Array() })
    refused({ version: derExplicit(0, derInteger(1)) })
  })
  it('unique ids in version 1', () => {
    const id = derElement(context(1, false), Uint8Array.of(0, 1))
    refused({ version: new Uint8Array(), uniqueIds: id, extensions: undefined })
  })
  it('an empty list of extensions', () => refused({ extensions: [] }))
  it('more than 64 extensions', () => {
    const many = Array.from({ length: 65 }, (_, i) => encode.extension(`1.2.3.${i}`, false, Uint8Array.of(0)))
    refused({ extensions: many })
    expect(parse({ extensions: many.slice(0, 64) }).extensions.size).toBe(64)
  })
  it('two different signature algorithms', () => {
    const fields = plainFields(signer)
    const other = derSequence(derOid('1.2.840.10045.4.3.3'))
    expect(() => parseCertificate(unsigned(rawTbs(fields), other))).toThrowCode('X509_CERTIFICATE_INVALID')
  })
  it('a byte after the certificate, after the signature, after the extensions', () => {
    const whole = der()
    expect(() => parseCertificate(Uint8Array.of(...whole, 0))).toThrowCode('X509_CERTIFICATE_INVALID')
    const fields = plainFields(signer)
    const extra = derSequence(rawTbs(fields), fields.algorithm, hexDecode('03020001'), hexDecode('0500'))
    expect(() => parseCertificate(extra)).toThrowCode('X509_CERTIFICATE_INVALID')
    refused({ spki: Uint8Array.of(...fields.spki, 5, 0) })
  })
  it('a signature that is not whole octets', () => {
    const fields = plainFields(signer)
    const odd = derSequence(rawTbs(fields), fields.algorithm, hexDecode('03020480'))
    expect(() => parseCertificate(odd)).toThrowCode('X509_CERTIFICATE_INVALID')
  })
  it('a malformed name', () => {
    refused({ issuer: hexDecode('30023000') })
    refused({ subject: hexDecode('30023100') })
    refused({
      subject: derSequence(derElement(TAG.set, derSequence(derOid('2.5.4.3'), derUtf8String('a'), derUtf8String('b')))),
    })
  })
  it('a date that does not exist, and a third date', () => {
    const utc = (text: string): Uint8Array => derElement(TAG.utcTime, utf8Encode(text))
    const good = utc('260101000000Z')
    for (const bad of [
      '260230000000Z',
      '261301000000Z',
      '260001000000Z',
      '260100000000Z',
      '260101240000Z',
      '2601010000Z',
      '26010100000aZ',
      '260101000000+0000',
      '260101006000Z',
      '260101000060Z',
    ])
      refused({ validity: derSequence(good, utc(bad)) })
    refused({ validity: derSequence(good, derElement(TAG.generalizedTime, utf8Encode('20260101000000.5Z'))) })
    refused({ validity: derSequence(good, good, good) })
    expect(
      parse({
        validity: derSequence(good, derGeneralizedTime(new Date('2026-02-01T00:00:00Z'))),
      }).notAfter.getUTCMonth(),
    ).toBe(1)
  })
  it('known extensions that do not decode', () => {
    const bad: [string, string][] = [
      [EXTENSION_OID.basicConstraints, '3003020100ff'],
      [EXTENSION_OID.basicConstraints, '3003010101'],
      [EXTENSION_OID.basicConstraints, '30030201ff'],
      [EXTENSION_OID.basicConstraints, ''],
      [EXTENSION_OID.basicConstraints, '30020500'],
      [EXTENSION_OID.basicConstraints, '30000500'],
      [EXTENSION_OID.keyUsage, '0500'],
      [EXTENSION_OID.keyUsage, '03020781'],
      [EXTENSION_OID.extKeyUsage, '3000'],
      [EXTENSION_OID.extKeyUsage, '300a06082b060105050703'],
      [EXTENSION_OID.subjectKeyIdentifier, '0404010203'],
      [EXTENSION_OID.authorityKeyIdentifier, '30030401ff'],
      [EXTENSION_OID.subjectAltName, '30038101'],
      [EXTENSION_OID.subjectAltName, '30000500'],
      [EXTENSION_OID.subjectAltName, '3015a013060a2b0601040183bf300107a0030c0161' + '0500'],
      [EXTENSION_OID.subjectAltName, '3015a013060a2b0601040183bf300107a0050c0161' + '0500'],
      [EXTENSION_OID.subjectAltName, '300ca00a06022a03a0040c00' + '0500'],
      [EXTENSION_OID.subjectAltName, '3003810180'],
      [EXTENSION_OID.subjectAltName, '3003860180'],
      [EXTENSION_OID.subjectAltName, '30028900'],
      [EXTENSION_OID.subjectAltName, '3012a010060a2b0601040183bf300107a0020500'],
    ]
    for (const [oid, value] of bad) refused(known(oid, value))
  })
  it('more than 64 KiB, although it is in order', () => {
    const sized = (length: number): Partial<RawFields> => ({
      extensions: [encode.extension('1.2.3', false, new Uint8Array(length))],
    })
    expect(parse(sized(65_000)).extensions.size).toBe(1)
    refused(sized(65_500))
    const tbs = rawTbs(plainFields(signer, sized(65_536)))
    expect(() => parseTbsCertificate(tbs)).toThrowCode('X509_CERTIFICATE_INVALID')
  })
  it('something after what is expected, at every level', () => {
    const nul = hexDecode('0500')
    const tbs = rawTbs(plainFields(signer))
    expect(() => parseTbsCertificate(Uint8Array.of(...tbs, 0))).toThrowCode('X509_CERTIFICATE_INVALID')
    refused({ version: derExplicit(0, derInteger(2), nul) })
    refused({ algorithm: derSequence(derOid('1.2.3'), nul, nul) })
    refused({ extensions: [derSequence(derOid('1.2.3'), derOctetString(nul), nul)] })
    const extensions = derExplicit(3, derSequence(encode.KEY_USAGE_SIGNATURE), nul)
    refused({ spki: Uint8Array.of(...signer.publicKey.spki, ...extensions), extensions: undefined })
  })
  it('more than 256 names, more than 64 purposes', () => {
    const names = (count: number): Uint8Array =>
      derSequence(...Array.from({ length: count }, () => hexDecode('810161')))
    expect(parse({ extensions: [encode.extension(EXTENSION_OID.subjectAltName, false, names(256))] }).san).toHaveLength(
      256,
    )
    refused({ extensions: [encode.extension(EXTENSION_OID.subjectAltName, false, names(257))] })
    const purposes = Array.from({ length: 65 }, () => derOid(PURPOSE_OID.any))
    refused({ extensions: [encode.extension(EXTENSION_OID.extKeyUsage, false, derSequence(...purposes))] })
  })
})

describe('subject alternative names', () => {
  it('keeps names of other kinds apart, raw', () => {
    const otherName = derElement(context(0), derOid('1.2.3'), derExplicit(0, derUtf8String('x')))
    const names = derSequence(hexDecode('8203612e62'), hexDecode('810161'), otherName, hexDecode('87047f000001'))
    const certificate = parse({ extensions: [encode.extension(EXTENSION_OID.subjectAltName, true, names)] })
    expect(certificate.san).toEqual([{ type: 'email', value: 'a' }])
    expect(certificate.unknownNames.map(({ tag }) => tag)).toEqual([0x82, 0xa0, 0x87])
  })
})

describe('key usage and constraints', () => {
  it('reads bits', () => {
    expect(parse(known(EXTENSION_OID.keyUsage, '03020106')).keyUsage).toMatchObject({
      digitalSignature: false,
      contentCommitment: false,
      keyCertSign: true,
      cRLSign: true,
    })
    expect(parse(known(EXTENSION_OID.keyUsage, '030206c0')).keyUsage).toMatchObject({ contentCommitment: true })
  })
  it('reads a path length', () => {
    expect(parse(known(EXTENSION_OID.basicConstraints, '30060101ff020103')).basicConstraints).toEqual({
      ca: true,
      pathLength: 3,
    })
    expect(parse(known(EXTENSION_OID.basicConstraints, '3000')).basicConstraints).toEqual({ ca: false })
  })
})

describe('PEM', () => {
  it('reads a chain in order and ignores other blocks', () => {
    const text =
      recorded[0]!.chain.map((one) => pemEncode('CERTIFICATE', one.der)).join('') + pemEncode('X', hexDecode('00'))
    expect(parseCertificatesPem(text).map((one) => one.serialHex)).toEqual(
      recorded[0]!.chain.map((one) => one.serialHex),
    )
  })
  it('refuses a text without a certificate', () => {
    expect(() => parseCertificatesPem('nothing')).toThrowCode('X509_CERTIFICATE_INVALID')
  })
})

describe('any bytes', () => {
  const check = (bytes: Uint8Array): void => {
    try {
      const certificate = parseCertificate(bytes)
      const again = derSequence(
        certificate.tbs,
        certificate.signatureAlgorithm.der,
        derElement(TAG.bitString, Uint8Array.of(0), certificate.signature),
      )
      expect(equalBytes(again, bytes)).toBe(true)
      const { tbsHead, extensions } = certificate
      const wrapped =
        extensions.size === 0 ? [] : [derExplicit(3, derSequence(...[...extensions.values()].map((one) => one.bytes)))]
      expect(equalBytes(derSequence(tbsHead, ...wrapped), certificate.tbs)).toBe(true)
    } catch (error) {
      if (!isCodedError(error)) throw error
      expect(error.code).toBe('X509_CERTIFICATE_INVALID')
    }
  }
  it('give a certificate that is these bytes, or a coded error', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), check), { numRuns: 300 })
  })
  it('also when a good certificate is changed or cut', () => {
    const whole = recorded.map(({ leaf }) => leaf.der)
    const change = fc.record({ which: fc.nat(), at: fc.nat(), to: fc.nat(255), cut: fc.option(fc.nat()) })
    fc.assert(
      fc.property(change, ({ which, at, to, cut }) => {
        const bytes = Uint8Array.from(whole[which % whole.length]!)
        bytes[at % Math.min(bytes.length, 900)] = to
        check(cut === null ? bytes : bytes.subarray(0, cut % bytes.length))
      }),
      { numRuns: 800 },
    )
  })
})

it('a certificate is a view: nothing is copied', () => {
  const bytes = der({ subject: commonName('view') })
  expect(parseCertificate(bytes).subject.buffer).toBe(bytes.buffer)
})
