import { beforeAll, describe, expect, it } from '@jest/globals'
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
  derTime,
  hexDecode,
} from '@touchmark/encoding'
import type { PublicKey } from '@touchmark/crypto'
import { generateSigner } from '@touchmark/crypto/node'
import { parseTbsCertificate } from './certificate.js'
import * as encode from './encode.js'
import type { LintErrorCode } from './errors.js'
import { encodeFulcioExtensions, FULCIO_OID } from './fulcio-extensions.js'
import { encodeSubjectAltName } from './general-names.js'
import { LINT_RULES, lintLeaf } from './lint.js'
import type { LintInput } from './lint.js'
import { EXTENSION_OID } from './oids.js'
import { commonName, entity, P256, rawTbs } from './testing/certificates.js'
import type { Entity, RawFields } from './testing/certificates.js'

const NOT_BEFORE = new Date('2026-06-01T00:00:00Z')
const SAN = { type: 'email', value: 'dev@example.com' } as const
const ISSUER = 'https://issuer.example.com'
const subject = generateSigner(P256).publicKey

let ca: Entity
let root: Entity
beforeAll(async () => {
  const extensions = [encode.caConstraints(undefined), encode.KEY_USAGE_CA]
  root = await entity({ name: 'root', extensions })
  const signer = generateSigner(P256)
  const keyId = encode.subjectKeyId(encode.keyIdentifier(signer.publicKey))
  ca = await entity({ name: 'ca', extensions: [...extensions, keyId], issuedBy: root, signer })
})

const after = (seconds: number): Date => new Date(NOT_BEFORE.getTime() + 1000 * seconds)

interface Parts extends RawFields {
  extensions: Uint8Array[]
}

/** Fields of a leaf without fault; the places of its extensions: 0 KU, 1 EKU, 2 SKI, 3 AKI, 4 SAN, 5 .1, 6 .8, 7 .24, 8 poison. */
function fields(key: PublicKey): Parts {
  return {
    version: encode.VERSION_3,
    serial: encode.serialInteger(new Uint8Array(20).fill(0x31)),
    algorithm: ca.certificate.signatureAlgorithm.der,
    issuer: ca.certificate.subject,
    validity: encode.validity(NOT_BEFORE, after(600)),
    subject: derSequence(),
    spki: key.spki,
    uniqueIds: new Uint8Array(),
    extensions: [
      encode.KEY_USAGE_SIGNATURE,
      encode.extKeyUsage('codeSigning', false),
      encode.subjectKeyId(encode.keyIdentifier(key)),
      encode.authorityKeyId(encode.keyIdentifier(ca.signer.publicKey)),
      encode.extension(EXTENSION_OID.subjectAltName, true, encodeSubjectAltName(SAN)),
      ...encodeFulcioExtensions(ISSUER, { tokenSubject: 'dev' }),
      encode.POISON,
    ],
  }
}

function input(change: (parts: Parts) => void, changes: Partial<LintInput> = {}, key = subject): LintInput {
  const parts = fields(key)
  change(parts)
  const chain = [ca.certificate, root.certificate]
  const signatureAlgorithm = ca.certificate.signatureAlgorithm.der
  return { tbs: rawTbs(parts), chain, signatureAlgorithm, publicKey: key, san: SAN, ...changes }
}

/** The codes of all rules that this input breaks. */
function broken(one: LintInput): LintErrorCode[] {
  const leaf = parseTbsCertificate(one.tbs)
  return LINT_RULES.filter((rule) => rule.check({ ...one, issuer: one.chain[0]!, leaf }) !== undefined).map(
    (rule) => rule.code,
  )
}

const named = (oid: string, critical: boolean, hex: string): Uint8Array =>
  encode.extension(oid, critical, hexDecode(hex))
const fulcio = (name: keyof typeof FULCIO_OID, hex: string): Uint8Array => named(FULCIO_OID[name], false, hex)
const generalized = (): Uint8Array => derSequence(derGeneralizedTime(NOT_BEFORE), derTime(after(600)))

/** Each breaks exactly one rule. */
const FAULTS: [LintErrorCode, string, (parts: Parts) => void][] = [
  ['X509_LINT_SERIAL', 'zero', (p) => (p.serial = derInteger(0))],
  ['X509_LINT_SERIAL', '64 bits or fewer', (p) => (p.serial = encode.serialInteger(new Uint8Array(8).fill(0x31)))],
  ['X509_LINT_SERIAL', '21 octets', (p) => (p.serial = encode.serialInteger(new Uint8Array(21).fill(0x31)))],
  ['X509_LINT_SIGNATURE_ALGORITHM', 'SHA-384', (p) => (p.algorithm = hexDecode('300a06082a8648ce3d040303'))],
  ['X509_LINT_ISSUER', 'the root', (p) => (p.issuer = root.certificate.subject)],
  ['X509_LINT_VALIDITY', '599 s', (p) => (p.validity = encode.validity(NOT_BEFORE, after(599)))],
  ['X509_LINT_VALIDITY', '601 s', (p) => (p.validity = encode.validity(NOT_BEFORE, after(601)))],
  ['X509_LINT_TIME_ENCODING', 'GeneralizedTime in 2026', (p) => (p.validity = generalized())],
  ['X509_LINT_OUTLIVES_CHAIN', 'after', (p) => (p.validity = until('2027-01-01T00:00:01Z'))],
  ['X509_LINT_OUTLIVES_CHAIN', 'before', (p) => (p.validity = until('2026-01-01T00:09:59Z'))],
  ['X509_LINT_SUBJECT', 'a name', (p) => (p.subject = commonName('dev'))],
  ['X509_LINT_KEY', 'another key', (p) => (p.spki = generateSigner(P256).publicKey.spki)],
  ['X509_LINT_UNIQUE_ID', 'one', (p) => (p.uniqueIds = derElement(context(1, false), Uint8Array.of(0, 1)))],
  ['X509_LINT_EXTENSION_UNKNOWN', 'one', (p) => p.extensions.splice(5, 0, named('1.2.3', false, '00'))],
  ['X509_LINT_EXTENSION_UNKNOWN', 'CA:FALSE', (p) => p.extensions.unshift(named('2.5.29.19', false, '3000'))],
  ['X509_LINT_EXTENSION_ORDER', 'poison first', (p) => p.extensions.unshift(p.extensions.pop()!)],
  ['X509_LINT_EXTENSION_ORDER', '.24 before .8', (p) => p.extensions.splice(6, 2, p.extensions[7]!, p.extensions[6]!)],
  ['X509_LINT_EXTENSION_CRITICALITY', 'KU not', (p) => (p.extensions[0] = named('2.5.29.15', false, '03020780'))],
  [
    'X509_LINT_EXTENSION_CRITICALITY',
    'EKU',
    (p) => (p.extensions[1] = named('2.5.29.37', true, '300a06082b06010505070303')),
  ],
  ['X509_LINT_EXTENSION_CRITICALITY', 'FALSE spelt out', (p) => (p.extensions[7] = speltOut())],
  ['X509_LINT_KEY_USAGE', 'keyCertSign too', (p) => (p.extensions[0] = named('2.5.29.15', true, '03020284'))],
  ['X509_LINT_KEY_USAGE', 'missing', (p) => p.extensions.splice(0, 1)],
  ['X509_LINT_KEY_USAGE', 'wide bits', (p) => (p.extensions[0] = named('2.5.29.15', true, '03020080'))],
  ['X509_LINT_EXT_KEY_USAGE', 'another', (p) => (p.extensions[1] = encode.extKeyUsage('timeStamping', false))],
  ['X509_LINT_EXT_KEY_USAGE', 'missing', (p) => p.extensions.splice(1, 1)],
  ['X509_LINT_SUBJECT_KEY_ID', 'another', (p) => (p.extensions[2] = encode.subjectKeyId(new Uint8Array(20)))],
  ['X509_LINT_SUBJECT_KEY_ID', 'missing', (p) => p.extensions.splice(2, 1)],
  ['X509_LINT_AUTHORITY_KEY_ID', 'another', (p) => (p.extensions[3] = encode.authorityKeyId(new Uint8Array(20)))],
  ['X509_LINT_AUTHORITY_KEY_ID', 'missing', (p) => p.extensions.splice(3, 1)],
  ['X509_LINT_SAN', 'two', (p) => (p.extensions[4] = named('2.5.29.17', true, '3006810161810162'))],
  ['X509_LINT_SAN', 'another beside it', (p) => (p.extensions[4] = sanAnd('810161'))],
  ['X509_LINT_SAN', 'itself twice', (p) => (p.extensions[4] = sanAnd('810f646576406578616d706c652e636f6d'))],
  ['X509_LINT_SAN', 'a DNS name beside it', (p) => (p.extensions[4] = sanAnd('820162'))],
  ['X509_LINT_SAN', 'none', (p) => (p.extensions[4] = named('2.5.29.17', true, '3000'))],
  ['X509_LINT_SAN', 'another', (p) => (p.extensions[4] = named('2.5.29.17', true, '3003810161'))],
  ['X509_LINT_SAN', 'another kind', (p) => (p.extensions[4] = kindOf('uri'))],
  ['X509_LINT_SAN', 'missing', (p) => p.extensions.splice(4, 1)],
  ['X509_LINT_ISSUER_EXTENSION', '.1 missing', (p) => p.extensions.splice(5, 1)],
  ['X509_LINT_ISSUER_EXTENSION', '.8 missing', (p) => p.extensions.splice(6, 1)],
  ['X509_LINT_ISSUER_EXTENSION', 'not alike', (p) => (p.extensions[5] = fulcio('issuerV1', '61'))],
  ['X509_LINT_FULCIO_EXTENSION', 'raw for UTF8', (p) => (p.extensions[7] = fulcio('tokenSubject', '61'))],
  ['X509_LINT_FULCIO_EXTENSION', 'empty', (p) => (p.extensions[7] = fulcio('tokenSubject', '0c00'))],
  ['X509_LINT_POISON', 'missing', (p) => p.extensions.pop()],
  ['X509_LINT_POISON', 'not NULL', (p) => (p.extensions[8] = named(EXTENSION_OID.poison, true, '0400'))],
]

function until(notAfter: string): Uint8Array {
  const end = new Date(notAfter)
  return encode.validity(new Date(end.getTime() - 600_000), end)
}
function speltOut(): Uint8Array {
  return derSequence(derOid(FULCIO_OID.tokenSubject), derBoolean(false), derOctetString(hexDecode('0c03646576')))
}
function sanAnd(hex: string): Uint8Array {
  const email = encodeSubjectAltName(SAN).subarray(2)
  return encode.extension(EXTENSION_OID.subjectAltName, true, derSequence(email, hexDecode(hex)))
}
function kindOf(type: 'uri'): Uint8Array {
  return encode.extension(EXTENSION_OID.subjectAltName, true, encodeSubjectAltName({ ...SAN, type }))
}

it('finds nothing wrong with a leaf of the profile', () => {
  expect(broken(input(() => undefined))).toEqual([])
  expect(() => lintLeaf(input(() => undefined))).not.toThrow()
})

describe('each rule is broken alone', () => {
  it.each(FAULTS)('%s: %s', (code, _, change) => {
    expect(broken(input(change))).toEqual([code])
    expect(() => lintLeaf(input(change))).toThrowCode(code)
  })
  it('X509_LINT_KEY: a key that is too weak', () => {
    const weak = generateSigner({ kind: 'rsa', modulusBits: 1024 }).publicKey
    expect(broken(input(() => undefined, {}, weak))).toEqual(['X509_LINT_KEY'])
  })
  it('X509_LINT_SAN: another person than the authenticated one', () => {
    expect(broken(input(() => undefined, { san: { ...SAN, value: 'eve@example.com' } }))).toEqual(['X509_LINT_SAN'])
  })
  it('X509_LINT_SAN: empty', () => {
    const san = { type: 'uri', value: '' } as const
    const change = (parts: Parts): void => {
      parts.extensions[4] = encode.extension(EXTENSION_OID.subjectAltName, true, encodeSubjectAltName(san))
    }
    expect(broken(input(change, { san }))).toEqual(['X509_LINT_SAN'])
  })
  it('X509_LINT_OUTLIVES_CHAIN: the root, not only the issuing CA', async () => {
    const validity = encode.validity(new Date('2026-01-01T00:00:00Z'), after(599))
    const short = (await entity({ name: 'short', validity })).certificate
    expect(broken(input(() => undefined, { chain: [ca.certificate, short] }))).toEqual(['X509_LINT_OUTLIVES_CHAIN'])
  })
  it('X509_LINT_VERSION', () => {
    const change = (parts: Parts): void =>
      void Object.assign(parts, { version: derExplicit(0, derInteger(1)), extensions: undefined })
    expect(() => lintLeaf(input(change))).toThrowCode('X509_LINT_VERSION')
  })
  it('X509_LINT_UNPARSABLE', () => {
    expect(() => lintLeaf(input(({ extensions }) => extensions.push(extensions[0]!)))).toThrowCode(
      'X509_LINT_UNPARSABLE',
    )
    expect(() => lintLeaf({ ...input(() => undefined), tbs: hexDecode('3000') })).toThrowCode('X509_LINT_UNPARSABLE')
  })
  it('no chain at all', () => {
    expect(() => lintLeaf(input(() => undefined, { chain: [] }))).toThrowCode('X509_LINT_ISSUER')
  })
  it('nothing at the limits: a serial number of 9 octets, and CAs valid exactly as long as the leaf', async () => {
    const short = (parts: Parts): void => void (parts.serial = encode.serialInteger(new Uint8Array(9).fill(0x31)))
    expect(broken(input(short))).toEqual([])
    const validity = encode.validity(NOT_BEFORE, after(600))
    const exact = (await entity({ name: 'exact', validity })).certificate
    expect(broken(input(() => undefined, { chain: [ca.certificate, exact] }))).toEqual([])
  })
  it('every rule has its fault above', () => {
    const tested = new Set<string>([...FAULTS.map(([code]) => code), 'X509_LINT_VERSION'])
    expect(LINT_RULES.map(({ code }) => code).filter((code) => !tested.has(code))).toEqual([])
    expect(new Set(LINT_RULES.map(({ code }) => code)).size).toBe(LINT_RULES.length)
  })
})
