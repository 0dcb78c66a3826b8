import { concatBytes, derOctetString, EncodingError, equalBytes, readDer } from '@touchmark/encoding'
import type { CryptoPort, PublicKey, SignatureScheme, Signer } from '@touchmark/crypto'
import type { Certificate } from './certificate.js'
import { encodeTimestampedEntry } from './ct-entry.js'
import type { CtEntry } from './ct-entry.js'
import { X509Error } from './errors.js'
import { EXTENSION_OID } from './oids.js'
import { precertTbs } from './precert.js'
import { TlsReader, u16, u64 } from './tls-bytes.js'

/** RFC 6962 §3.2, version 1. */
export interface SignedCertificateTimestamp {
  readonly version: 0
  /** SHA-256 of the log key's SPKI. */
  readonly logId: Uint8Array
  /** Milliseconds since 1970. */
  readonly timestampMs: number
  readonly extensions: Uint8Array
  readonly signature: DigitallySigned
}

export type Sct = SignedCertificateTimestamp

/** RFC 5246 §4.7: hash 4 is SHA-256; signature algorithm 3 is ECDSA, 1 is RSA. */
export interface DigitallySigned {
  readonly hash: number
  readonly algorithm: number
  readonly bytes: Uint8Array
}

const MAX_SCTS = 32
const SHA256 = 4
const RSA = 1
const ECDSA = 3

function malformed(why: string): never {
  throw new X509Error('X509_SCT_MALFORMED', `SCT: ${why}`)
}

/** TLS encoding of one SCT. */
export function encodeSct(sct: SignedCertificateTimestamp): Uint8Array {
  const { hash, algorithm, bytes } = sct.signature
  const body = [Uint8Array.of(sct.version), sct.logId, u64(sct.timestampMs), u16(sct.extensions.length), sct.extensions]
  return concatBytes(...body, Uint8Array.of(hash, algorithm), u16(bytes.length), bytes)
}

/** Reads one SCT that fills the bytes. Throws X509_SCT_MALFORMED, also for a version other than 1. */
export function parseSct(bytes: Uint8Array): SignedCertificateTimestamp {
  const reader = new TlsReader(bytes, malformed)
  if (reader.u8() !== 0) malformed('unknown version')
  const logId = reader.bytes(32)
  const timestampMs = reader.timestamp()
  const extensions = reader.bytes(reader.u16())
  const [hash, algorithm] = [reader.u8(), reader.u8()]
  const signature = { hash, algorithm, bytes: reader.bytes(reader.u16()) }
  reader.end()
  return { version: 0, logId, timestampMs, extensions, signature }
}

/** SignedCertificateTimestampList (RFC 6962 §3.3) without its OCTET STRING. */
export function encodeSctList(scts: readonly SignedCertificateTimestamp[]): Uint8Array {
  const items = scts.map(encodeSct).flatMap((sct) => [u16(sct.length), sct])
  return concatBytes(u16(items.reduce((sum, item) => sum + item.length, 0)), ...items)
}

/** Reads a list that fills the bytes; it has 1 to 32 members. Throws X509_SCT_MALFORMED. */
export function parseSctList(bytes: Uint8Array): SignedCertificateTimestamp[] {
  const reader = new TlsReader(bytes, malformed)
  if (reader.u16() !== bytes.length - 2) malformed('the list has another length than it says')
  const scts: SignedCertificateTimestamp[] = []
  do {
    if (scts.length === MAX_SCTS) malformed(`more than ${MAX_SCTS} in one list`)
    scts.push(parseSct(reader.bytes(reader.u16())))
  } while (!reader.done)
  return scts
}

/** Content of the SCT list extension (ca.md §10): the list in an OCTET STRING of its own. */
export function encodeSctExtension(scts: readonly SignedCertificateTimestamp[]): Uint8Array {
  return derOctetString(encodeSctList(scts))
}

/** The SCTs that a certificate carries. Throws X509_SCT_MISSING when there is no list, X509_SCT_MALFORMED. */
export function embeddedScts(certificate: Pick<Certificate, 'extensions'>): SignedCertificateTimestamp[] {
  const extension = certificate.extensions.get(EXTENSION_OID.sctList)
  if (extension === undefined) throw new X509Error('X509_SCT_MISSING', 'the certificate carries no SCT')
  let list: Uint8Array
  try {
    list = readDer(extension.value, (reader) => reader.octetString())
  } catch (cause) {
    if (!(cause instanceof EncodingError)) throw cause
    throw new X509Error('X509_SCT_MALFORMED', `SCT list: ${cause.message}`, { cause })
  }
  return parseSctList(list)
}

/**
 * The bytes that an SCT signs (RFC 6962 §3.2). They are the bytes of the MerkleTreeLeaf as well: version and signature
 * type are both 0, as are version and leaf type there.
 */
export function sctSignedData(
  sct: Pick<SignedCertificateTimestamp, 'timestampMs' | 'extensions'>,
  entry: CtEntry,
): Uint8Array {
  return encodeTimestampedEntry({ timestampMs: sct.timestampMs, entry, extensions: sct.extensions })
}

export interface SctCheck {
  readonly sct: SignedCertificateTimestamp
  readonly entry: CtEntry
  readonly logKey: PublicKey
  readonly crypto: CryptoPort
}

/**
 * Checks one SCT: its log id is this key's, its signature covers exactly this entry. Time is the caller's to judge.
 * Throws X509_SCT_UNKNOWN_LOG, X509_SCT_SIGNATURE.
 */
export function verifySct({ sct, entry, logKey, crypto }: SctCheck): void {
  if (!equalBytes(sct.logId, ctLogId(logKey, crypto)))
    throw new X509Error('X509_SCT_UNKNOWN_LOG', 'the SCT is of another certificate log')
  const scheme = sctScheme(sct.signature, logKey)
  if (scheme === undefined || !crypto.verify(logKey, scheme, sctSignedData(sct, entry), sct.signature.bytes))
    throw new X509Error('X509_SCT_SIGNATURE', "the SCT's signature does not cover this certificate")
}

function sctScheme({ hash, algorithm }: DigitallySigned, key: PublicKey): SignatureScheme | undefined {
  if (hash !== SHA256) return undefined
  if (algorithm === ECDSA && key.type.kind === 'ecdsa') return { kind: 'ecdsa', hash: 'SHA2_256' }
  if (algorithm === RSA && key.type.kind === 'rsa') return { kind: 'rsa-pkcs1', hash: 'SHA2_256' }
  return undefined
}

/** Id of a certificate log: SHA-256 of its key's SPKI (RFC 6962 §3.2). */
export function ctLogId(logKey: PublicKey, crypto: Pick<CryptoPort, 'hash'>): Uint8Array {
  return crypto.hash('SHA2_256', logKey.spki)
}

/** What a log signs for this certificate: precertificate entry under the issuer's key hash. Throws X509_PRECERT_INVALID. */
export function precertEntryOf(
  leaf: Certificate,
  issuer: Pick<Certificate, 'spki'>,
  crypto: Pick<CryptoPort, 'hash'>,
): CtEntry {
  return { type: 'precert', issuerKeyHash: crypto.hash('SHA2_256', issuer.spki), tbs: precertTbs(leaf) }
}

/**
 * Checks that the certificate carries an SCT of this log over itself, and returns it. With several of this log, the first
 * that holds counts. Throws X509_SCT_MISSING, X509_SCT_MALFORMED, X509_SCT_UNKNOWN_LOG (none is of this log),
 * X509_SCT_SIGNATURE.
 */
export function verifyEmbeddedSct(input: {
  readonly leaf: Certificate
  readonly issuer: Pick<Certificate, 'spki'>
  readonly logKey: PublicKey
  readonly crypto: CryptoPort
}): SignedCertificateTimestamp {
  const { leaf, issuer, logKey, crypto } = input
  const scts = embeddedScts(leaf)
  const entry = precertEntryOf(leaf, issuer, crypto)
  let failure: X509Error | undefined
  for (const sct of scts) {
    try {
      verifySct({ sct, entry, logKey, crypto })
      return sct
    } catch (error) {
      if (!(error instanceof X509Error)) throw error
      if (failure?.code !== 'X509_SCT_SIGNATURE') failure = error
    }
  }
  throw failure!
}

/**
 * Signs an SCT. The log's key MUST be ECDSA P-256 with SHA-256 or RSA with SHA-256 (X509_ALGORITHM_UNSUPPORTED): no client
 * takes another. The entry MUST be durable in the log, or promised within its merge delay, before the SCT is handed out.
 */
export async function signSct(
  input: { readonly timestampMs: number; readonly entry: CtEntry; readonly extensions?: Uint8Array },
  signer: Signer,
  crypto: Pick<CryptoPort, 'hash'>,
): Promise<SignedCertificateTimestamp> {
  const { timestampMs, entry, extensions = new Uint8Array() } = input
  const { scheme, publicKey } = signer
  const algorithm = scheme.kind === 'ecdsa' ? ECDSA : RSA
  if (!('hash' in scheme) || scheme.hash !== 'SHA2_256')
    throw new X509Error('X509_ALGORITHM_UNSUPPORTED', `a certificate log cannot sign with ${scheme.kind}`)
  const bytes = await signer.sign(sctSignedData({ timestampMs, extensions }, entry))
  const signature = { hash: SHA256, algorithm, bytes }
  return { version: 0, logId: ctLogId(publicKey, crypto), timestampMs, extensions, signature }
}
