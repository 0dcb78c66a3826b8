import { concatBytes } from '@touchmark/encoding'
import { X509Error } from './errors.js'
import { TlsReader, u16, u24, u64 } from './tls-bytes.js'

/** What a certificate log holds (RFC 6962 §3.4): a precertificate's TBS under its issuer's key hash, or a certificate. */
export type CtEntry =
  | {
      readonly type: 'precert'
      /** SHA-256 of the issuing CA's SPKI. */
      readonly issuerKeyHash: Uint8Array
      /** TBSCertificate without the poison extension. */
      readonly tbs: Uint8Array
    }
  | { readonly type: 'x509'; readonly certificate: Uint8Array }

export interface TimestampedEntry {
  /** Milliseconds since 1970. */
  readonly timestampMs: number
  readonly entry: CtEntry
  /** CtExtensions; empty in RFC 6962 logs. */
  readonly extensions: Uint8Array
}

const X509_ENTRY = 0
const PRECERT_ENTRY = 1
/** An ASN.1Cert has a 24-bit length; nothing here is near it. */
const MAX_CHAIN = 64

function malformed(why: string): never {
  throw new X509Error('X509_CT_LEAF_MALFORMED', `certificate log entry: ${why}`)
}

/** Version 1, type 0, and TimestampedEntry: MerkleTreeLeaf, and equally what an SCT signs. */
export function encodeTimestampedEntry({ timestampMs, entry, extensions }: TimestampedEntry): Uint8Array {
  const body =
    entry.type === 'precert'
      ? [u16(PRECERT_ENTRY), entry.issuerKeyHash, u24(entry.tbs.length), entry.tbs]
      : [u16(X509_ENTRY), u24(entry.certificate.length), entry.certificate]
  return concatBytes(Uint8Array.of(0, 0), u64(timestampMs), ...body, u16(extensions.length), extensions)
}

/**
 * MerkleTreeLeaf (RFC 6962 §3.4) of a precertificate: the bytes that are hashed into the tree and that get-entries returns
 * as `leaf_input`.
 */
export function buildPrecertLeaf(input: {
  readonly timestampMs: number
  readonly issuerKeyHash: Uint8Array
  readonly tbs: Uint8Array
}): Uint8Array {
  const { timestampMs, issuerKeyHash, tbs } = input
  return encodeTimestampedEntry({
    timestampMs,
    entry: { type: 'precert', issuerKeyHash, tbs },
    extensions: new Uint8Array(),
  })
}

/** MerkleTreeLeaf of a certificate, such as the genesis entry of a certificate log. */
export function buildX509Leaf(input: { readonly timestampMs: number; readonly certificate: Uint8Array }): Uint8Array {
  const { timestampMs, certificate } = input
  return encodeTimestampedEntry({ timestampMs, entry: { type: 'x509', certificate }, extensions: new Uint8Array() })
}

/** Reads a MerkleTreeLeaf that fills the bytes. Throws X509_CT_LEAF_MALFORMED. */
export function parseMerkleTreeLeaf(bytes: Uint8Array): TimestampedEntry {
  const reader = new TlsReader(bytes, malformed)
  if (reader.u8() !== 0) malformed('unknown version')
  if (reader.u8() !== 0) malformed('unknown leaf type')
  const timestampMs = reader.timestamp()
  const entry = readEntry(reader)
  const extensions = reader.bytes(reader.u16())
  reader.end()
  return { timestampMs, entry, extensions }
}

function readEntry(reader: TlsReader): CtEntry {
  switch (reader.u16()) {
    case X509_ENTRY:
      return { type: 'x509', certificate: reader.bytes(reader.u24()) }
    case PRECERT_ENTRY:
      return { type: 'precert', issuerKeyHash: reader.bytes(32), tbs: reader.bytes(reader.u24()) }
    default:
      return malformed('unknown entry type')
  }
}

/** `certificate_chain`: what get-entries returns as `extra_data` of an x509 entry, from the issuer to the root. */
export function encodeCertificateChain(chain: readonly Uint8Array[]): Uint8Array {
  const items = chain.flatMap((der) => [u24(der.length), der])
  return concatBytes(u24(items.reduce((sum, item) => sum + item.length, 0)), ...items)
}

/** PrecertChainEntry: what get-entries returns as `extra_data` of a precertificate entry. */
export function encodePrecertChainEntry(precertificate: Uint8Array, chain: readonly Uint8Array[]): Uint8Array {
  return concatBytes(u24(precertificate.length), precertificate, encodeCertificateChain(chain))
}

/** Reads `certificate_chain`. Throws X509_CT_LEAF_MALFORMED. */
export function parseCertificateChain(bytes: Uint8Array): Uint8Array[] {
  const reader = new TlsReader(bytes, malformed)
  if (reader.u24() !== bytes.length - 3) malformed('the chain has another length than it says')
  const chain: Uint8Array[] = []
  while (!reader.done) {
    if (chain.length === MAX_CHAIN) malformed(`more than ${MAX_CHAIN} certificates`)
    chain.push(reader.bytes(reader.u24()))
  }
  return chain
}

/** Reads PrecertChainEntry. Throws X509_CT_LEAF_MALFORMED. */
export function parsePrecertChainEntry(bytes: Uint8Array): { precertificate: Uint8Array; chain: Uint8Array[] } {
  const reader = new TlsReader(bytes, malformed)
  const precertificate = reader.bytes(reader.u24())
  return { precertificate, chain: parseCertificateChain(bytes.subarray(3 + precertificate.length)) }
}
