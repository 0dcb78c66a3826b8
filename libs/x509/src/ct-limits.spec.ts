import { expect, it } from '@jest/globals'
import { concatBytes, hexDecode } from '@touchmark/encoding'
import {
  buildX509Leaf,
  encodeCertificateChain,
  encodePrecertChainEntry,
  parseCertificateChain,
  parseMerkleTreeLeaf,
  parsePrecertChainEntry,
} from './ct-entry.js'

const DER = Uint8Array.of(0x30, 0)

it('a chain of 64 certificates is taken, with a precertificate in front too', () => {
  const chain = Array.from({ length: 64 }, () => DER)
  expect(parseCertificateChain(encodeCertificateChain(chain))).toEqual(chain)
  expect(parsePrecertChainEntry(encodePrecertChainEntry(DER, chain))).toEqual({ precertificate: DER, chain })
  expect(() => parsePrecertChainEntry(encodePrecertChainEntry(DER, [...chain, DER]))).toThrowCode(
    'X509_CT_LEAF_MALFORMED',
  )
})

it('a chain is as long as it says', () => {
  const chain = encodeCertificateChain([DER])
  for (const bad of [concatBytes(chain, Uint8Array.of(0)), concatBytes(chain, hexDecode('000000')), chain.subarray(1)])
    expect(() => parseCertificateChain(bad)).toThrowCode('X509_CT_LEAF_MALFORMED')
  expect(() => parsePrecertChainEntry(concatBytes(hexDecode('000002'), DER))).toThrowCode('X509_CT_LEAF_MALFORMED')
})

it('the extensions of a leaf are as long as they say', () => {
  const leaf = buildX509Leaf({ timestampMs: 1, certificate: DER })
  const extended = concatBytes(leaf.subarray(0, -2), hexDecode('0003aabbcc'))
  expect(parseMerkleTreeLeaf(extended).extensions).toEqual(hexDecode('aabbcc'))
  for (const bad of [leaf.subarray(0, 1), leaf.subarray(0, 9), leaf.subarray(0, 11), extended.subarray(0, -1)])
    expect(() => parseMerkleTreeLeaf(bad)).toThrowCode('X509_CT_LEAF_MALFORMED')
})

it('a leaf of another type is none, whatever follows', () => {
  const leaf = concatBytes(buildX509Leaf({ timestampMs: 1, certificate: DER }).subarray(0, 10), hexDecode('0002'))
  for (const rest of ['', '0000', '0000023000' + '0000'])
    expect(() => parseMerkleTreeLeaf(concatBytes(leaf, hexDecode(rest)))).toThrowCode('X509_CT_LEAF_MALFORMED')
})
