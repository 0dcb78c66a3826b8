import { canonicalJson, hexEncode, utf8Encode } from '@touchmark/encoding'
import { keptBeside } from './attestation.js'
import { decodeBase64 } from './base64.js'
import { writing, type KindContext, type KindEntry } from './canonicalise.js'
import { assertSignedBy, parseEnvelope } from './envelope.js'
import { invalid, invalidMembers } from './errors.js'
import { readHexHash, sha256Hash, type NamedHash } from './hash-member.js'
import { objectMember, stringMember } from './json.js'
import { parsePemKey } from './pem-key.js'

/** intoto 0.0.1 (log-v1.md §6): one key, which made one of the envelope's signatures. Throws ENTRY_V1_INVALID. */
export function intoto001Entry({ spec, purpose, crypto }: KindContext): KindEntry {
  const content = objectMember(spec, 'content')
  const sent = stringMember(spec, 'publicKey')
  const missing = [
    ...(content === undefined ? ['content in body is required'] : []),
    ...(sent === undefined ? ['publicKey in body is required'] : []),
  ]
  if (missing.length > 0) invalidMembers(...missing)
  const key = parsePemKey(decodeBase64(sent!, 'public key'))
  const text = stringMember(content, 'envelope') ?? ''
  if (text === '') {
    const hash = objectMember(content, 'hash')
    const payloadHash = objectMember(content, 'payloadHash')
    if (hash === undefined) return invalid('missing hash value for envelope')
    if (purpose === 'submit' || payloadHash === undefined) {
      return invalid('entry not insertable into log: missing envelope content')
    }
    const path = 'content.content'
    const body = bodyOf(
      readHexHash(hash, `${path}.hash.${path}.hash`),
      readHexHash(payloadHash, `${path}.payloadHash.${path}.payloadHash`),
      key.canonical,
    )
    return { body }
  }
  const envelope = parseEnvelope(text)
  assertSignedBy(envelope, key, crypto)
  const sha256 = (bytes: Uint8Array): NamedHash => sha256Hash(hexEncode(crypto.hash('SHA2_256', bytes)))
  const body = bodyOf(sha256(utf8Encode(text)), sha256(envelope.payload), key.canonical)
  return { body, ...keptBeside(envelope) }
}

function bodyOf(hash: NamedHash, payloadHash: NamedHash, publicKey: string): Uint8Array {
  const spec = { content: { hash: { ...hash }, payloadHash: { ...payloadHash } }, publicKey }
  return utf8Encode(writing(() => canonicalJson({ apiVersion: '0.0.1', kind: 'intoto', spec })))
}
