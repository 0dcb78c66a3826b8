import { describe, expect, it } from '@jest/globals'
import { base64Decode, hexDecode, hexEncode } from '@touchmark/encoding'
import { parseCertificate, parseTbsCertificate } from './certificate.js'
import type { Certificate } from './certificate.js'
import { FULCIO_EXTENSIONS, FULCIO_OID, fulcioExtensions } from './fulcio-extensions.js'
import { plainTbs, prepareLeaf, withPoison, withScts } from './leaf-template.js'
import type { LeafInput } from './leaf-template.js'
import { embeddedScts } from './sct.js'
import { recordedCertificates } from './testing/fulcio-vectors.js'

const recorded = recordedCertificates()

/** What the CA was told when it made this certificate, read back from it. */
function inputOf(leaf: Certificate, issuer: Certificate): LeafInput {
  const { issuer: oidcIssuer, values } = fulcioExtensions(leaf)
  return {
    issuer,
    signatureAlgorithm: leaf.signatureAlgorithm.der,
    publicKey: leaf.publicKey,
    san: leaf.san[0]!,
    oidcIssuer: oidcIssuer!,
    extensions: values,
    serial: leaf.serialNumber,
    notBefore: leaf.notBefore,
    notAfter: leaf.notAfter,
  }
}

describe('every recorded certificate is written again, byte for byte', () => {
  it.each(recorded)('$name', ({ leaf, chain, logKey }) => {
    const parts = prepareLeaf(inputOf(leaf, chain[0]!))
    const tbs = logKey === undefined ? plainTbs(parts) : withScts(parts, embeddedScts(leaf))
    expect(hexEncode(tbs)).toBe(hexEncode(leaf.tbs))
  })

  it.each(recorded.filter(({ ctRequest }) => ctRequest !== undefined))('$name: its precertificate', (one) => {
    const precertificate = parseCertificate(base64Decode(one.ctRequest!.body.chain[0]!))
    const parts = prepareLeaf(inputOf(one.leaf, one.chain[0]!))
    expect(hexEncode(withPoison(parts))).toBe(hexEncode(precertificate.tbs))
  })
})

const golden = recorded.find(({ name }) => name === 'v2-email-pop')!
const input = inputOf(golden.leaf, golden.chain[0]!)

describe('golden elements (ca.md §11)', () => {
  it('has the .8, the SAN and the poison as printed there', () => {
    const tbs = hexEncode(withPoison(prepareLeaf(input)))
    expect(tbs).toContain('3025060a2b0601040183bf30010804170c15687474703a2f2f6c6f63616c686f73743a39393938')
    expect(tbs).toContain('301d0603551d110101ff04133011810f646576406578616d706c652e636f6d')
    expect(tbs.endsWith('3013060a2b06010401d6790204030101ff04020500')).toBe(true)
  })
  it('writes a user name as otherName', () => {
    const san = { type: 'otherName', value: 'alice!localhost' } as const
    expect(hexEncode(withPoison(prepareLeaf({ ...input, san })))).toContain(
      '3021a01f060a2b0601040183bf300107a0110c0f616c696365216c6f63616c686f7374',
    )
  })
})

describe('refusals', () => {
  it.each(['email', 'uri'] as const)(
    'a character outside ASCII in a SAN of type %s, in the words of the reference',
    (type) => {
      const make = (): unknown => prepareLeaf({ ...input, san: { type, value: 'ü@example.com' } })
      expect(make).toThrowCode('X509_SAN_NOT_IA5')
      expect(make).toThrow('x509: "ü@example.com" cannot be encoded as an IA5String')
    },
  )
  it('an empty OIDC issuer', () => {
    const make = (): unknown => prepareLeaf({ ...input, oidcIssuer: '' })
    expect(make).toThrowCode('X509_EXTENSION_INVALID')
    expect(make).toThrow('extensions must have a non-empty issuer url')
  })
})

describe('identity extensions', () => {
  it('are all read back; empty ones are not written', () => {
    const values = Object.fromEntries(
      FULCIO_EXTENSIONS.filter(({ name }) => name !== 'issuerV1' && name !== 'issuerV2').map(({ name }, i) => [
        name,
        i % 3 === 0 ? '' : `välue ${name}`,
      ]),
    )
    const tbs = withPoison(prepareLeaf({ ...input, extensions: values }))
    const read = fulcioExtensions(parseTbsCertificate(tbs))
    const written = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''))
    expect(read).toEqual({
      issuer: input.oidcIssuer,
      issuerV1: input.oidcIssuer,
      issuerV2: input.oidcIssuer,
      values: written,
    })
  })
  it('.8 is the issuer when it differs from .1', () => {
    const extensions = new Map(golden.leaf.extensions)
    const v2 = extensions.get(FULCIO_OID.issuerV2)!
    extensions.set(v2.oid, { ...v2, value: hexDecode('0c0161') })
    expect(fulcioExtensions({ extensions }).issuer).toBe('a')
    extensions.delete(v2.oid)
    expect(fulcioExtensions({ extensions }).issuer).toBe('http://localhost:9998')
    extensions.clear()
    expect(fulcioExtensions({ extensions })).toEqual({ values: {} })
  })
  it.each([
    ['issuerV1', 'ff'],
    ['issuerV2', '61'],
    ['issuerV2', '1301' + '61'],
    ['tokenSubject', '0c016100'],
    ['tokenSubject', '0c01ff'],
  ] as const)('%s %s does not decode', (name, hex) => {
    const extensions = new Map(golden.leaf.extensions)
    extensions.set(FULCIO_OID[name], {
      oid: FULCIO_OID[name],
      critical: false,
      value: hexDecode(hex),
      bytes: hexDecode(''),
    })
    expect(() => fulcioExtensions({ extensions })).toThrowCode('X509_EXTENSION_INVALID')
  })
})
