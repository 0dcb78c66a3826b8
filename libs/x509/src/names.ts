import {
  DerReader,
  derElement,
  derOid,
  derSequence,
  derUtf8String,
  EncodingError,
  hexEncode,
  readDer,
  TAG,
  utf8Decode,
} from '@touchmark/encoding'
import { X509Error } from './errors.js'
import { readOid } from './oids.js'

/** One attribute of a distinguished name, in the order of the encoding. */
export interface NameAttribute {
  readonly oid: string
  readonly value: string
}

/** Subject of a certificate of ours: sigstore-python demands both members of every CA and TSA in a trusted root. */
export interface SubjectName {
  readonly organization: string
  readonly commonName: string
}

const SHORT_NAMES: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.4': 'SN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'street',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.17': 'postalCode',
  '1.2.840.113549.1.9.1': 'emailAddress',
}

const ORGANIZATION = '2.5.4.10'
const COMMON_NAME = '2.5.4.3'
const MAX_NAME_TEXT = 64

/** Reads one Name and checks its structure (RFC 5280 §4.1.2.4), values unread; gives its DER. Throws DER_INVALID. */
export function readName(reader: DerReader): Uint8Array {
  const { bytes, content } = reader.element(TAG.sequence)
  const names = new DerReader(content)
  while (!names.done) {
    const set = names.set()
    do {
      const attribute = set.sequence()
      attribute.element(TAG.oid)
      attribute.any()
      attribute.end()
    } while (!set.done)
  }
  return bytes
}

/** Attributes of a Name's DER. Throws X509_NAME_INVALID. */
export function parseName(der: Uint8Array): readonly NameAttribute[] {
  try {
    return readDer(der, (reader) => {
      const attributes: NameAttribute[] = []
      const names = reader.sequence()
      while (!names.done) {
        const set = names.set()
        do {
          const attribute = set.sequence()
          const oid = readOid(attribute.element(TAG.oid).content)
          const { tag, content, bytes } = attribute.any()
          attribute.end()
          attributes.push({ oid, value: decodeText(tag, content) ?? `#${hexEncode(bytes)}` })
        } while (!set.done)
      }
      return attributes
    })
  } catch (cause) {
    if (!(cause instanceof EncodingError)) throw cause
    throw new X509Error('X509_NAME_INVALID', `distinguished name: ${cause.message}`, { cause })
  }
}

function decodeText(tag: number, content: Uint8Array): string | undefined {
  switch (tag) {
    case TAG.utf8String:
      return utf8Decode(content)
    case TAG.printableString:
    case TAG.ia5String:
    case TAG.teletexString:
    case 0x12: // NumericString
      return latin1(content)
    case TAG.bmpString: {
      if (content.length % 2 !== 0) return undefined
      let text = ''
      for (let i = 0; i < content.length; i += 2) text += String.fromCharCode((content[i]! << 8) | content[i + 1]!)
      return text
    }
    default:
      return undefined
  }
}

function latin1(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

/**
 * A Name for people, in the order of the encoding: `O=example.org, CN=touchmark`. Separators and control characters in
 * values are escaped, so the text cannot pretend to have another attribute. Throws X509_NAME_INVALID.
 */
export function nameToString(der: Uint8Array): string {
  return parseName(der)
    .map(({ oid, value }) => `${SHORT_NAMES[oid] ?? oid}=${escapeValue(value)}`)
    .join(', ')
}

function escapeValue(value: string): string {
  return (
    value
      .replace(/[,+"\\<>;=]/g, (found) => `\\${found}`)
      // eslint-disable-next-line no-control-regex -- names come from outside and end on a terminal
      .replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (found) => {
        return `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`
      })
  )
}

/** First organization and common name of a Name, `''` for what is not there. Throws X509_NAME_INVALID. */
export function subjectNameOf(der: Uint8Array): SubjectName {
  const attributes = parseName(der)
  const value = (oid: string): string => attributes.find((attribute) => attribute.oid === oid)?.value ?? ''
  return { organization: value(ORGANIZATION), commonName: value(COMMON_NAME) }
}

/** Name DER with organization, then common name, as UTF8String. Throws X509_NAME_INVALID on an empty or over-long (64) value. */
export function encodeSubjectName(name: SubjectName): Uint8Array {
  for (const text of [name.organization, name.commonName])
    if (text === '' || [...text].length > MAX_NAME_TEXT || !text.isWellFormed())
      throw new X509Error('X509_NAME_INVALID', `a name has 1 to ${MAX_NAME_TEXT} characters`)
  const part = (oid: string, text: string): Uint8Array =>
    derElement(TAG.set, derSequence(derOid(oid), derUtf8String(text)))
  return derSequence(part(ORGANIZATION, name.organization), part(COMMON_NAME, name.commonName))
}
