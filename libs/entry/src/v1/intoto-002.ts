import { canonicalJson, EncodingError, hexEncode, utf8Decode, utf8Encode, type JsonValue } from '@touchmark/encoding'
import { keptBeside } from './attestation.js'
import { decodeBase64, type Decoded } from './base64.js'
import { writing, type KindContext, type KindEntry } from './canonicalise.js'
import { matchSignatures, MAX_SIGNERS, openEnvelope } from './envelope.js'
import { invalid, invalidMembers } from './errors.js'
import { readHash, readHexHash, sha256Hash, type NamedHash } from './hash-member.js'
import { arrayMember, objectMember, stringMember } from './json.js'
import { parsePemKey } from './pem-key.js'

const PATH = 'content.content.envelope.content.envelope'

interface SentSignature {
  readonly keyid: string
  readonly sig: Decoded
  readonly publicKey: Decoded
}

/**
 * intoto 0.0.2 (log-v1.md §6): payload and signatures are base64 twice; each signature brings its key. `hash` is the client's and not checked, not even to
 * be hexadecimal; the texts of the keys stay as sent. Throws ENTRY_V1_INVALID.
 */
export function intoto002Entry({ spec, purpose, crypto }: KindContext): KindEntry {
  const content = objectMember(spec, 'content')
  const envelope = objectMember(content, 'envelope')
  const payloadType = stringMember(envelope, 'payloadType')
  if (payloadType === undefined) return invalidMembers(`${PATH}.payloadType in body is required`)
  const signatures = (arrayMember(envelope, 'signatures') ?? []).slice(0, MAX_SIGNERS + 1)
  if (signatures.length === 0) return invalidMembers(`${PATH}.signatures in body should have at least 1 items`)
  if (signatures.length > MAX_SIGNERS) {
    return invalidMembers(`${PATH}.signatures in body should have at most ${MAX_SIGNERS} items`)
  }
  const sent = signatures.map(readSignature)
  const hashObject = objectMember(content, 'hash')
  // The reference answers 500; the client can do something about it.
  if (hashObject === undefined) return invalid('missing envelope digest')
  const hash = readHash(hashObject, 'content.content.hash.content.hash')
  const payload = stringMember(envelope, 'payload') ?? ''
  if (payload === '') {
    const payloadHash = objectMember(content, 'payloadHash')
    if (purpose === 'submit' || payloadHash === undefined) {
      return invalid('entry not insertable into log: missing envelope content')
    }
    const path = 'content.content.payloadHash.content.payloadHash'
    return { body: bodyOf(payloadType, sent, hash, readHexHash(payloadHash, path)) }
  }
  const opened = openEnvelope(
    payloadType,
    textOf(decodeBase64(payload, 'payload').bytes),
    sent.map(({ sig }) => textOf(sig.bytes)),
  )
  matchSignatures(
    opened,
    sent.map(({ publicKey }) => parsePemKey(publicKey)),
    crypto,
  )
  const payloadHash = sha256Hash(hexEncode(crypto.hash('SHA2_256', opened.payload)))
  return { body: bodyOf(payloadType, sent, hash, payloadHash), ...keptBeside(opened) }
}

function readSignature(signature: JsonValue, i: number): SentSignature {
  const path = `${PATH}.signatures.${i}`
  const sig = stringMember(signature, 'sig')
  const publicKey = stringMember(signature, 'publicKey')
  if (sig === undefined) return invalidMembers(`${path}.sig in body is required`)
  if (publicKey === undefined) return invalidMembers(`${path}.publicKey in body is required`)
  return {
    keyid: stringMember(signature, 'keyid') ?? '',
    sig: decodeBase64(sig, 'signature'),
    publicKey: decodeBase64(publicKey, 'public key'),
  }
}

function textOf(bytes: Uint8Array): string {
  try {
    return utf8Decode(bytes)
  } catch (cause) {
    if (!(cause instanceof EncodingError)) throw cause
    return invalid(
      'could not verify envelope: unable to base64 decode payload (is payload in the right format?)',
      cause,
    )
  }
}

function bodyOf(payloadType: string, sent: SentSignature[], hash: NamedHash, payloadHash: NamedHash): Uint8Array {
  const signatures = sent.map(({ keyid, sig, publicKey }) => ({
    ...(keyid === '' ? {} : { keyid }),
    publicKey: publicKey.text,
    sig: sig.text,
  }))
  const content = { envelope: { payloadType, signatures }, hash: { ...hash }, payloadHash: { ...payloadHash } }
  return utf8Encode(writing(() => canonicalJson({ apiVersion: '0.0.2', kind: 'intoto', spec: { content } })))
}
