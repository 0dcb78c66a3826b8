import { canonicalJson, hexEncode, utf8Encode, type JsonValue } from '@touchmark/encoding'
import { decodeBase64 } from './base64.js'
import { writing, type KindContext, type KindEntry } from './canonicalise.js'
import { matchSignatures, MAX_SIGNERS, parseEnvelope } from './envelope.js'
import { invalid, invalidMembers } from './errors.js'
import { readHexHash, sha256Hash, type NamedHash } from './hash-member.js'
import { arrayMember, member, objectMember, stringMember, type JsonObject } from './json.js'
import { parsePemKey } from './pem-key.js'

interface StoredSignature {
  readonly signature: string
  readonly verifier: string
}

/** dsse 0.0.1 (log-v1.md §6). The envelope itself is not stored. Throws ENTRY_V1_INVALID. */
export function dsseEntry({ spec, purpose, crypto }: KindContext): KindEntry {
  const proposed = objectMember(spec, 'proposedContent')
  const computed = ['envelopeHash', 'payloadHash', 'signatures'].filter((name) => member(spec, name) !== undefined)
  if (proposed !== undefined && computed.length > 0) {
    invalid('either proposedContent or envelopeHash, payloadHash, and signatures must be present but not both')
  }
  if (proposed === undefined) {
    if (computed.length < 3) {
      invalid('either proposedContent or envelopeHash, payloadHash, and signatures must be present')
    }
    if (purpose === 'submit') invalid('entry not insertable into log: missing proposed content')
    return { body: canonicalQuery(spec) }
  }
  const { text, verifiers } = membersOf(proposed)
  const envelope = parseEnvelope(text)
  const signers = matchSignatures(envelope, verifiers.map(verifierKey), crypto)
  const sha256 = (bytes: Uint8Array): NamedHash => sha256Hash(hexEncode(crypto.hash('SHA2_256', bytes)))
  const body = bodyOf(
    sha256(utf8Encode(text)),
    sha256(envelope.payload),
    [...signers].map(([signature, { canonical }]) => ({ signature, verifier: canonical })),
  )
  return { body }
}

function membersOf(proposed: JsonObject): { text: string; verifiers: readonly JsonValue[] } {
  const path = 'proposedContent.proposedContent'
  const text = stringMember(proposed, 'envelope')
  const verifiers = arrayMember(proposed, 'verifiers')
  if (text === undefined) return invalidMembers(`${path}.envelope in body is required`)
  if (verifiers === undefined) return invalidMembers(`${path}.verifiers in body is required`)
  if (verifiers.length === 0) return invalidMembers(`${path}.verifiers in body should have at least 1 items`)
  if (verifiers.length > MAX_SIGNERS) {
    return invalidMembers(`${path}.verifiers in body should have at most ${MAX_SIGNERS} items`)
  }
  return { text, verifiers }
}

function verifierKey(value: JsonValue): ReturnType<typeof parsePemKey> {
  const sent = decodeBase64(typeof value === 'string' ? value : '', 'verifier')
  try {
    return parsePemKey(sent)
  } catch (cause) {
    return invalid(`could not parse public key as x509: ${(cause as Error).message}`, cause)
  }
}

/** The canonical form, which is a query as it stands: nothing can be verified, and it finds what it says or nothing. */
function canonicalQuery(spec: JsonObject): Uint8Array {
  const hash = (name: string): NamedHash => readHexHash(objectMember(spec, name) ?? {}, `${name}.${name}`)
  const signatures = (arrayMember(spec, 'signatures') ?? []).map((stored, i): StoredSignature => {
    const signature = stringMember(stored, 'signature')
    const verifier = stringMember(stored, 'verifier')
    if (signature === undefined) return invalidMembers(`signatures.${i}.signature in body is required`)
    if (verifier === undefined) return invalidMembers(`signatures.${i}.verifier in body is required`)
    return { signature, verifier: parsePemKey(decodeBase64(verifier, 'verifier')).canonical }
  })
  if (signatures.length === 0) invalidMembers('signatures in body should have at least 1 items')
  if (signatures.length > MAX_SIGNERS) invalidMembers(`signatures in body should have at most ${MAX_SIGNERS} items`)
  return bodyOf(hash('envelopeHash'), hash('payloadHash'), signatures)
}

function bodyOf(envelopeHash: NamedHash, payloadHash: NamedHash, signatures: StoredSignature[]): Uint8Array {
  const sorted = signatures.sort((a, b) => (a.signature < b.signature ? -1 : a.signature > b.signature ? 1 : 0))
  const spec = {
    envelopeHash: { ...envelopeHash },
    payloadHash: { ...payloadHash },
    signatures: sorted.map((s) => ({ ...s })),
  }
  return utf8Encode(writing(() => canonicalJson({ apiVersion: '0.0.1', kind: 'dsse', spec })))
}
