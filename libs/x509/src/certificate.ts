import { context, DerReader, EncodingError, equalBytes, hexEncode, pemDecodeAll, TAG } from '@touchmark/encoding'
import type { DerElement } from '@touchmark/encoding'
import { parsePublicKeyDer } from '@touchmark/crypto'
import type { PublicKey } from '@touchmark/crypto'
import { signatureAlgorithm } from './algorithms.js'
import type { SignatureAlgorithm } from './algorithms.js'
import { X509Error } from './errors.js'
import { readExtensions, readKnownExtensions } from './extensions.js'
import type { BasicConstraints, Extension, KeyUsage, KnownExtensions } from './extensions.js'
import type { SubjectAltName } from './general-names.js'
import { readName } from './names.js'

/** A TBSCertificate as read. Byte strings are views of the input, which MUST NOT be changed afterwards. */
export interface TbsCertificate {
  /** The TBSCertificate element: what the signature covers. */
  readonly tbs: Uint8Array
  readonly version: 1 | 2 | 3
  /** Content octets of the serial number: never negative, may be zero or longer than 20 octets. */
  readonly serialNumber: Uint8Array
  readonly serialHex: string
  readonly signatureAlgorithm: SignatureAlgorithm
  /** Name DER. */
  readonly issuer: Uint8Array
  /** Name DER; `30 00` when empty. */
  readonly subject: Uint8Array
  readonly notBefore: Date
  readonly notAfter: Date
  /** Validity DER. */
  readonly validity: Uint8Array
  /** SubjectPublicKeyInfo DER, not looked into. */
  readonly spki: Uint8Array
  /** Parsed at first use; throws CRYPTO_KEY_UNPARSABLE or CRYPTO_KEY_UNSUPPORTED then, and again each time. */
  readonly publicKey: PublicKey
  /** By object identifier, in the order of the encoding. */
  readonly extensions: ReadonlyMap<string, Extension>
  /** E-mail addresses, URIs and user names of subjectAltName; empty when there is none. */
  readonly san: readonly SubjectAltName[]
  /** Names of subjectAltName of any other kind, raw. */
  readonly unknownNames: readonly DerElement[]
  readonly keyUsage: KeyUsage | undefined
  readonly extKeyUsage: readonly string[] | undefined
  readonly basicConstraints: BasicConstraints | undefined
  /** Subject key identifier. A hint, made by whoever wrote the certificate. */
  readonly ski: Uint8Array | undefined
  /** keyIdentifier of the authority key identifier. A hint. */
  readonly aki: Uint8Array | undefined
  /** Issuer and subject are the same bytes; says nothing about the signature. */
  readonly isSelfIssued: boolean
  /** Content of the TBSCertificate up to its extensions, for {@link precertTbs}. */
  readonly tbsHead: Uint8Array
  /** issuerUniqueID or subjectUniqueID is there. */
  readonly hasUniqueId: boolean
}

export interface Certificate extends TbsCertificate {
  readonly der: Uint8Array
  readonly signature: Uint8Array
}

/** A log entry is at most 65,535 bytes, so no larger certificate can be of use to anyone. */
const MAX_CERTIFICATE_BYTES = 65_536

const VERSION_TAG = context(0)
const ISSUER_UNIQUE_ID = context(1, false)
const SUBJECT_UNIQUE_ID = context(2, false)
const EXTENSIONS_TAG = context(3)

class ParsedTbs implements TbsCertificate {
  readonly tbs: Uint8Array
  readonly version: 1 | 2 | 3
  readonly serialNumber: Uint8Array
  readonly signatureAlgorithm: SignatureAlgorithm
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  readonly notBefore: Date
  readonly notAfter: Date
  readonly validity: Uint8Array
  readonly spki: Uint8Array
  readonly extensions: ReadonlyMap<string, Extension>
  readonly tbsHead: Uint8Array
  readonly hasUniqueId: boolean
  readonly #known: KnownExtensions
  #publicKey: PublicKey | undefined

  constructor(bytes: Uint8Array) {
    const outer = new DerReader(bytes)
    const { content } = outer.element(TAG.sequence)
    outer.end()
    const reader = new DerReader(content)
    this.tbs = bytes
    this.version = readVersion(reader)
    this.serialNumber = reader.integerBytes()
    if (this.serialNumber[0]! >= 0x80) fail('the serial number is negative')
    const algorithm = reader.element(TAG.sequence)
    checkAlgorithm(algorithm.content)
    this.signatureAlgorithm = signatureAlgorithm(algorithm.bytes)
    this.issuer = readName(reader)
    const { bytes: validity, content: times } = reader.element(TAG.sequence)
    const dates = new DerReader(times)
    this.validity = validity
    this.notBefore = readTime(dates)
    this.notAfter = readTime(dates)
    dates.end()
    this.subject = readName(reader)
    this.spki = reader.element(TAG.sequence).bytes
    const uniqueIds = this.version > 1 ? [reader.optional(ISSUER_UNIQUE_ID), reader.optional(SUBJECT_UNIQUE_ID)] : []
    this.hasUniqueId = uniqueIds.some((id) => id !== undefined)
    this.tbsHead = content.subarray(0, content.length - reader.rest().length)
    const extensions = this.version === 3 ? reader.optional(EXTENSIONS_TAG) : undefined
    reader.end()
    this.extensions = extensions === undefined ? NO_EXTENSIONS : readExtensions(extensions.content)
    this.#known = readKnownExtensions(this.extensions)
  }

  get serialHex(): string {
    return hexEncode(this.serialNumber)
  }
  get publicKey(): PublicKey {
    return (this.#publicKey ??= parsePublicKeyDer(this.spki))
  }
  get san(): readonly SubjectAltName[] {
    return this.#known.subjectAltName?.names ?? []
  }
  get unknownNames(): readonly DerElement[] {
    return this.#known.subjectAltName?.unknown ?? []
  }
  get keyUsage(): KeyUsage | undefined {
    return this.#known.keyUsage
  }
  get extKeyUsage(): readonly string[] | undefined {
    return this.#known.extKeyUsage
  }
  get basicConstraints(): BasicConstraints | undefined {
    return this.#known.basicConstraints
  }
  get ski(): Uint8Array | undefined {
    return this.#known.subjectKeyId
  }
  get aki(): Uint8Array | undefined {
    return this.#known.authorityKeyId
  }
  get isSelfIssued(): boolean {
    return equalBytes(this.issuer, this.subject)
  }
}

class ParsedCertificate extends ParsedTbs implements Certificate {
  readonly der: Uint8Array
  readonly signature: Uint8Array

  constructor(der: Uint8Array) {
    const outer = new DerReader(der)
    const reader = outer.sequence()
    outer.end()
    const tbs = reader.element(TAG.sequence)
    const algorithm = reader.element(TAG.sequence)
    const signature = reader.bitString()
    reader.end()
    super(tbs.bytes)
    if (!equalBytes(algorithm.bytes, this.signatureAlgorithm.der))
      fail('the signature algorithms inside and outside differ')
    this.der = der
    this.signature = signature
  }
}

const NO_EXTENSIONS: ReadonlyMap<string, Extension> = new Map()

function fail(why: string): never {
  throw new EncodingError('DER_INVALID', why)
}

function readVersion(reader: DerReader): 1 | 2 | 3 {
  const explicit = reader.enterOptional(VERSION_TAG)
  if (explicit === undefined) return 1
  const version = explicit.integerBytes()
  explicit.end()
  if (version.length !== 1 || version[0]! > 2) fail('the version is not 1, 2 or 3')
  return (version[0]! + 1) as 1 | 2 | 3
}

function checkAlgorithm(content: Uint8Array): void {
  const reader = new DerReader(content)
  reader.element(TAG.oid)
  if (!reader.done) reader.any()
  reader.end()
}

/** Digits of a UTCTime of this century, read without making a string: two are in every certificate. */
function readTime(reader: DerReader): Date {
  const bytes = reader.rest()
  if (bytes[0] !== TAG.utcTime || bytes[1] !== 13 || bytes[14] !== 0x5a) return reader.time()
  const field = (at: number): number => {
    const tens = bytes[at]! - 0x30
    const ones = bytes[at + 1]! - 0x30
    return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? Number.NaN : tens * 10 + ones
  }
  const day = field(6)
  // Days that some months lack, and everything odd, go the careful way.
  if (!(field(2) < 50 && field(4) >= 1 && field(4) <= 12 && day >= 1 && day <= 28)) return reader.time()
  if (!(field(8) < 24 && field(10) < 60 && field(12) < 60)) return reader.time()
  reader.any()
  return new Date(Date.UTC(2000 + field(2), field(4) - 1, day, field(8), field(10), field(12)))
}

function guarded<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof EncodingError)) throw cause
    throw new X509Error('X509_CERTIFICATE_INVALID', `the certificate is malformed: ${cause.message}`, { cause })
  }
}

/**
 * Reads one DER certificate that fills the bytes; nothing is verified and its key is not parsed yet.
 *
 * Takes what contract/log-v2.md §3.2 takes: version 1 and 2, serial zero or over 20 octets, any dates, any signature
 * algorithm, an empty subject, unknown critical extensions. Refuses version over 3, a negative serial, a repeated
 * extension, a known extension that does not decode, two different signature algorithms, bytes that are not strict DER
 * and anything over 64 KiB. Throws X509_CERTIFICATE_INVALID.
 */
export function parseCertificate(der: Uint8Array): Certificate {
  if (der.length > MAX_CERTIFICATE_BYTES)
    throw new X509Error('X509_CERTIFICATE_INVALID', `the certificate has more than ${MAX_CERTIFICATE_BYTES} bytes`)
  return guarded(() => new ParsedCertificate(der))
}

/** Reads one TBSCertificate that fills the bytes, by the rules of {@link parseCertificate}. */
export function parseTbsCertificate(tbs: Uint8Array): TbsCertificate {
  if (tbs.length > MAX_CERTIFICATE_BYTES)
    throw new X509Error('X509_CERTIFICATE_INVALID', `the certificate has more than ${MAX_CERTIFICATE_BYTES} bytes`)
  return guarded(() => new ParsedTbs(tbs))
}

/** All CERTIFICATE blocks of a PEM text, in order. Throws ENCODING_PEM or X509_CERTIFICATE_INVALID, also when there is none. */
export function parseCertificatesPem(text: string, limit = 64): Certificate[] {
  const certificates = pemDecodeAll(text, limit)
    .filter(({ label }) => label === 'CERTIFICATE')
    .map(({ bytes }) => parseCertificate(bytes))
  if (certificates.length === 0)
    throw new X509Error('X509_CERTIFICATE_INVALID', 'there is no CERTIFICATE block in the text')
  return certificates
}
