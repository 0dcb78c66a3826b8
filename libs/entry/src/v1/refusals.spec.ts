import { describe, expect, it } from '@jest/globals'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { base64Encode, hexEncode, pemEncode, utf8Decode, utf8Encode, type JsonValue } from '@touchmark/encoding'
import { canonicaliseV1, type V1Kind } from './index.js'

const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
const other = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
const b64 = (text: string): string => base64Encode(utf8Encode(text))
const pemOf = (spki: Uint8Array): string => b64(pemEncode('PUBLIC KEY', spki))
const data = utf8Encode('what is signed')
const sha256 = hexEncode(nodeCrypto.hash('SHA2_256', data))
const IN_TOTO = 'application/vnd.in-toto+json'

const make = (kind: V1Kind, spec: JsonValue, version = '0.0.1', purpose: 'submit' | 'query' = 'submit') =>
  canonicaliseV1({ kind, version, spec }, purpose, nodeCrypto)
const bodyText = (entry: { body: Uint8Array }): string => utf8Decode(entry.body)

const pae = (payload: string): Uint8Array =>
  utf8Encode(`DSSEv1 ${IN_TOTO.length} ${IN_TOTO} ${payload.length} ${payload}`)
async function envelopeOf(payload: string, ...signers: (typeof signer)[]): Promise<string> {
  const signatures = await Promise.all(
    signers.map(async (one) => ({ sig: base64Encode(await one.sign(pae(payload))) })),
  )
  return JSON.stringify({ payload: b64(payload), payloadType: IN_TOTO, signatures })
}
const dsse = (envelope: string, ...keys: string[]): JsonValue => ({ proposedContent: { envelope, verifiers: keys } })

describe('the signature decides', () => {
  it('hashedrekord: by the key, over the digest', async () => {
    const spec = (content: string, value: string, key: Uint8Array): JsonValue => ({
      data: { hash: { algorithm: 'sha256', value } },
      signature: { content, publicKey: { content: pemOf(key) } },
    })
    const content = base64Encode(await signer.sign(data))
    const { spki } = signer.publicKey
    expect(bodyText(make('hashedrekord', spec(content, sha256, spki)))).toContain(sha256)
    const wrong = [
      spec(content, sha256, other.publicKey.spki),
      spec(content, 'ab'.repeat(32), spki),
      spec(base64Encode(await other.sign(data)), sha256, spki),
    ]
    for (const refused of wrong) expect(() => make('hashedrekord', refused)).toThrowCode('ENTRY_V1_INVALID')
  })

  it('rekord: by the key, over the content', async () => {
    const spec = (content: string, key: Uint8Array): JsonValue => ({
      data: { content: base64Encode(data) },
      signature: { format: 'x509', content, publicKey: { content: pemOf(key) } },
    })
    const content = base64Encode(await signer.sign(data))
    expect(bodyText(make('rekord', spec(content, signer.publicKey.spki)))).toContain(sha256)
    expect(() => make('rekord', spec(content, other.publicKey.spki))).toThrowCode('ENTRY_V1_INVALID')
    expect(() => make('rekord', spec('', signer.publicKey.spki))).toThrowCode('ENTRY_V1_INVALID')
  })

  it('intoto: by its key, over the payload and its type', async () => {
    const envelope = await envelopeOf('{}', signer)
    const spec = (text: string, key: Uint8Array): JsonValue => ({ content: { envelope: text }, publicKey: pemOf(key) })
    expect(make('intoto', spec(envelope, signer.publicKey.spki)).attestation).toEqual(utf8Encode('{}'))
    expect(() => make('intoto', spec(envelope, other.publicKey.spki))).toThrowCode('ENTRY_V1_INVALID')
    const retyped = envelope.replace(IN_TOTO, 'text/plain')
    expect(() => make('intoto', spec(retyped, signer.publicKey.spki))).toThrowCode('ENTRY_V1_INVALID')
  })
})

describe('dsse pairs signatures with keys', () => {
  const mine = pemOf(signer.publicKey.spki)
  const theirs = pemOf(other.publicKey.spki)

  it('each signature with its own, in any order of keys', async () => {
    const envelope = await envelopeOf('{}', signer, other)
    const [one, two] = [dsse(envelope, mine, theirs), dsse(envelope, theirs, mine)]
    expect(bodyText(make('dsse', one))).toBe(bodyText(make('dsse', two)))
  })

  it('and none may be left over before all are accounted for', async () => {
    expect(() => make('dsse', dsse('{}', mine))).toThrowCode('ENTRY_V1_INVALID')
    const envelope = await envelopeOf('{}', signer)
    expect(() => make('dsse', dsse(envelope, theirs, mine))).toThrowCode('ENTRY_V1_INVALID')
    expect(() => make('dsse', dsse(envelope, mine, theirs))).not.toThrow()
    const both = await envelopeOf('{}', signer, other)
    expect(() => make('dsse', dsse(both, mine))).toThrowCode('ENTRY_V1_INVALID')
    const twice = await envelopeOf('{}', signer, signer)
    expect(() => make('dsse', dsse(twice, mine, mine))).toThrowCode('ENTRY_V1_INVALID')
  })

  it('bounds what a request can cost', async () => {
    const many = await envelopeOf('{}', ...Array.from({ length: 11 }, () => signer))
    expect(() => make('dsse', dsse(many, mine))).toThrow(/more than 10 signatures/)
    const envelope = await envelopeOf('{}', signer)
    expect(() => make('dsse', dsse(envelope, ...Array.from({ length: 11 }, () => mine)))).toThrow(/at most 10 items/)
  })

  it('takes the canonical form as a query alone, and only when it says all', async () => {
    const { body } = make('dsse', dsse(await envelopeOf('{}', signer), mine))
    const { spec } = JSON.parse(utf8Decode(body)) as { spec: { [name: string]: JsonValue } }
    expect(bodyText(make('dsse', spec, '0.0.1', 'query'))).toBe(utf8Decode(body))
    expect(() => make('dsse', spec)).toThrow(/missing proposed content/)
    const { payloadHash, signatures } = spec as { payloadHash: JsonValue; signatures: JsonValue }
    expect(() => make('dsse', { payloadHash, signatures }, '0.0.1', 'query')).toThrowCode('ENTRY_V1_INVALID')
    for (const envelopeHash of [{}, { algorithm: 'sha1', value: 'ab' }, { algorithm: 'sha256', value: 'xyz' }]) {
      const query = { ...spec, envelopeHash } as JsonValue
      expect(() => make('dsse', query, '0.0.1', 'query')).toThrowCode('ENTRY_V1_INVALID')
    }
  })
})

describe('intoto 0.0.2', () => {
  async function spec(payload: string, extra: { [name: string]: JsonValue } = {}): Promise<JsonValue> {
    const sig = b64(base64Encode(await signer.sign(pae(payload))))
    const signatures = [{ sig, publicKey: pemOf(signer.publicKey.spki), ...extra }]
    const envelope = { payloadType: IN_TOTO, payload: b64(b64(payload)), signatures }
    return { content: { envelope, hash: { algorithm: 'sha256', value: 'as sent' } } }
  }

  it('keeps a payload of 102,399 bytes and no larger one', async () => {
    const kept = make('intoto', await spec('x'.repeat(102_399)), '0.0.2')
    expect(kept.attestation).toHaveLength(102_399)
    expect(make('intoto', await spec('x'.repeat(102_400)), '0.0.2').attestation).toBeUndefined()
  })

  it('refuses text that has no bytes', () => {
    const signatures = [{ sig: b64('x'), publicKey: pemOf(signer.publicKey.spki) }]
    const payloadHash = { algorithm: 'sha256', value: sha256 }
    const content = { envelope: { payloadType: '\ud800', signatures }, hash: payloadHash, payloadHash }
    expect(() => make('intoto', { content }, '0.0.2', 'query')).toThrow(/lone surrogate/)
  })
})

describe('kinds, versions and keys that are not taken', () => {
  it.each(['alpine', 'cose', 'helm', 'jar', 'rpm', 'tuf'] as const)('%s', (kind) => {
    expect(() => make(kind, {})).toThrow(`entry kind '${kind}' is not enabled for submission on this server`)
  })

  it.each(['0.0.3', '__proto__', 'constructor'])('hashedrekord %s', (version) => {
    expect(() => make('hashedrekord', {}, version)).toThrow(/implementation for version/)
  })

  it.each(['pgp', 'ssh', 'minisign'])('rekord with a key of format %s', (format) => {
    const signature = { format, content: b64('x'), publicKey: { content: b64('x') } }
    const spec = { data: { content: base64Encode(data) }, signature }
    expect(() => make('rekord', spec)).toThrow(`signature format '${format}' is not enabled`)
  })
})
