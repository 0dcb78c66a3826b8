import { describe, expect, it } from '@jest/globals'
import { base64Encode } from '@touchmark/encoding'
import { BUNDLE_LIMITS, parseBundle, parseStatement } from './index.js'
import { bytesOf, changed, entryOf, materialOf } from './testing/changed-bundles.js'

const proofHashes = (count: number): Uint8Array =>
  changed((b) => (entryOf(b)['inclusionProof'].hashes = new Array(count).fill(base64Encode(new Uint8Array(32)))))
const kind = (length: number): Uint8Array => changed((b) => (entryOf(b)['kindVersion'].kind = 'x'.repeat(length)))
const digest = (bytes: number): Uint8Array =>
  changed((b) => (b['messageSignature'].messageDigest.digest = base64Encode(new Uint8Array(bytes))))
const nested = (depth: number): Uint8Array => new TextEncoder().encode('['.repeat(depth) + ']'.repeat(depth))

describe('a bundle at its limits', () => {
  it('may be as long as the limit', () => {
    const bytes = changed(() => undefined)
    expect(parseBundle(bytes, { maxBytes: bytes.length }).version).toBe('0.3')
    expect(() => parseBundle(bytes, { maxBytes: bytes.length - 1 })).toThrowCode('BUNDLE_TOO_LARGE')
  })

  it('may be nested 16 deep', () => {
    expect(() => parseBundle(nested(16))).toThrowCode('BUNDLE_FIELD_INVALID')
    expect(() => parseBundle(nested(17))).toThrowCode('BUNDLE_JSON_INVALID')
  })

  it('may have 64 hashes in a proof', () => {
    expect(parseBundle(proofHashes(64)).tlogEntries[0]!.inclusionProof!.hashes).toHaveLength(64)
    expect(() => parseBundle(proofHashes(65))).toThrowCode('BUNDLE_LIMIT_EXCEEDED')
  })

  it('may have an entry kind of 64 characters', () => {
    expect(parseBundle(kind(64)).tlogEntries[0]!.kindVersion.kind).toHaveLength(64)
    expect(() => parseBundle(kind(65))).toThrowCode('BUNDLE_LIMIT_EXCEEDED')
  })

  it('may have a digest of any length that some algorithm has, and none that is longer', () => {
    const read = parseBundle(digest(64)).content
    expect(read.kind === 'message' && read.message.messageDigest?.digest).toHaveLength(64)
    expect(() => parseBundle(digest(68))).toThrowCode('BUNDLE_LIMIT_EXCEEDED')
  })

  it('may have the largest index that an int64 holds', () => {
    const index = (text: string): Uint8Array => changed((b) => (entryOf(b)['logIndex'] = text))
    expect(parseBundle(index('9223372036854775807')).tlogEntries[0]!.logIndex).toBe(2n ** 63n - 1n)
    expect(() => parseBundle(index('9223372036854775808'))).toThrowCode('BUNDLE_FIELD_INVALID')
  })

  it('may have ten certificates in a chain', () => {
    const chain = (count: number): Uint8Array =>
      changed((b) => {
        b['mediaType'] = 'application/vnd.dev.sigstore.bundle+json;version=0.2'
        const { certificate } = materialOf(b)
        delete materialOf(b)['certificate']
        materialOf(b)['x509CertificateChain'] = { certificates: new Array(count).fill(certificate) }
      })
    const { signer } = parseBundle(chain(BUNDLE_LIMITS.certificates))
    expect(signer.kind === 'chain' && signer.certificates).toHaveLength(10)
    expect(() => parseBundle(chain(BUNDLE_LIMITS.certificates + 1))).toThrowCode('BUNDLE_LIMIT_EXCEEDED')
  })
})

describe('a statement at its limits', () => {
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'a', digest: { sha256: 'aa'.repeat(32) } }],
    predicateType: 'https://example.org/p',
  }
  const text = JSON.stringify(statement)
  /** The predicate is a member of the statement, so it begins one deep. */
  const deep = (depth: number): Uint8Array => {
    const predicate = '['.repeat(depth - 1) + ']'.repeat(depth - 1)
    return new TextEncoder().encode(`${text.slice(0, -1)},"predicate":${predicate}}`)
  }
  const withSubjects = (count: number): Uint8Array =>
    bytesOf({ ...statement, subject: new Array(count).fill({ digest: {} }) })
  const withDigests = (count: number): Uint8Array =>
    bytesOf({
      ...statement,
      subject: [{ digest: Object.fromEntries(Array.from({ length: count }, (_, i) => [`a${i}`, 'aa'])) }],
    })

  it('may be nested 256 deep', () => {
    expect(parseStatement(deep(256)).predicateType).toBe('https://example.org/p')
    expect(() => parseStatement(deep(257))).toThrowCode('BUNDLE_STATEMENT_INVALID')
  })

  it('may have 4096 subjects', () => {
    expect(parseStatement(withSubjects(4096)).subjects).toHaveLength(4096)
    expect(() => parseStatement(withSubjects(4097))).toThrowCode('BUNDLE_STATEMENT_INVALID')
  })

  it('may have 16 digests of a subject', () => {
    expect(parseStatement(withDigests(16)).subjects[0]!.digest.size).toBe(16)
    expect(() => parseStatement(withDigests(17))).toThrowCode('BUNDLE_STATEMENT_INVALID')
  })

  it('ends with its payload', () => {
    expect(() => parseStatement(new TextEncoder().encode(`${text}{}`))).toThrowCode('BUNDLE_STATEMENT_INVALID')
  })
})
