import type { HashAlgorithm, KeyDetailsName } from '@touchmark/crypto'
import { utf8Encode } from '@touchmark/encoding'
import { EntryError } from './errors.js'

/** Entry bundles give an entry's length in 16 bits. */
export const MAX_ENTRY_BYTES = 65_535

/** The one version of both kinds that is written here. */
export const ENTRY_VERSION = '0.0.2'

/** The key or certificate that a signature is checked with, and how. Exactly one material is there. */
export type EntryVerifier = { readonly keyDetails: KeyDetailsName } & (
  | { readonly publicKey: Uint8Array; readonly x509Certificate?: never }
  | { readonly x509Certificate: Uint8Array; readonly publicKey?: never }
)

export interface EntrySignature {
  readonly content: Uint8Array
  readonly verifier: EntryVerifier
}

export interface EntryDigest {
  readonly algorithm: HashAlgorithm
  readonly digest: Uint8Array
}

export interface HashedRekordBody {
  readonly kind: 'hashedrekord'
  readonly version: typeof ENTRY_VERSION
  /** Digest of the artifact, or of a DSSE envelope's PAE. */
  readonly data: EntryDigest
  readonly signature: EntrySignature
}

export interface DsseBody {
  readonly kind: 'dsse'
  readonly version: typeof ENTRY_VERSION
  /** SHA-256 of the raw payload. */
  readonly payloadHash: EntryDigest
  /** Ascending by signature bytes. */
  readonly signatures: readonly EntrySignature[]
}

/** What an entry says. */
export type EntryBody = HashedRekordBody | DsseBody

const BASE64 = utf8Encode('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
const PAD = 0x3d

function writeBase64(bytes: Uint8Array, out: Uint8Array, offset: number): number {
  let to = offset
  let i = 0
  for (; i + 2 < bytes.length; i += 3) {
    const group = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!
    out[to++] = BASE64[group >> 18]!
    out[to++] = BASE64[(group >> 12) & 63]!
    out[to++] = BASE64[(group >> 6) & 63]!
    out[to++] = BASE64[group & 63]!
  }
  const left = bytes.length - i
  if (left === 0) return to
  const group = (bytes[i]! << 16) | ((left === 2 ? bytes[i + 1]! : 0) << 8)
  out[to++] = BASE64[group >> 18]!
  out[to++] = BASE64[(group >> 12) & 63]!
  out[to++] = left === 2 ? BASE64[(group >> 6) & 63]! : PAD
  out[to++] = PAD
  return to
}

/** Collects pieces of a body: ASCII text as it is, bytes as standard padded base64; the length is known before anything is copied. */
class BodyWriter {
  readonly #pieces: (string | Uint8Array)[] = []
  #length = 0

  text(ascii: string): this {
    this.#pieces.push(ascii)
    this.#length += ascii.length
    return this
  }

  base64(bytes: Uint8Array): this {
    this.#pieces.push(bytes)
    this.#length += Math.ceil(bytes.length / 3) * 4
    return this
  }

  /** Throws ENTRY_TOO_LARGE. */
  finish(): Uint8Array {
    if (this.#length > MAX_ENTRY_BYTES) {
      const text = `the entry would have ${this.#length} bytes; at most ${MAX_ENTRY_BYTES} can be logged`
      throw new EntryError('ENTRY_TOO_LARGE', text)
    }
    const out = new Uint8Array(this.#length)
    let offset = 0
    for (const piece of this.#pieces) {
      if (typeof piece === 'string') {
        for (let i = 0; i < piece.length; i++) out[offset++] = piece.charCodeAt(i)
      } else offset = writeBase64(piece, out, offset)
    }
    return out
  }
}

// The templates below are RFC 8785 JSON: members in the order of their names, no white space. Names of enums need no escapes.

function writeDigest(writer: BodyWriter, { algorithm, digest }: EntryDigest): void {
  writer.text(`{"algorithm":"${algorithm}","digest":"`).base64(digest).text('"}')
}

function writeSignature(writer: BodyWriter, { content, verifier }: EntrySignature): void {
  const material = verifier.publicKey === undefined ? 'x509Certificate' : 'publicKey'
  writer
    .text('{"content":"')
    .base64(content)
    .text(`","verifier":{"keyDetails":"${verifier.keyDetails}","${material}":{"rawBytes":"`)
    .base64(verifier.publicKey ?? verifier.x509Certificate)
    .text('"}}}')
}

/**
 * The canonical body of an entry (log-v2.md §4): the leaf of the tree, byte for byte what the reference stores.
 * Throws ENTRY_TOO_LARGE over {@link MAX_ENTRY_BYTES}.
 */
export function encodeEntryBody(body: EntryBody): Uint8Array {
  const writer = new BodyWriter()
  if (body.kind === 'hashedrekord') {
    writer.text('{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{"data":')
    writeDigest(writer, body.data)
    writer.text(',"signature":')
    writeSignature(writer, body.signature)
    writer.text('}}}')
  } else {
    writer.text('{"apiVersion":"0.0.2","kind":"dsse","spec":{"dsseV002":{"payloadHash":')
    writeDigest(writer, body.payloadHash)
    writer.text(',"signatures":[')
    body.signatures.forEach((signature, i) => {
      if (i > 0) writer.text(',')
      writeSignature(writer, signature)
    })
    writer.text(']}}}')
  }
  return writer.finish()
}
