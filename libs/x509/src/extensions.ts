import { context, DerReader, EncodingError, TAG } from '@touchmark/encoding'
import { readGeneralNames } from './general-names.js'
import type { GeneralNames } from './general-names.js'
import { EXTENSION_OID, readOid } from './oids.js'

/** One extension as it stands in a certificate; all bytes are views. */
export interface Extension {
  readonly oid: string
  readonly critical: boolean
  /** Content of the extnValue OCTET STRING. */
  readonly value: Uint8Array
  /** The whole Extension element. */
  readonly bytes: Uint8Array
}

export interface KeyUsage {
  readonly digitalSignature: boolean
  readonly contentCommitment: boolean
  readonly keyCertSign: boolean
  readonly cRLSign: boolean
  /** All bits, most significant first, as in the BIT STRING. */
  readonly bits: Uint8Array
}

export interface BasicConstraints {
  readonly ca: boolean
  readonly pathLength?: number
}

/** Extensions that are understood, read while the certificate is. */
export interface KnownExtensions {
  keyUsage: KeyUsage | undefined
  extKeyUsage: readonly string[] | undefined
  basicConstraints: BasicConstraints | undefined
  subjectKeyId: Uint8Array | undefined
  authorityKeyId: Uint8Array | undefined
  subjectAltName: GeneralNames | undefined
}

const MAX_EXTENSIONS = 64
const MAX_PURPOSES = 64

function fail(why: string): never {
  throw new EncodingError('DER_INVALID', why)
}

/**
 * Reads Extensions (the content of [3]) in order. A repeated extension is refused; an explicit `critical FALSE` is taken,
 * as Go takes it. Throws DER_INVALID.
 */
export function readExtensions(content: Uint8Array): Map<string, Extension> {
  const outer = new DerReader(content)
  const reader = outer.sequence()
  outer.end()
  const extensions = new Map<string, Extension>()
  do {
    if (extensions.size === MAX_EXTENSIONS) fail(`more than ${MAX_EXTENSIONS} extensions`)
    const { content: inner, bytes } = reader.element(TAG.sequence)
    const extension = new DerReader(inner)
    const oid = readOid(extension.element(TAG.oid).content)
    const critical = extension.peek() === TAG.boolean ? extension.boolean() : false
    const value = extension.octetString()
    extension.end()
    if (extensions.has(oid)) fail(`extension ${oid} is repeated`)
    extensions.set(oid, { oid, critical, value, bytes })
  } while (!reader.done)
  return extensions
}

/** Decodes the extensions that are known here; one that does not decode is refused (log-v2.md §3.2). Throws DER_INVALID. */
export function readKnownExtensions(extensions: ReadonlyMap<string, Extension>): KnownExtensions {
  const known: KnownExtensions = {
    keyUsage: undefined,
    extKeyUsage: undefined,
    basicConstraints: undefined,
    subjectKeyId: undefined,
    authorityKeyId: undefined,
    subjectAltName: undefined,
  }
  for (const { oid, value } of extensions.values()) {
    switch (oid) {
      case EXTENSION_OID.keyUsage:
        known.keyUsage = readKeyUsage(value)
        break
      case EXTENSION_OID.extKeyUsage:
        known.extKeyUsage = readExtKeyUsage(value)
        break
      case EXTENSION_OID.basicConstraints:
        known.basicConstraints = readBasicConstraints(value)
        break
      case EXTENSION_OID.subjectKeyIdentifier:
        known.subjectKeyId = whole(value, (reader) => reader.octetString())
        break
      case EXTENSION_OID.authorityKeyIdentifier:
        known.authorityKeyId = readAuthorityKeyId(value)
        break
      case EXTENSION_OID.subjectAltName:
        known.subjectAltName = readGeneralNames(value)
        break
    }
  }
  return known
}

function whole<T>(value: Uint8Array, read: (reader: DerReader) => T): T {
  const reader = new DerReader(value)
  const result = read(reader)
  reader.end()
  return result
}

function readKeyUsage(value: Uint8Array): KeyUsage {
  const bits = whole(value, (reader) => reader.bitString({ bits: true }))
  const first = bits[0] ?? 0
  return {
    digitalSignature: (first & 0x80) !== 0,
    contentCommitment: (first & 0x40) !== 0,
    keyCertSign: (first & 0x04) !== 0,
    cRLSign: (first & 0x02) !== 0,
    bits,
  }
}

function readExtKeyUsage(value: Uint8Array): readonly string[] {
  const reader = whole(value, (outer) => outer.sequence())
  const purposes: string[] = []
  do {
    if (purposes.length === MAX_PURPOSES) fail(`more than ${MAX_PURPOSES} purposes`)
    purposes.push(readOid(reader.element(TAG.oid).content))
  } while (!reader.done)
  return purposes
}

function readBasicConstraints(value: Uint8Array): BasicConstraints {
  const reader = whole(value, (outer) => outer.sequence())
  const ca = reader.peek() === TAG.boolean ? reader.boolean() : false
  const pathLength = reader.peek() === TAG.integer ? reader.smallInteger() : undefined
  reader.end()
  return pathLength === undefined ? { ca } : { ca, pathLength }
}

function readAuthorityKeyId(value: Uint8Array): Uint8Array | undefined {
  const reader = whole(value, (outer) => outer.sequence())
  const keyId = reader.optional(context(0, false))?.content
  reader.optional(context(1))
  reader.optional(context(2, false))
  reader.end()
  return keyId
}
