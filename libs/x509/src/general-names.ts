import {
  context,
  derElement,
  derExplicit,
  derOid,
  DerReader,
  derSequence,
  derUtf8String,
  EncodingError,
  equalBytes,
  TAG,
  utf8Decode,
} from '@touchmark/encoding'
import type { DerElement } from '@touchmark/encoding'
import { X509Error } from './errors.js'
import { OTHER_NAME_OID, readOid } from './oids.js'

/** A name that a certificate can be issued for; an otherName is the one of type-id 57264.1.7 (`user!domain`). */
export interface SubjectAltName {
  readonly type: 'email' | 'uri' | 'otherName'
  readonly value: string
}

/** Names of an extension: those understood, and those of any other kind as they are. */
export interface GeneralNames {
  readonly names: readonly SubjectAltName[]
  readonly unknown: readonly DerElement[]
}

const MAX_NAMES = 256
const OTHER_NAME = context(0)
const EMAIL = context(1, false)
const DIRECTORY_NAME = context(4)
const URI = context(6, false)
const KNOWN_TAGS = new Set([
  OTHER_NAME,
  EMAIL,
  context(2, false),
  context(3),
  DIRECTORY_NAME,
  context(5),
  URI,
  context(7, false),
  context(8, false),
])

function malformed(why: string): never {
  throw new EncodingError('DER_INVALID', `subjectAltName: ${why}`)
}

/** Reads the content of a subjectAltName extension. Throws DER_INVALID. */
export function readGeneralNames(value: Uint8Array): GeneralNames {
  const outer = new DerReader(value)
  const reader = outer.sequence()
  outer.end()
  const names: SubjectAltName[] = []
  const unknown: DerElement[] = []
  for (let count = 0; !reader.done; count++) {
    if (count === MAX_NAMES) malformed(`more than ${MAX_NAMES} names`)
    const element = reader.any()
    if (element.tag === EMAIL) names.push({ type: 'email', value: decodeIa5(element.content) })
    else if (element.tag === URI) names.push({ type: 'uri', value: decodeIa5(element.content) })
    else if (!KNOWN_TAGS.has(element.tag)) malformed('no such kind of name')
    else {
      const user = element.tag === OTHER_NAME ? readOtherName(element.content) : undefined
      if (user === undefined) unknown.push(element)
      else names.push({ type: 'otherName', value: user })
    }
  }
  return { names, unknown }
}

function readOtherName(content: Uint8Array): string | undefined {
  const reader = new DerReader(content)
  const typeId = readOid(reader.element(TAG.oid).content)
  const value = reader.enter(context(0))
  reader.end()
  if (typeId !== OTHER_NAME_OID) {
    value.any()
    value.end()
    return undefined
  }
  const text = utf8Decode(value.element(TAG.utf8String).content)
  value.end()
  return text
}

function decodeIa5(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) {
    if (byte > 0x7f) malformed('a name is not IA5')
    text += String.fromCharCode(byte)
  }
  return text
}

/**
 * Content of a subjectAltName extension with this one name. Throws X509_SAN_NOT_IA5 when an e-mail address or URI has a
 * character outside ASCII; the text is the one of the reference (ca.md §4).
 */
export function encodeSubjectAltName(name: SubjectAltName): Uint8Array {
  if (name.type === 'otherName')
    return derSequence(derElement(OTHER_NAME, derOid(OTHER_NAME_OID), derExplicit(0, derUtf8String(name.value))))
  const bytes = new Uint8Array(name.value.length)
  for (let i = 0; i < bytes.length; i++) {
    const code = name.value.charCodeAt(i)
    if (code > 0x7f) throw new X509Error('X509_SAN_NOT_IA5', `x509: "${name.value}" cannot be encoded as an IA5String`)
    bytes[i] = code
  }
  return derSequence(derElement(name.type === 'email' ? EMAIL : URI, bytes))
}

/** True when a subjectAltName extension holds exactly the one name that {@link encodeSubjectAltName} writes. */
export function isSubjectAltName(value: Uint8Array, name: SubjectAltName): boolean {
  return equalBytes(value, encodeSubjectAltName(name))
}
