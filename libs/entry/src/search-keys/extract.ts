import { hexEncode, utf8Decode } from '@touchmark/encoding'
import { JsonReader } from './json-reader.js'
import { pgpAddresses } from './pgp-addresses.js'
import { KeyCollector, type SearchKey, type Sha256 } from './search-key.js'
import { addCertificate, addKeyText, addPem, addPublicKey, noting } from './verifier-keys.js'

/**
 * Changes with every change to what {@link extractSearchKeys} gives for a body: an index that another version made is made anew.
 */
export const SEARCH_KEYS_VERSION = 1

/** What was found in a body. */
export interface ExtractedKeys {
  readonly keys: readonly SearchKey[]
  /** False when the body, or a certificate or key in it, could not be read: there may be keys that are missing. */
  readonly complete: boolean
}

/** An entry bundle holds no longer body. */
const MAX_BODY_BYTES = 65_535
/** Verifiers of one entry that are looked at. */
const MAX_VERIFIERS = 32

const V2_HASHES: Readonly<Record<string, string>> = { SHA2_256: 'sha256', SHA2_384: 'sha384', SHA2_512: 'sha512' }

type Reader = (keys: KeyCollector, spec: JsonReader) => void

const READERS: Readonly<Record<string, Reader>> = {
  'hashedrekord 0.0.2': readHashedRekordV2,
  'dsse 0.0.2': readDsseV2,
  'hashedrekord 0.0.1': readHashedRekord,
  'dsse 0.0.1': readDsse,
  'intoto 0.0.1': readIntoto1,
  'intoto 0.0.2': readIntoto2,
  'rekord 0.0.1': readRekord,
  'rfc3161 0.0.1': readTimestamp,
}

/**
 * Everything that an entry can be found by, from its stored body alone (log-v1.md §9, log-v2.md §4). Digests of in-toto subjects are not among them: a log
 * stores the hash of a statement, not the statement. Nothing is verified here. Takes any bytes and never throws for them; at most MAX_SEARCH_KEYS keys.
 */
export function extractSearchKeys(body: Uint8Array, sha256: Sha256): ExtractedKeys {
  const keys = new KeyCollector(sha256)
  const entry = readJson(body)
  const name = `${entry?.at('kind').text()} ${entry?.at('apiVersion').text()}`
  const read = Object.hasOwn(READERS, name) ? READERS[name] : undefined
  if (entry === undefined || read === undefined) return { keys: [], complete: false }
  noting(keys, () => read(keys, entry.at('spec')))
  return { keys: keys.keys(), complete: keys.complete }
}

/** Undefined for what is no JSON, or cannot be a body. */
function readJson(body: Uint8Array): JsonReader | undefined {
  if (body.length > MAX_BODY_BYTES || body[0] !== 0x7b) return undefined
  try {
    return new JsonReader(JSON.parse(utf8Decode(body)))
  } catch {
    // SyntaxError, EncodingError, or RangeError of something nested too deep for the parser.
    return undefined
  }
}

function readHashedRekordV2(keys: KeyCollector, spec: JsonReader): void {
  const record = spec.at('hashedRekordV002')
  addDigestV2(keys, record.at('data'))
  addVerifierV2(keys, record.at('signature', 'verifier'))
}

function readDsseV2(keys: KeyCollector, spec: JsonReader): void {
  const record = spec.at('dsseV002')
  addDigestV2(keys, record.at('payloadHash'))
  each(keys, record.at('signatures'), (signature) => addVerifierV2(keys, signature.at('verifier')))
}

function addDigestV2(keys: KeyCollector, data: JsonReader): void {
  const algorithm = V2_HASHES[data.at('algorithm').text() ?? '']
  const digest = data.at('digest').bytes()
  if (algorithm === undefined || digest === undefined) keys.unread()
  else keys.add('digest', `${algorithm}:${hexEncode(digest)}`)
}

function addVerifierV2(keys: KeyCollector, verifier: JsonReader): void {
  const certificate = verifier.at('x509Certificate', 'rawBytes').bytes()
  const key = verifier.at('publicKey', 'rawBytes').bytes()
  if (certificate !== undefined) addCertificate(keys, certificate)
  else if (key !== undefined) addPublicKey(keys, key)
  else keys.unread()
}

function readHashedRekord(keys: KeyCollector, spec: JsonReader): void {
  addDigest(keys, spec.at('data', 'hash'))
  addPemOf(keys, spec.at('signature', 'publicKey', 'content'), false)
}

function readDsse(keys: KeyCollector, spec: JsonReader): void {
  addDigest(keys, spec.at('payloadHash'))
  addDigest(keys, spec.at('envelopeHash'))
  each(keys, spec.at('signatures'), (signature) => addPemOf(keys, signature.at('verifier'), true))
}

function readIntoto1(keys: KeyCollector, spec: JsonReader): void {
  addDigest(keys, spec.at('content', 'payloadHash'))
  addDigest(keys, spec.at('content', 'hash'))
  addPemOf(keys, spec.at('publicKey'), true)
}

/** `content.hash` is what the client wrote and nobody checked (log-v1.md §6): no key. */
function readIntoto2(keys: KeyCollector, spec: JsonReader): void {
  addDigest(keys, spec.at('content', 'payloadHash'))
  each(keys, spec.at('content', 'envelope', 'signatures'), (signature) =>
    addPemOf(keys, signature.at('publicKey'), true),
  )
}

function readRekord(keys: KeyCollector, spec: JsonReader): void {
  addDigest(keys, spec.at('data', 'hash'))
  const content = spec.at('signature', 'publicKey', 'content')
  const format = spec.at('signature', 'format').text()
  if (format === 'x509') return addPemOf(keys, content, false)
  const key = content.bytes()
  if (key === undefined) return keys.unread()
  addKeyText(keys, key, false)
  if (format === 'pgp') for (const address of pgpAddresses(key)) keys.add('identity', address)
}

function readTimestamp(keys: KeyCollector, spec: JsonReader): void {
  const token = spec.at('tsr', 'content').bytes()
  if (token === undefined) keys.unread()
  else keys.addHash('digest', token, 'sha256:')
}

function addDigest(keys: KeyCollector, hash: JsonReader): void {
  const algorithm = hash.at('algorithm').text()
  const value = hash.at('value').text()
  if (algorithm === undefined || value === undefined) keys.unread()
  else keys.add('digest', `${algorithm}:${value}`)
}

function addPemOf(keys: KeyCollector, content: JsonReader, prefixed: boolean): void {
  noting(keys, () => {
    const text = content.bytes()
    if (text === undefined) keys.unread()
    else addPem(keys, text, prefixed)
  })
}

function each(keys: KeyCollector, list: JsonReader, read: (item: JsonReader) => void): void {
  const items = list.items()
  if (items.length === 0 || items.length > MAX_VERIFIERS) keys.unread()
  for (const item of items.slice(0, MAX_VERIFIERS)) noting(keys, () => read(item))
}
