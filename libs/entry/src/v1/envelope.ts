import type { CryptoPort } from '@touchmark/crypto'
import { base64Decode, concatBytes, EncodingError, utf8Encode, type JsonValue } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { invalid } from './errors.js'
import { arrayMember, readJson, stringMember } from './json.js'
import type { PemKey } from './pem-key.js'
import { signaturesOver } from './signature.js'

/** Of signatures and of keys, counted before any is parsed: 10 × 10 verifications are the most one request can cost. */
export const MAX_SIGNERS = 10

/** A DSSE envelope whose base64 has been read. */
export interface Envelope {
  readonly payloadType: string
  readonly payload: Uint8Array
  /** The texts as sent, and their bytes. */
  readonly signatures: readonly { readonly text: string; readonly bytes: Uint8Array }[]
}

/** Reads the JSON text of an envelope. Throws ENTRY_V1_INVALID. */
export function parseEnvelope(text: string): Envelope {
  let value: JsonValue
  try {
    value = readJson(utf8Encode(text))
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    return invalid(
      cause.message === 'unexpected EOF' || text === '' ? 'unexpected end of JSON input' : cause.message,
      cause,
    )
  }
  const signatures = arrayMember(value, 'signatures') ?? []
  return openEnvelope(
    stringMember(value, 'payloadType') ?? '',
    stringMember(value, 'payload') ?? '',
    signatures.map((signature) => stringMember(signature, 'sig') ?? ''),
  )
}

/** The envelope of these members: the payload and the signatures in standard base64 with padding, and in no other. Throws ENTRY_V1_INVALID. */
export function openEnvelope(payloadType: string, payload: string, sigs: readonly string[]): Envelope {
  if (sigs.length === 0) invalid('DSSE envelope must contain 1 or more signatures')
  if (sigs.length > MAX_SIGNERS) invalid(`DSSE envelope must not contain more than ${MAX_SIGNERS} signatures`)
  return {
    payloadType,
    payload: decode(payload),
    signatures: sigs.map((text) => ({ text, bytes: decode(text) })),
  }
}

/** base64url, which the reference takes too, would give an entry that it cannot read back (log-v1.md §6). */
function decode(text: string): Uint8Array {
  try {
    return base64Decode(text, { trailingBits: 'any' })
  } catch (cause) {
    if (!(cause instanceof EncodingError)) throw cause
    return invalid(
      'could not verify envelope: unable to base64 decode payload (is payload in the right format?)',
      cause,
    )
  }
}

/** DSSE's pre-authentication encoding: what the signatures are over. Lengths are of bytes. */
export function preAuthenticationEncoding({ payloadType, payload }: Envelope): Uint8Array {
  const type = utf8Encode(payloadType)
  return concatBytes(utf8Encode(`DSSEv1 ${type.length} `), type, utf8Encode(` ${payload.length} `), payload)
}

const NOT_VERIFIED = 'accepted signatures do not match threshold, Found: 0, Expected 1'

/**
 * Which key made which signature, by the text of the signature. Each key accounts for the first signature it verifies; every signature must be
 * accounted for, and a key that was tried before they are must verify one (log-v1.md §6). Throws ENTRY_V1_INVALID.
 */
export function matchSignatures(envelope: Envelope, keys: readonly PemKey[], crypto: CryptoPort): Map<string, PemKey> {
  const wrongOver = signaturesOver(crypto, preAuthenticationEncoding(envelope))
  const missing = new Set(envelope.signatures.map(({ text }) => text))
  const signers = new Map<string, PemKey>()
  for (const key of keys) {
    if (missing.size === 0) break
    const signed = envelope.signatures.find(({ bytes }) => wrongOver(key.key, bytes) === undefined)
    if (signed === undefined) invalid(`could not verify envelope: ${NOT_VERIFIED}`)
    if (!signers.has(signed.text)) signers.set(signed.text, key)
    missing.delete(signed.text)
  }
  if (missing.size > 0) invalid('all signatures must have a key that verifies it')
  return signers
}

/** The key made one of the envelope's signatures. Throws ENTRY_V1_INVALID when it made none. */
export function assertSignedBy(envelope: Envelope, key: PemKey, crypto: CryptoPort): void {
  const wrongOver = signaturesOver(crypto, preAuthenticationEncoding(envelope))
  if (!envelope.signatures.some(({ bytes }) => wrongOver(key.key, bytes) === undefined)) {
    invalid(NOT_VERIFIED)
  }
}
