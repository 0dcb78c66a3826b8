import { PUBLIC_KEY_DETAILS, type HashAlgorithm, type KeyDetailsName } from '@touchmark/crypto'
import { decodeProtoJson, EncodingError, equalBytes } from '@touchmark/encoding'
import {
  encodeEntryBody,
  ENTRY_VERSION,
  MAX_ENTRY_BYTES,
  type EntryBody,
  type EntryDigest,
  type EntrySignature,
} from './body.js'
import { EntryError } from './errors.js'
import { ENTRY_HASHES, entryMessage } from './proto.js'

interface RawDigest {
  algorithm?: number
  digest?: Uint8Array
}

interface RawSignature {
  content?: Uint8Array
  verifier?: {
    publicKey?: { rawBytes?: Uint8Array }
    x509Certificate?: { rawBytes?: Uint8Array }
    keyDetails?: number
  }
}

interface RawEntry {
  apiVersion?: string
  kind?: string
  spec?: {
    hashedRekordV002?: { data?: RawDigest; signature?: RawSignature }
    dsseV002?: { payloadHash?: RawDigest; signatures?: RawSignature[] }
  }
}

function nameOf<Name extends string>(values: Readonly<Record<Name, number>>, number: number | undefined): Name {
  const name = (Object.keys(values) as Name[]).find((key) => values[key] === number)
  return name ?? invalid('an enum is missing')
}

function invalid(why: string, cause?: unknown): never {
  const details = cause === undefined ? {} : { cause }
  throw new EntryError('ENTRY_BODY_INVALID', `not the canonical body of an entry: ${why}`, details)
}

function digestOf(raw: RawDigest | undefined): EntryDigest {
  if (raw?.digest === undefined) return invalid('there is no digest')
  return { algorithm: nameOf<HashAlgorithm>(ENTRY_HASHES, raw.algorithm), digest: raw.digest }
}

function signatureOf(raw: RawSignature | undefined): EntrySignature {
  const verifier = raw?.verifier
  if (raw?.content === undefined || verifier === undefined) return invalid('a signature or its verifier is missing')
  const keyDetails = nameOf<KeyDetailsName>(PUBLIC_KEY_DETAILS, verifier.keyDetails)
  const { content } = raw
  const publicKey = verifier.publicKey?.rawBytes
  if (publicKey !== undefined) return { content, verifier: { keyDetails, publicKey } }
  const x509Certificate = verifier.x509Certificate?.rawBytes
  if (x509Certificate !== undefined) return { content, verifier: { keyDetails, x509Certificate } }
  return invalid('a verifier has neither key nor certificate')
}

function bodyOf(raw: RawEntry): EntryBody {
  if (raw.apiVersion !== ENTRY_VERSION) return invalid('its version is not 0.0.2')
  const { hashedRekordV002: hashedRekord, dsseV002: dsse } = raw.spec ?? {}
  if (raw.kind === 'hashedrekord' && hashedRekord !== undefined) {
    const { data, signature } = hashedRekord
    return { kind: raw.kind, version: ENTRY_VERSION, data: digestOf(data), signature: signatureOf(signature) }
  }
  if (raw.kind === 'dsse' && dsse !== undefined) {
    const signatures = (dsse.signatures ?? []).map(signatureOf)
    return { kind: raw.kind, version: ENTRY_VERSION, payloadHash: digestOf(dsse.payloadHash), signatures }
  }
  return invalid('its kind is not known, or is another than its content')
}

/**
 * Reads the canonical body of a version 0.0.2 entry, from a tile or a bundle. What it answers encodes to exactly these bytes:
 * nothing that a reader of the fields would not see can hide in the leaf. No signature and no certificate is looked at.
 * Throws ENTRY_BODY_INVALID.
 */
export function parseEntryBody(bytes: Uint8Array): EntryBody {
  if (bytes.length > MAX_ENTRY_BYTES) return invalid(`it has more than ${MAX_ENTRY_BYTES} bytes`)
  let raw: RawEntry
  try {
    raw = decodeProtoJson(bytes, entryMessage, {
      unknownFields: 'refuse',
      snakeCase: false,
      trailing: 'refuse',
      strictValues: true,
      maxDepth: 10,
    })
  } catch (cause) {
    if (cause instanceof EncodingError) return invalid(cause.message, cause)
    throw cause
  }
  const body = bodyOf(raw)
  if (!equalBytes(encodeEntryBody(body), bytes)) return invalid('it is not canonical JSON')
  return body
}
