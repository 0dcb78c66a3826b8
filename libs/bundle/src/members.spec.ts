import { describe, expect, it } from '@jest/globals'
import { base64Decode } from './json.js'
import { IN_TOTO_PAYLOAD_TYPE, parseBundle, parseStatement } from './index.js'
import { attestation, bytesOf, changed, entryOf, materialOf, type Json } from './testing/changed-bundles.js'

const OLD = 'application/vnd.dev.sigstore.bundle+json;version='

describe('the members of a bundle', () => {
  it.each([
    [`${OLD}0.2`, '0.2'],
    [`${OLD}0.3`, '0.3'],
    ['application/vnd.dev.sigstore.bundle.v0.3+json', '0.3'],
  ])('are those of the version of %s', (mediaType, version) => {
    expect(parseBundle(changed((b) => (b['mediaType'] = mediaType))).version).toBe(version)
  })

  it('may be a chain before version 0.3, leaf first', () => {
    const { signer } = parseBundle(
      changed((b) => {
        b['mediaType'] = `${OLD}0.2`
        const { certificate } = materialOf(b)
        delete materialOf(b)['certificate']
        materialOf(b)['x509CertificateChain'] = { certificates: [certificate, { rawBytes: 'AAAA' }] }
      }),
    )
    expect(signer.kind === 'chain' && signer.certificates[1]).toEqual(new Uint8Array(3))
  })

  it('may be absent where proto JSON leaves out what is empty', () => {
    const byKey = parseBundle(
      changed((b) => {
        delete materialOf(b)['certificate']
        materialOf(b)['publicKey'] = {}
      }),
    )
    expect(byKey.signer).toEqual({ kind: 'publicKey', hint: '' })
    const { content } = parseBundle(
      changed((b) => {
        delete b['dsseEnvelope'].payload
        delete b['dsseEnvelope'].payloadType
        delete b['dsseEnvelope'].signatures[0].keyid
      }, attestation),
    )
    expect(content).toMatchObject({
      kind: 'dsse',
      envelope: { payload: new Uint8Array(0), payloadType: '', signature: { keyid: '' } },
    })
  })

  it('may be several log entries, when they are different ones', () => {
    const other = (change: (entry: Json) => void): Uint8Array =>
      changed((b) => {
        const entry = structuredClone(entryOf(b))
        change(entry)
        materialOf(b)['tlogEntries'].push(entry)
      })
    expect(parseBundle(other((entry) => (entry['logIndex'] = '1'))).tlogEntries).toHaveLength(2)
    expect(
      parseBundle(other((entry) => (entry['logId'].keyId = Buffer.alloc(32).toString('base64')))).tlogEntries,
    ).toHaveLength(2)
  })

  it.each(['SHA2_256', 'SHA2_384', 'SHA2_512'])('may name a digest by %s', (algorithm) => {
    const { content } = parseBundle(changed((b) => (b['messageSignature'].messageDigest.algorithm = algorithm)))
    expect(content.kind === 'message' && content.message.messageDigest?.algorithm).toBe(algorithm)
  })

  it('may be the number zero', () => {
    expect(parseBundle(changed((b) => (entryOf(b)['logIndex'] = 0))).tlogEntries[0]!.logIndex).toBe(0n)
  })

  it.each<[string, (bundle: Json) => void]>([
    ['a number for a text', (b) => (b['mediaType'] = 5)],
    ['a number for an object', (b) => (b['verificationMaterial'] = 5)],
    ['a text for an object', (b) => (b['verificationMaterial'] = '')],
    ['a list for a text', (b) => (entryOf(b)['kindVersion'].kind = ['dsse'])],
  ])('are refused with %s', (_, change) => {
    expect(() => parseBundle(changed(change))).toThrowCode('BUNDLE_FIELD_INVALID')
  })
})

describe('the members of a statement', () => {
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'a', digest: { sha256: 'aa'.repeat(32) } }],
    predicateType: 'https://example.org/p',
    predicate: { deep: [1] },
  }
  const subject = (one: object): Uint8Array => bytesOf({ ...statement, subject: [one] })
  const digestOf = (text: string): Uint8Array | undefined =>
    parseStatement(subject({ digest: { x: text } })).subjects[0]!.digest.get('x')

  it('are those of the media type of in-toto', () => {
    expect(attestation()['dsseEnvelope'].payloadType).toBe(IN_TOTO_PAYLOAD_TYPE)
  })

  it('have any value as predicate, null for none', () => {
    expect(parseStatement(bytesOf(statement)).predicate).toEqual({ deep: [1] })
    expect(parseStatement(bytesOf({ ...statement, predicate: 0 })).predicate).toBe(0)
    expect(parseStatement(bytesOf({ ...statement, predicate: null })).predicate).toBeUndefined()
  })

  it('may have a subject without a name', () => {
    expect(parseStatement(subject({ digest: {} })).subjects[0]!.name).toBe('')
    expect(parseStatement(subject({ name: null, digest: {} })).subjects[0]!.name).toBe('')
  })

  it('have the digests that are hexadecimal, up to 64 bytes', () => {
    expect(digestOf('aB09')).toEqual(Uint8Array.of(0xab, 0x09))
    expect(digestOf('aa'.repeat(64))).toHaveLength(64)
    expect(digestOf('aa'.repeat(65))).toBeUndefined()
    for (const text of ['', 'aaa', 'zzaa', 'aazz', 'h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='])
      expect(digestOf(text)).toBeUndefined()
  })

  it.each([
    ['null', null],
    ['a number', 5],
    ['a text', 'text'],
  ])('are not found in %s', (_, value) => {
    expect(() => parseStatement(bytesOf(value))).toThrowCode('BUNDLE_STATEMENT_INVALID')
  })
})

describe('what is no input at all', () => {
  it('is the mistake of the caller, and not refused as a bad bundle', () => {
    expect(() => parseStatement(undefined as never)).toThrow(TypeError)
    expect(() => base64Decode(undefined as never)).toThrow(TypeError)
  })
})
