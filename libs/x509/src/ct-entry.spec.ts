import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { equalBytes, hexDecode, hexEncode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import {
  buildPrecertLeaf,
  buildX509Leaf,
  encodeCertificateChain,
  encodePrecertChainEntry,
  encodeTimestampedEntry,
  parseCertificateChain,
  parseMerkleTreeLeaf,
  parsePrecertChainEntry,
} from './ct-entry.js'

const HASH = new Uint8Array(32).fill(0xcd)
const TBS = Uint8Array.of(0x30, 0)

describe('MerkleTreeLeaf (RFC 6962 §3.4)', () => {
  it('of a precertificate', () => {
    const leaf = buildPrecertLeaf({ timestampMs: 1_700_000_000_000, issuerKeyHash: HASH, tbs: TBS })
    expect(hexEncode(leaf)).toBe(`0000${'0000018bcfe56800'}0001${'cd'.repeat(32)}00000230000000`)
    expect(parseMerkleTreeLeaf(leaf)).toEqual({
      timestampMs: 1_700_000_000_000,
      entry: { type: 'precert', issuerKeyHash: HASH, tbs: TBS },
      extensions: new Uint8Array(),
    })
  })
  it('of a certificate', () => {
    const leaf = buildX509Leaf({ timestampMs: 0, certificate: TBS })
    expect(hexEncode(leaf)).toBe(`0000${'00'.repeat(8)}0000${'000002'}3000${'0000'}`)
    expect(parseMerkleTreeLeaf(leaf).entry).toEqual({ type: 'x509', certificate: TBS })
  })
  it('is refused in another version, of another type, cut, or too long', () => {
    const leaf = buildPrecertLeaf({ timestampMs: 5, issuerKeyHash: HASH, tbs: TBS })
    const change = (at: number, to: number): Uint8Array => leaf.map((byte, i) => (i === at ? to : byte))
    for (const bad of [change(0, 1), change(1, 1), change(11, 2), leaf.subarray(0, -1), Uint8Array.of(...leaf, 0)])
      expect(() => parseMerkleTreeLeaf(bad)).toThrowCode('X509_CT_LEAF_MALFORMED')
  })
})

describe('extra_data', () => {
  it('of a certificate: its chain', () => {
    const chain = [Uint8Array.of(1), Uint8Array.of(2, 3)]
    expect(hexEncode(encodeCertificateChain(chain))).toBe('0000090000010100000' + '20203')
    expect(parseCertificateChain(encodeCertificateChain(chain))).toEqual(chain)
    expect(parseCertificateChain(encodeCertificateChain([]))).toEqual([])
  })
  it('of a precertificate: itself and its chain', () => {
    const extra = encodePrecertChainEntry(TBS, [Uint8Array.of(7)])
    expect(hexEncode(extra)).toBe('00000230000000' + '0400000107')
    expect(parsePrecertChainEntry(extra)).toEqual({ precertificate: TBS, chain: [Uint8Array.of(7)] })
  })
  it('is refused when lengths do not fit or there are too many', () => {
    for (const bad of ['', '0000', '000001', '00000400000207', '0000020000'])
      expect(() => parseCertificateChain(hexDecode(bad))).toThrowCode('X509_CT_LEAF_MALFORMED')
    const many = encodeCertificateChain(Array.from({ length: 65 }, () => TBS))
    expect(() => parseCertificateChain(many)).toThrowCode('X509_CT_LEAF_MALFORMED')
    expect(() => parsePrecertChainEntry(hexDecode('00000530'))).toThrowCode('X509_CT_LEAF_MALFORMED')
  })
})

it('any bytes: a coded error, or a leaf that is these bytes', () => {
  const good = buildPrecertLeaf({ timestampMs: 5, issuerKeyHash: HASH, tbs: TBS })
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 80 }),
    fc
      .record({ at: fc.nat(good.length - 1), to: fc.nat(255) })
      .map(({ at, to }) => good.map((b, i) => (i === at ? to : b))),
  )
  fc.assert(
    fc.property(bytes, (input) => {
      try {
        expect(equalBytes(encodeTimestampedEntry(parseMerkleTreeLeaf(input)), input)).toBe(true)
      } catch (error) {
        if (!isCodedError(error)) throw error
      }
      try {
        const { precertificate, chain } = parsePrecertChainEntry(input)
        expect(equalBytes(encodePrecertChainEntry(precertificate, chain), input)).toBe(true)
      } catch (error) {
        if (!isCodedError(error)) throw error
      }
    }),
    { numRuns: 500 },
  )
})
