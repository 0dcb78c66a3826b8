import type { CryptoPort } from '@touchmark/crypto'
import { base64Decode, hexEncode, type JsonValue } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { searchKey, type SearchKey } from '../search-keys/search-key.js'
import { decodeQueryBase64 } from './base64.js'
import { invalid, ShapeError } from './errors.js'
import { goType, isObject, member, readJson } from './json.js'
import { parsePemKey } from './pem-key.js'
import { unmarshal } from './request.js'

/** What `POST /api/v1/index/retrieve` asks for; no key finds nothing. */
export interface V1IndexQuery {
  readonly operator: 'and' | 'or'
  readonly keys: readonly SearchKey[]
}

const HASH = '^(sha512:)?[0-9a-fA-F]{128}$|^(sha256:)?[0-9a-fA-F]{64}$|^(sha1:)?[0-9a-fA-F]{40}$'
const HASH_PATTERN = new RegExp(HASH)
const ALGORITHM_BY_LENGTH: Readonly<Record<number, string>> = { 40: 'sha1', 64: 'sha256', 128: 'sha512' }
const FORMATS = ['pgp', 'x509', 'minisign', 'ssh', 'tuf']
const MAX_SUBJECT_CHARS = 512
const MAX_EMAIL_CHARS = 1024
/** An address, alone or in angle brackets behind a name. */
const EMAIL = /^(?:[^<>]*<)?[^\s@<>]+@[^\s@<>]+>?$/

/**
 * Reads the body of a search (log-v1.md §9). Throws ENTRY_V1_JSON, ENTRY_V1_SHAPE, and ENTRY_V1_INVALID for a key that cannot be parsed; their texts may be
 * sent. Only keys of format x509 can be.
 */
export function parseV1IndexQuery(bytes: Uint8Array, crypto: CryptoPort): V1IndexQuery {
  if (bytes.length === 0) throw new ShapeError(602, 'query in body is required')
  const body = readJson(bytes)
  if (body !== null && !isObject(body)) throw unmarshal(goType(body), 'value of type models.SearchIndex')
  const text = (name: string): string => textOf(body, name, `struct field SearchIndex.${name}`)
  const [email, hash, operator, subject] = [text('email'), text('hash'), text('operator'), text('subject')]
  const publicKey = publicKeyOf(body)
  if (email !== '' && (email.length > MAX_EMAIL_CHARS || !EMAIL.test(email))) {
    throw new ShapeError(
      601,
      `email in body must be of type email: ${JSON.stringify(email.slice(0, 100).toWellFormed())}`,
    )
  }
  if (hash !== '' && !HASH_PATTERN.test(hash)) throw new ShapeError(605, `hash in body should match '${HASH}'`)
  if (operator !== '' && operator !== 'and' && operator !== 'or') {
    throw new ShapeError(606, 'operator in body should be one of [and or]')
  }
  checkFormat(publicKey)
  if (subject.length > MAX_SUBJECT_CHARS) {
    throw new ShapeError(603, `subject in body should be at most ${MAX_SUBJECT_CHARS} chars long`)
  }
  const sha256 = (data: Uint8Array): Uint8Array => crypto.hash('SHA2_256', data)
  const keys = [
    ...(hash === '' ? [] : [searchKey('digest', prefixed(hash), sha256)]),
    ...(publicKey === undefined ? [] : [searchKey('publicKey', keyHash(publicKey, sha256), sha256)]),
    ...[email, subject].filter((name) => name !== '').map((name) => searchKey('identity', name, sha256)),
  ]
  return { operator: operator === 'and' ? 'and' : 'or', keys }
}

interface SentKey {
  readonly format: string | undefined
  readonly content: ReturnType<typeof decodeQueryBase64>
}

function textOf(of: JsonValue | undefined, name: string, what: string): string {
  const value = member(of, name)
  if (value === undefined) return ''
  if (typeof value !== 'string') throw unmarshal(goType(value), `${what} of type string`)
  return value
}

function publicKeyOf(body: JsonValue): SentKey | undefined {
  const sent = member(body, 'publicKey')
  if (sent === undefined) return undefined
  if (!isObject(sent)) throw unmarshal(goType(sent), 'struct field SearchIndex.publicKey')
  const content = decodeQueryBase64(textOf(sent, 'content', 'struct field SearchIndexPublicKey.publicKey.content'))
  const format = member(sent, 'format')
  if (format === undefined) return { format, content }
  return { format: textOf(sent, 'format', 'struct field SearchIndexPublicKey.publicKey.format'), content }
}

function checkFormat(key: SentKey | undefined): void {
  if (key === undefined) return
  const path = 'publicKey.publicKey.format in body'
  if (key.format === undefined) throw new ShapeError(602, `${path} is required`)
  if (!FORMATS.includes(key.format)) throw new ShapeError(606, `${path} should be one of [${FORMATS.join(' ')}]`)
}

/** The hash that entries are found by: of the key's canonical PEM. */
function keyHash({ format, content }: SentKey, sha256: (data: Uint8Array) => Uint8Array): string {
  if (format !== 'x509') return unparsable()
  try {
    return hexEncode(sha256(base64Decode(parsePemKey(content).canonical)))
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    return unparsable(cause)
  }
}

function unparsable(cause?: unknown): never {
  return invalid('public key provided could not be parsed', cause)
}

function prefixed(hash: string): string {
  return hash.includes(':') ? hash : `${ALGORITHM_BY_LENGTH[hash.length]}:${hash}`
}
