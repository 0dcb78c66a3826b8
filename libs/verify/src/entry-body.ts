import type { TransparencyLogEntry } from '@touchmark/bundle'
import type { CryptoPort, HashAlgorithm } from '@touchmark/crypto'
import {
  base64Decode,
  base64Encode,
  canonicalJson,
  equalBytes,
  hexDecode,
  hexEncode,
  parseJson,
  pemDecodeAll,
  utf8Decode,
  utf8Encode,
  type JsonValue,
} from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import type { SignedContent } from './content.js'
import { VerifyError } from './errors.js'
import { firstDifference, isObject, memberAt } from './json-path.js'
import type { PerformedCheck } from './result.js'
import { defaultDetails, type ClaimedSigner } from './signer.js'

/** What a log entry must be about. */
export interface EntrySubject {
  readonly content: SignedContent
  readonly signer: ClaimedSigner
  readonly crypto: CryptoPort
}

const V1_HASH_NAMES: Readonly<Record<HashAlgorithm, string>> = {
  SHA2_256: 'sha256',
  SHA2_384: 'sha384',
  SHA2_512: 'sha512',
}

/** The leaf of a v2 log is written anew from the bundle's own content; entries of v1 logs have parts that only the log knows. */
type Matcher = (body: Reader, subject: EntrySubject) => void
const MATCHERS: Readonly<Record<string, { readonly takes: 'message' | 'envelope' | 'both'; readonly match: Matcher }>> =
  {
    'hashedrekord 0.0.2': { takes: 'both', match: matchHashedrekordV2 },
    'dsse 0.0.2': { takes: 'envelope', match: matchDsseV2 },
    'hashedrekord 0.0.1': { takes: 'message', match: matchHashedrekordV1 },
    'dsse 0.0.1': { takes: 'envelope', match: matchDsseV1 },
    'intoto 0.0.2': { takes: 'envelope', match: matchIntoto },
  }

/** True for the kinds that API v2 stores. */
export function isV2Kind({ kindVersion }: TransparencyLogEntry): boolean {
  return kindVersion.version === '0.0.2' && kindVersion.kind !== 'intoto'
}

/**
 * Checks that a log entry is about exactly this signature: same artifact or payload, same signature bytes, same certificate or key
 * (contract/bundle-and-oci.md §2.6). Throws VERIFY_ENTRY_INVALID, VERIFY_ENTRY_KIND, VERIFY_ENTRY_MISMATCH.
 */
export function verifyEntryBody(entry: TransparencyLogEntry, subject: EntrySubject, checks: PerformedCheck[]): void {
  const name = `${entry.kindVersion.kind} ${entry.kindVersion.version}`
  const body = new Reader(entry.canonicalizedBody)
  const own = `${String(body.value('kind'))} ${String(body.value('apiVersion'))}`
  if (own !== name) throw mismatch('kind and version', name, own)
  // No member that every object has is named with a space, so only the table's own are found.
  const known = MATCHERS[name]
  const content = subject.content.envelope ? 'envelope' : 'message'
  if (known === undefined || (known.takes !== 'both' && known.takes !== content))
    throw new VerifyError('VERIFY_ENTRY_KIND', `an entry of kind ${name} cannot hold this ${content}`, {
      check: 'log entry body',
      expected: Object.keys(MATCHERS)
        .filter((kind) => MATCHERS[kind]!.takes === 'both' || MATCHERS[kind]!.takes === content)
        .join(' or '),
      found: name.slice(0, 140),
    })
  known.match(body, subject)
  checks.push({
    check: 'log entry body',
    subject: `${name} entry ${entry.logIndex}`,
    against: `${content === 'message' ? 'artifact' : 'payload'}, signature and ${subject.signer.kind} of the bundle`,
  })
}

function mismatch(what: string, expected: string, found: string, cause?: unknown): VerifyError {
  return new VerifyError('VERIFY_ENTRY_MISMATCH', `the log entry has another ${what} than the bundle`, {
    cause,
    check: 'log entry body',
    expected: expected.slice(0, 200),
    found: found.slice(0, 200),
  })
}

/** The body of an entry as JSON. */
class Reader {
  readonly bytes: Uint8Array
  readonly json: JsonValue

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    try {
      this.json = parseJson(bytes, { maxDepth: 16 })
    } catch (cause) {
      if (!isCodedError(cause)) throw cause
      throw invalid(cause.message, cause)
    }
    if (!isObject(this.json)) throw invalid('not an object')
  }

  value(...path: readonly (string | number)[]): JsonValue | undefined {
    return memberAt(this.json, path)
  }

  text(...path: readonly (string | number)[]): string {
    const value = this.value(...path)
    if (typeof value !== 'string') throw invalid(`${path.join('.')} is not a string`)
    return value
  }

  base64(...path: readonly (string | number)[]): Uint8Array {
    return decode(this.text(...path), path.join('.'))
  }

  /** The only item of a list: a bundle has one signature, so an entry with more is of something else. */
  only(...path: readonly (string | number)[]): void {
    const list = this.value(...path)
    if (!Array.isArray(list)) throw invalid(`${path.join('.')} is not a list`)
    if (list.length !== 1) throw mismatch('number of signatures', '1', String(list.length))
  }

  compare(what: string, expected: string, found: string): void {
    if (expected !== found) throw mismatch(what, expected, found)
  }

  compareBytes(what: string, expected: Uint8Array, found: Uint8Array): void {
    if (!equalBytes(expected, found)) throw mismatch(what, base64Encode(expected), base64Encode(found))
  }
}

function invalid(why: string, cause?: unknown): VerifyError {
  return new VerifyError('VERIFY_ENTRY_INVALID', `the log entry is malformed: ${why}`, {
    cause,
    check: 'log entry body',
    expected: 'a log entry in canonical JSON',
    found: why.slice(0, 200),
  })
}

function decode(text: string, where: string): Uint8Array {
  try {
    return base64Decode(text)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw invalid(`${where} is not base64`, cause)
  }
}

// --- API v2: the whole leaf is written anew and compared -----------------------------------------------------------

function v2Verifier(signer: ClaimedSigner, keyDetails: string): { [member: string]: JsonValue } {
  return signer.kind === 'certificate'
    ? { keyDetails, x509Certificate: { rawBytes: base64Encode(signer.certificate.der) } }
    : { keyDetails, publicKey: { rawBytes: base64Encode(signer.key.spki) } }
}

/** contract/log-v2.md §4: any member more or less, or of another form, is another leaf. */
function compareLeaf(body: Reader, ...wanted: readonly JsonValue[]): void {
  if (wanted.some((leaf) => equalBytes(utf8Encode(canonicalJson(leaf)), body.bytes))) return
  const difference = firstDifference(wanted[0]!, body.json)
  throw mismatch(
    difference === undefined ? 'form' : difference.path,
    difference?.expected ?? 'canonical JSON',
    difference?.found ?? 'other bytes for the same JSON value',
  )
}

function matchHashedrekordV2(body: Reader, { content, signer }: EntrySubject): void {
  // `keyDetails` must be the default of the key: whoever has only the bundle can rebuild no other leaf.
  const { name, hash } = defaultDetails(signer.key)
  compareLeaf(body, {
    apiVersion: '0.0.2',
    kind: 'hashedrekord',
    spec: {
      hashedRekordV002: {
        data: { algorithm: hash, digest: base64Encode(content.digest(hash)) },
        signature: { content: base64Encode(content.signature), verifier: v2Verifier(signer, name) },
      },
    },
  })
}

function matchDsseV2(body: Reader, { content, signer, crypto }: EntrySubject): void {
  const payloadHash = {
    algorithm: 'SHA2_256',
    digest: base64Encode(crypto.hash('SHA2_256', content.envelope!.payload)),
  }
  const leaf = (keyDetails: string): JsonValue => ({
    apiVersion: '0.0.2',
    kind: 'dsse',
    spec: {
      dsseV002: {
        payloadHash,
        signatures: [{ content: base64Encode(content.signature), verifier: v2Verifier(signer, keyDetails) }],
      },
    },
  })
  // Envelopes are signed with pure Ed25519, and their entries declare it under either name (contract/log-v2.md §3).
  const names =
    signer.key.type.kind === 'ed25519' ? ['PKIX_ED25519', 'PKIX_ED25519_PH'] : [defaultDetails(signer.key).name]
  compareLeaf(body, ...names.map(leaf))
}

// --- API v1: field by field ------------------------------------------------------------------------------------------

/** Compares the PEM in an entry with the signer: a certificate with a certificate, a key with a key (contract/log-v1.md §6). */
function compareVerifier(body: Reader, signer: ClaimedSigner, pem: Uint8Array): void {
  let blocks
  try {
    blocks = pemDecodeAll(utf8Decode(pem), 10)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw invalid(`its key is not PEM: ${cause.message}`, cause)
  }
  // Leaf first; what follows it is of no matter.
  const [first] = blocks
  if (first === undefined) throw invalid('it has no key')
  const label = signer.kind === 'certificate' ? 'CERTIFICATE' : 'PUBLIC KEY'
  body.compare('kind of key', label, first.label)
  body.compareBytes(signer.kind, signer.kind === 'certificate' ? signer.certificate.der : signer.key.spki, first.bytes)
}

function comparePayloadHash(body: Reader, { content, crypto }: EntrySubject, ...path: readonly string[]): void {
  body.compare('payload hash algorithm', 'sha256', body.text(...path, 'algorithm'))
  const expected = hexEncode(crypto.hash('SHA2_256', content.envelope!.payload))
  body.compare('payload hash', expected, body.text(...path, 'value').toLowerCase())
}

function matchHashedrekordV1(body: Reader, { content, signer }: EntrySubject): void {
  const { hash } = content.details
  body.compare('hash algorithm', V1_HASH_NAMES[hash], body.text('spec', 'data', 'hash', 'algorithm'))
  const value = body.text('spec', 'data', 'hash', 'value')
  if (!/^([0-9a-fA-F]{2})*$/.test(value)) throw invalid('its hash is not hexadecimal')
  body.compareBytes('artifact digest', content.digest(hash), hexDecode(value))
  body.compareBytes('signature', content.signature, body.base64('spec', 'signature', 'content'))
  compareVerifier(body, signer, body.base64('spec', 'signature', 'publicKey', 'content'))
}

function matchDsseV1(body: Reader, subject: EntrySubject): void {
  comparePayloadHash(body, subject, 'spec', 'payloadHash')
  body.only('spec', 'signatures')
  body.compareBytes('signature', subject.content.signature, body.base64('spec', 'signatures', 0, 'signature'))
  compareVerifier(body, subject.signer, body.base64('spec', 'signatures', 0, 'verifier'))
}

/** `content.hash` is the client's word over a form that only it knows, so it proves nothing and is not compared. */
function matchIntoto(body: Reader, subject: EntrySubject): void {
  const { content, signer } = subject
  comparePayloadHash(body, subject, 'spec', 'content', 'payloadHash')
  const envelope = ['spec', 'content', 'envelope'] as const
  body.compare('payload type', content.envelope!.payloadType, body.text(...envelope, 'payloadType'))
  body.only(...envelope, 'signatures')
  const once = body.base64(...envelope, 'signatures', 0, 'sig')
  let text: string
  try {
    text = utf8Decode(once)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw invalid('its signature is not base64 of base64', cause)
  }
  body.compareBytes('signature', content.signature, decode(text, 'sig'))
  compareVerifier(body, signer, body.base64(...envelope, 'signatures', 0, 'publicKey'))
}
