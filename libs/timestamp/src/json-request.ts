import { base64Decode, derInteger, DerReader } from '@touchmark/encoding'
import type { HashAlgorithm } from '@touchmark/crypto'
import { refusedAs, TimestampError } from './errors.js'
import { checkDigestLength, weakHash, type TimestampRequest } from './request.js'

/** The JSON form is short; its size is read before anything of it is parsed. */
export const MAX_JSON_REQUEST_BYTES = 1024

const MAX_POLICY_PARTS = 129

const HASHES: Readonly<Record<string, HashAlgorithm>> = { sha256: 'SHA2_256', sha384: 'SHA2_384', sha512: 'SHA2_512' }

interface Members {
  artifactHash: string
  hashAlgorithm: string
  certificates: boolean
  nonce: bigint | undefined
  tsaPolicyOID: string
}

/**
 * Reads the JSON form of a timestamp query (tsa.md §2), with Go's decoding rules: names in any letter case, unknown members ignored, of repeated
 * members the last counts (each must have the right type), `null` is absent, malformed UTF-8 becomes U+FFFD. The nonce is an integer of any size.
 * Throws TIMESTAMP_REQUEST_TOO_LARGE, _INVALID, _WEAK_HASH, _POLICY_INVALID or _DIGEST_LENGTH, in this order.
 */
export function parseTimestampRequestJson(bytes: Uint8Array): TimestampRequest {
  if (bytes.length > MAX_JSON_REQUEST_BYTES)
    throw new TimestampError('TIMESTAMP_REQUEST_TOO_LARGE', 'timestamp request is too large')
  const members = readMembers(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes))
  const name = members.hashAlgorithm.toLowerCase()
  if (name === 'sha1') throw weakHash()
  const hashAlgorithm = Object.hasOwn(HASHES, name) ? HASHES[name] : undefined
  if (hashAlgorithm === undefined) throw invalid(`hash "${name}" is not supported`)
  const policy = members.tsaPolicyOID === '' ? undefined : normalPolicy(members.tsaPolicyOID)
  const digest = refusedAs('TIMESTAMP_REQUEST_INVALID', 'artifactHash', () =>
    base64Decode(members.artifactHash.replace(/[\r\n]/g, ''), { trailingBits: 'any' }),
  )
  checkDigestLength(hashAlgorithm, digest)
  return {
    hashAlgorithm,
    digest,
    certReq: members.certificates,
    extensions: [],
    ...(policy === undefined ? {} : { policy }),
    ...(members.nonce === undefined ? {} : { nonce: new DerReader(derInteger(members.nonce)).integerBytes() }),
  }
}

function invalid(why: string): TimestampError {
  return new TimestampError('TIMESTAMP_REQUEST_INVALID', `timestamp request: ${why}`)
}

/** Dotted decimal without leading zeros. */
function normalPolicy(text: string): string {
  if (!/^\d+(\.\d+)*$/.test(text) || text.split('.').length > MAX_POLICY_PARTS)
    throw new TimestampError('TIMESTAMP_REQUEST_POLICY_INVALID', 'OID should be comprised of at most 128 components')
  return text.replace(/(^|\.)0+(?=\d)/g, '$1')
}

function readMembers(text: string): Members {
  const members: Members = {
    artifactHash: '',
    hashAlgorithm: '',
    certificates: false,
    nonce: undefined,
    tsaPolicyOID: '',
  }
  let whole: unknown
  try {
    whole = JSON.parse(text)
  } catch (cause) {
    throw new TimestampError('TIMESTAMP_REQUEST_INVALID', 'timestamp request: not JSON', { cause })
  }
  if (whole === null) return members
  if (typeof whole !== 'object' || Array.isArray(whole)) throw invalid('not a JSON object')
  for (const { name, source } of objectMembers(text)) setMember(members, name, source)
  return members
}

function setMember(members: Members, name: string, source: string): void {
  const known = (Object.keys(members) as (keyof Members)[]).find((key) => fold(key) === fold(name))
  if (known === undefined) return
  if (known === 'nonce') {
    if (source === 'null') return void (members.nonce = undefined)
    if (!/^-?\d+$/.test(source)) throw invalid('nonce is not an integer')
    members.nonce = BigInt(source)
    return
  }
  if (source === 'null') return
  const value: unknown = JSON.parse(source)
  if (known === 'certificates') {
    if (typeof value !== 'boolean') throw invalid('certificates is not a boolean')
    members.certificates = value
  } else {
    if (typeof value !== 'string') throw invalid(`${known} is not a string`)
    members[known] = value
  }
}

/** Go's name folding: ASCII letters, and the two other characters that Unicode folds to one (ſ and the Kelvin sign). */
function fold(name: string): string {
  return name
    .replace(/ſ/g, 's')
    .replace(/\u212a/g, 'k')
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}

/** The members of an object, in order, repeated ones too, each value as its source text. `text` is valid JSON whose value is an object. */
function objectMembers(text: string): { name: string; source: string }[] {
  const found: { name: string; source: string }[] = []
  let at = text.indexOf('{') + 1
  for (;;) {
    at = skip(text, at, /[\s,]*/y)
    if (text[at] !== '"') return found
    const nameEnd = skip(text, at, STRING)
    const start = skip(text, nameEnd, /\s*:\s*/y)
    const end = endOfValue(text, start)
    found.push({ name: JSON.parse(text.slice(at, nameEnd)) as string, source: text.slice(start, end) })
    at = end
  }
}

const STRING = /"(?:[^"\\]|\\.)*"/y

function skip(text: string, at: number, pattern: RegExp): number {
  pattern.lastIndex = at
  return at + (pattern.exec(text)?.[0].length ?? 0)
}

function endOfValue(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length;) {
    const character = text[at]!
    if (character === '"') {
      at = skip(text, at, STRING)
      if (depth === 0) return at
      continue
    }
    if (depth === 0 && /[\s,}]/.test(character)) return at
    if (character === '{' || character === '[') depth++
    if (character === '}' || character === ']') depth--
    at++
    if (depth === 0 && (character === '}' || character === ']')) return at
  }
  return text.length
}
