import { hexEncode, utf8Encode } from '@touchmark/encoding'
import { decodeBase64 } from './base64.js'
import type { KindContext, KindEntry } from './canonicalise.js'
import { invalid, invalidMembers } from './errors.js'
import { readHexHash } from './hash-member.js'
import { member, objectMember, stringMember, type JsonObject } from './json.js'
import { assertOwnChain, parsePemKey } from './pem-key.js'
import { wrongOverMessage } from './signature.js'

const FORMATS = ['pgp', 'minisign', 'x509', 'ssh']

/**
 * rekord 0.0.1 with keys of format x509 (log-v1.md §6): the content is sent, checked and dropped. The other formats are refused here.
 * Throws ENTRY_V1_INVALID.
 */
export function rekordEntry({ spec, purpose, crypto }: KindContext): KindEntry {
  const { data, signature, format, publicKey } = membersOf(spec)
  const hash = objectMember(data, 'hash')
  const named = hash === undefined ? undefined : readHexHash(hash, 'data.data.hash.data.hash')
  const content = decodeBase64(stringMember(data, 'content') ?? '', 'data content').bytes
  if (content.length === 0) {
    if (named === undefined && member(data, 'url') === undefined) invalid("'content' must be specified for data")
    if (purpose === 'submit') invalid('entry not insertable into log: missing data content')
  }
  if (format !== 'x509') invalid(`signature format '${format}' is not enabled for submission on this server`)
  const sig = decodeBase64(stringMember(signature, 'content') ?? '', 'signature content')
  const key = parsePemKey(decodeBase64(stringMember(publicKey, 'content') ?? '', 'public key content'))
  const sha256 = hexEncode(crypto.hash('SHA2_256', content))
  if (named !== undefined && named.value.toLowerCase() !== sha256) {
    invalid(`SHA mismatch: ${sha256} != ${named.value}`)
  }
  if (sig.bytes.length === 0) invalid('X509 signature has not been initialized')
  const wrong = assertOwnChain(key, crypto) ?? wrongOverMessage(crypto, key.key, content, sig.bytes)
  if (wrong !== undefined) invalid(wrong)
  return {
    body: utf8Encode(
      `{"apiVersion":"0.0.1","kind":"rekord","spec":{"data":{"hash":{"algorithm":"sha256","value":"${sha256}"}},` +
        `"signature":{"content":"${sig.text}","format":"x509","publicKey":{"content":"${key.canonical}"}}}}`,
    ),
  }
}

function membersOf(spec: JsonObject) {
  const data = objectMember(spec, 'data')
  const signature = objectMember(spec, 'signature')
  const missing = [
    ...(data === undefined ? ['data in body is required'] : []),
    ...(signature === undefined ? ['signature in body is required'] : []),
  ]
  if (missing.length > 0) invalidMembers(...missing)
  const format = stringMember(signature, 'format')
  if (format === undefined) return invalidMembers('signature.signature.format in body is required')
  if (!FORMATS.includes(format)) {
    return invalidMembers('signature.signature.format in body should be one of [pgp minisign x509 ssh]')
  }
  const publicKey = objectMember(signature, 'publicKey')
  if (publicKey === undefined) return invalidMembers('signature.signature.publicKey in body is required')
  return { data, signature, format, publicKey }
}
