import { DIGEST_BYTES, type HashAlgorithm, type PublicKey } from '@touchmark/crypto'
import { hexDecode, utf8Encode } from '@touchmark/encoding'
import { decodeBase64 } from './base64.js'
import type { KindContext, KindEntry } from './canonicalise.js'
import { invalid, invalidMembers } from './errors.js'
import { objectMember, stringMember } from './json.js'
import { assertOwnChain, parsePemKey } from './pem-key.js'
import { wrongOverDigest } from './signature.js'

const HASHES: Readonly<Record<string, HashAlgorithm>> = { sha256: 'SHA2_256', sha384: 'SHA2_384', sha512: 'SHA2_512' }
const RSA_BITS = [2048, 3072, 4096]
const CURVE_HASH = { 'P-256': 'SHA2_256', 'P-384': 'SHA2_384', 'P-521': 'SHA2_512' } as const

/**
 * hashedrekord 0.0.1 (log-v1.md §6): the signature is checked over the digest that is given. Dates and issuers of certificates are not looked at.
 * Throws ENTRY_V1_INVALID.
 */
export function hashedRekordEntry({ spec, purpose, crypto }: KindContext): KindEntry {
  const { algorithm, value, signature } = membersOf(spec)
  const publicKey = objectMember(signature, 'publicKey')
  if (publicKey === undefined) invalid('missing public key')
  const content = decodeBase64(stringMember(signature, 'content') ?? '', 'signature content')
  const key = parsePemKey(decodeBase64(stringMember(publicKey, 'content') ?? '', 'public key content'))
  const hash = HASHES[algorithm]!
  const digest = digestOf(value, hash)
  if (content.bytes.length === 0) invalid('verifying signature: X509 signature has not been initialized')
  const wrong = assertOwnChain(key, crypto) ?? wrongOverDigest(crypto, key.key, hash, digest, content.bytes)
  if (wrong !== undefined) invalid(`verifying signature: ${wrong}`)
  if (purpose === 'submit' && !isAllowed(key.key, hash)) invalid('entry algorithms are not allowed')
  // RFC 8785: members in order, and none of the texts has a character that needs an escape.
  return {
    body: utf8Encode(
      `{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{"data":{"hash":{"algorithm":"${algorithm}","value":"${value}"}},` +
        `"signature":{"content":"${content.text}","publicKey":{"content":"${key.canonical}"}}}}`,
    ),
  }
}

function membersOf(spec: KindContext['spec']) {
  const hash = objectMember(objectMember(spec, 'data'), 'hash')
  const signature = objectMember(spec, 'signature')
  const missing = [
    ...(hash === undefined ? ['data in body is required'] : []),
    ...(signature === undefined ? ['signature in body is required'] : []),
  ]
  if (missing.length > 0) invalidMembers(...missing)
  const path = 'data.data.hash.data.hash'
  const algorithm = stringMember(hash, 'algorithm')
  if (algorithm === undefined) return invalidMembers(`${path}.algorithm in body is required`)
  if (!Object.hasOwn(HASHES, algorithm)) {
    return invalidMembers(`${path}.algorithm in body should be one of [sha256 sha384 sha512]`)
  }
  const value = stringMember(hash, 'value')
  if (value === undefined) return invalidMembers(`${path}.value in body is required`)
  return { algorithm, value, signature }
}

function digestOf(value: string, hash: HashAlgorithm): Uint8Array {
  const foreign = /[^0-9a-fA-F]/u.exec(value)?.[0]
  if (foreign !== undefined) {
    const point = foreign.codePointAt(0)!
    invalid(
      `encoding/hex: invalid byte: U+${point.toString(16).toUpperCase().padStart(4, '0')} '${foreign.toWellFormed()}'`,
    )
  }
  if (value.length !== 2 * DIGEST_BYTES[hash]) invalid('invalid value for hash')
  return hexDecode(value)
}

/** The reference's default list of keys and the hashes they sign. */
function isAllowed({ type }: PublicKey, hash: HashAlgorithm): boolean {
  if (type.kind === 'ed25519') return hash === 'SHA2_512'
  if (type.kind === 'rsa') return hash === 'SHA2_256' && RSA_BITS.includes(type.modulusBits)
  return CURVE_HASH[type.curve] === hash
}
