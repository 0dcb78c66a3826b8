import { describe, expect, it } from '@jest/globals'
import { nodeCrypto } from '@touchmark/crypto/node'
import { base64Encode, canonicalJson, utf8Decode, utf8Encode, type JsonValue } from '@touchmark/encoding'
import fc from 'fast-check'
import { encodeEntryBody, EntryError, MAX_ENTRY_BYTES, parseEntryBody, type EntryBody } from './index.js'

const bytes = fc.uint8Array({ minLength: 1, maxLength: 120 })
const algorithm = fc.constantFrom('SHA2_256' as const, 'SHA2_384' as const, 'SHA2_512' as const)
const keyDetails = fc.constantFrom('PKIX_ECDSA_P256_SHA_256' as const, 'PKIX_ED25519_PH' as const)
const verifier = fc.oneof(
  fc.record({ keyDetails, publicKey: bytes }),
  fc.record({ keyDetails, x509Certificate: bytes }),
)
const signature = fc.record({ content: bytes, verifier })
const digest = fc.record({ algorithm, digest: bytes })
const version = fc.constant('0.0.2' as const)
const body = fc.oneof(
  fc.record({ kind: fc.constant('hashedrekord' as const), version, data: digest, signature }),
  fc.record({
    kind: fc.constant('dsse' as const),
    version,
    payloadHash: digest,
    signatures: fc.array(signature, { minLength: 1, maxLength: 4 }),
  }),
) as fc.Arbitrary<EntryBody>

/** The same entry through a generic canonicaliser: what the templates must equal. */
function genericJson(entry: EntryBody): JsonValue {
  const hash = (value: { algorithm: string; digest: Uint8Array }) => ({
    digest: base64Encode(value.digest),
    algorithm: value.algorithm,
  })
  const sign = ({ content, verifier }: Extract<EntryBody, { kind: 'dsse' }>['signatures'][number]) => ({
    verifier: {
      ...(verifier.publicKey === undefined
        ? { x509Certificate: { rawBytes: base64Encode(verifier.x509Certificate) } }
        : { publicKey: { rawBytes: base64Encode(verifier.publicKey) } }),
      keyDetails: verifier.keyDetails,
    },
    content: base64Encode(content),
  })
  const spec =
    entry.kind === 'dsse'
      ? { dsseV002: { signatures: entry.signatures.map(sign), payloadHash: hash(entry.payloadHash) } }
      : { hashedRekordV002: { signature: sign(entry.signature), data: hash(entry.data) } }
  return { spec, kind: entry.kind, apiVersion: entry.version }
}

describe('encodeEntryBody', () => {
  it('writes what the generic canonicaliser writes', () => {
    fc.assert(
      fc.property(body, (entry) => {
        expect(utf8Decode(encodeEntryBody(entry))).toBe(canonicalJson(genericJson(entry)))
      }),
      { numRuns: 500 },
    )
  })

  it('writes up to 65535 bytes and refuses one more', () => {
    const entry = (size: number): EntryBody => ({
      kind: 'hashedrekord',
      version: '0.0.2',
      data: { algorithm: 'SHA2_256', digest: new Uint8Array(32) },
      signature: {
        content: new Uint8Array(1),
        verifier: { keyDetails: 'PKIX_ECDSA_P256_SHA_256', x509Certificate: new Uint8Array(size) },
      },
    })
    const overhead = encodeEntryBody(entry(0)).length
    const most = Math.floor((MAX_ENTRY_BYTES - overhead) / 4) * 3
    expect(encodeEntryBody(entry(most)).length).toBeLessThanOrEqual(MAX_ENTRY_BYTES)
    expect(() => encodeEntryBody(entry(most + 1))).toThrowCode('ENTRY_TOO_LARGE')
  })
})

describe('parseEntryBody', () => {
  it('reads back what was written', () => {
    fc.assert(
      fc.property(body, (entry) => {
        expect(parseEntryBody(encodeEntryBody(entry))).toEqual(entry)
      }),
      { numRuns: 300 },
    )
  })

  it('answers any bytes with ENTRY_BODY_INVALID, or an entry that encodes to the same bytes', () => {
    const mutated = fc.tuple(body, fc.nat(), fc.nat(255), fc.boolean()).map(([entry, at, value, cut]) => {
      const out = encodeEntryBody(entry).slice()
      out[at % out.length] = value
      return cut ? out.subarray(0, at % out.length) : out
    })
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 80 })), (input) => {
        try {
          expect(encodeEntryBody(parseEntryBody(input))).toEqual(new Uint8Array(input))
        } catch (error) {
          if (!(error instanceof EntryError) || error.code !== 'ENTRY_BODY_INVALID') throw error
        }
      }),
      { numRuns: 1000 },
    )
  })

  const digestText = base64Encode(nodeCrypto.hash('SHA2_256', new Uint8Array(0)))
  const good = `{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{"data":{"algorithm":"SHA2_256","digest":"${digestText}"},"signature":{"content":"AQ==","verifier":{"keyDetails":"PKIX_ED25519_PH","publicKey":{"rawBytes":"AQ=="}}}}}}`

  it('takes the plain example', () => {
    expect(parseEntryBody(utf8Encode(good)).kind).toBe('hashedrekord')
  })

  it.each([
    ['white space', good.replace(',', ', ')],
    ['trailing bytes', `${good}\n`],
    [
      'another member order',
      good.replace('"apiVersion":"0.0.2","kind":"hashedrekord"', '"kind":"hashedrekord","apiVersion":"0.0.2"'),
    ],
    ['an unknown member', good.replace('{"apiVersion"', '{"a":1,"apiVersion"')],
    ['a member twice', good.replace('{"apiVersion":"0.0.2"', '{"apiVersion":"0.0.2","apiVersion":"0.0.2"')],
    ['an escape', good.replace('"hashedrekord"', '"hashedr\\u0065kord"')],
    ['URL-safe base64', good.replace('AQ==', '_w==')],
    ['base64 without padding', good.replace('AQ==', 'AQ')],
    ['trailing bits in base64', good.replace('AQ==', 'AR==')],
    ['an enum by number', good.replace('"PKIX_ED25519_PH"', '8')],
    ['an unspecified enum', good.replace('SHA2_256', 'SHA3_256')],
    ['version 0.0.1', good.replace('0.0.2', '0.0.1')],
    ['another kind than its content', good.replace('"kind":"hashedrekord"', '"kind":"dsse"')],
    ['an unknown kind', good.replace('"kind":"hashedrekord"', '"kind":"intoto"')],
    ['no content', '{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{}}'],
    ['no digest', good.replace(`,"digest":"${digestText}"`, '')],
    ['no verifier', good.replace(/,"verifier":.*$/, '}}}}')],
    ['no material', good.replace(/,"publicKey":\{"rawBytes":"AQ=="\}/, '')],
    ['two materials', good.replace('}}}}}}', '},"x509Certificate":{"rawBytes":"AQ=="}}}}}}')],
    ['nothing', ''],
    ['more than 65535 bytes', good.replace('AQ==', 'AAAA'.repeat(17_000))],
  ])('refuses %s', (_, text) => {
    expect(() => parseEntryBody(utf8Encode(text))).toThrowCode('ENTRY_BODY_INVALID')
  })
})
