import { describe, expect, it } from '@jest/globals'
import { nodeCrypto } from '@touchmark/crypto/node'
import {
  derElement,
  derExplicit,
  derInteger,
  DER_NULL,
  derOctetString,
  derOid,
  derSequence,
  hexDecode,
  TAG,
} from '@touchmark/encoding'
import { HASH_OID, OID } from './algorithms.js'
import type { TimestampAuthority } from './authority.js'
import type { TimestampErrorCode } from './errors.js'
import {
  makeAuthority,
  NOT_AFTER,
  NOT_BEFORE,
  NOW,
  type TestAuthority,
  type TestAuthorityOptions,
} from './testing/authority.js'
import {
  basicConstraints,
  CODE_SIGNING,
  keyUsage,
  makeCertificate,
  makeKey,
  makeName,
  purposes,
  TIME_STAMPING,
} from './testing/certificates.js'
import {
  attribute,
  certId,
  digest,
  forge,
  generalizedTime,
  MESSAGE,
  signingCertificate,
  type Forgery,
} from './testing/forge.js'
import { recorded, recordedCases, recordedChain } from './testing/vectors.js'
import { parseTimestampResponse } from './response.js'
import { verifyTimestamp, type VerifyTimestampInput } from './verify.js'

const authority = makeAuthority()
const [leaf, intermediate, root] = authority.chain

function verify(
  response: Uint8Array,
  authorities: readonly TimestampAuthority[] = [authority.trusted],
  more: Partial<VerifyTimestampInput> = {},
) {
  return verifyTimestamp({ response, message: MESSAGE, authorities, crypto: nodeCrypto, ...more })
}

function refuses(code: TimestampErrorCode, forgery: Forgery, from: TestAuthority = authority): void {
  expect(() => verify(forge(from, forgery), [from.trusted])).toThrowCode(code)
}

/** An authority whose certificates are wrong, in which the verifier trusts. */
function refusesAuthority(code: TimestampErrorCode, options: TestAuthorityOptions): void {
  refuses(code, {}, makeAuthority(options))
}

describe('verifyTimestamp', () => {
  it('takes every recorded token over its message, and none over another', () => {
    const messages = [new TextEncoder().encode('hello'), new Uint8Array()]
    let verified = 0
    for (const { name, response, chain, tstInfo } of recordedCases()) {
      const certificates = recordedChain(chain)
      const trusted = { leaf: certificates[0]!, intermediates: certificates.slice(1, -1), root: certificates.at(-1)! }
      const hash =
        tstInfo.hashAlgorithm === 'sha256' ? 'SHA2_256' : tstInfo.hashAlgorithm === 'sha384' ? 'SHA2_384' : 'SHA2_512'
      const imprint = hexDecode(tstInfo.messageImprint)
      const known = messages.find((one) => Buffer.from(digest(hash, one)).equals(imprint))
      // What the clients timestamped was not kept: only its digest is known.
      const message = known ?? new TextEncoder().encode(name)
      const crypto: typeof nodeCrypto =
        known !== undefined
          ? nodeCrypto
          : {
              ...nodeCrypto,
              hash: (algorithm, ...parts) => (parts[0] === message ? imprint : nodeCrypto.hash(algorithm, ...parts)),
            }
      const nonce = tstInfo.nonce === undefined ? {} : { nonce: BigInt(tstInfo.nonce) }
      const result = verify(recorded(response), [trusted], { message, crypto, ...nonce })
      expect(generalizedTime(result.time)).toBe(tstInfo.genTime)
      verified++
      expect(() => verify(recorded(response), [trusted], { message: MESSAGE })).toThrowCode(
        'TIMESTAMP_IMPRINT_MISMATCH',
      )
    }
    expect(verified).toBe(22)
  })

  it('takes a right token, with and without its certificates, and says when and by whom', () => {
    const other = makeAuthority().trusted
    for (const certificates of [[], [leaf!.der], [root!.der, leaf!.der, intermediate!.der]])
      expect(verify(forge(authority, { certificates }), [other, authority.trusted])).toMatchObject({
        time: NOW,
        authority: 1,
      })
  })

  it('takes fractions of seconds, an issuerSerial that is left out, and hashes with and without NULL', () => {
    const genTimeText = generalizedTime(NOW).replace('Z', '.25Z')
    expect(verify(forge(authority, { genTimeText })).time.getTime()).toBe(NOW.getTime() + 250)
    const attributes = { signingCertificate: [signingCertificate(certId(leaf!, 'SHA2_512', false), certId(root!))] }
    const digestAlgorithm = derSequence(derOid(HASH_OID.SHA2_256), DER_NULL)
    expect(verify(forge(authority, { attributes, digestAlgorithm })).time).toEqual(NOW)
  })

  it('refuses any single flipped bit', () => {
    const good = forge(authority, { certificates: [leaf!.der] })
    // All of it but the parts that nothing is said by: digestAlgorithms of SignedData.
    const unsigned = Buffer.from(good).indexOf(Buffer.from(HASH_OID_BYTES))
    for (let bit = 0; bit < good.length * 8; bit += 3) {
      const at = bit >> 3
      if (at >= unsigned && at < unsigned + HASH_OID_BYTES.length) continue
      const bad = good.slice()
      bad[at]! ^= 1 << (bit & 7)
      let code: string | undefined
      try {
        verify(bad)
      } catch (error) {
        code = (error as { code?: string }).code
      }
      expect({ at, refused: code?.startsWith('TIMESTAMP_') }).toEqual({ at, refused: true })
    }
  })
  const HASH_OID_BYTES = derOid(HASH_OID.SHA2_256)

  it('refuses a status that is not granted', () => {
    refuses('TIMESTAMP_STATUS_NOT_GRANTED', { status: derSequence(derInteger(1n)) })
    refuses('TIMESTAMP_STATUS_NOT_GRANTED', { status: derSequence(derInteger(2n)) })
    expect(() => verify(derSequence(derSequence(derInteger(2n))))).toThrowCode('TIMESTAMP_STATUS_NOT_GRANTED')
    expect(() => verify(derSequence(derSequence(derInteger(0n))))).toThrowCode('TIMESTAMP_RESPONSE_INVALID')
  })

  it('refuses other versions of SignedData and SignerInfo', () => {
    refuses('TIMESTAMP_RESPONSE_INVALID', { signedDataVersion: 1n })
    refuses('TIMESTAMP_RESPONSE_INVALID', { signerInfoVersion: 3n })
  })

  it('refuses two signers and none', () => {
    refuses('TIMESTAMP_SIGNER_COUNT', { signers: 2 })
    refuses('TIMESTAMP_SIGNER_COUNT', { signers: 0 })
  })

  it('refuses a timestamp over other bytes', () => {
    refuses('TIMESTAMP_IMPRINT_MISMATCH', { message: new TextEncoder().encode('other bytes') })
    refuses('TIMESTAMP_IMPRINT_MISMATCH', { tstInfo: { digest: digest('SHA2_256', MESSAGE).subarray(0, 31) } })
  })

  it('refuses an imprint, a signer hash and a signature of other algorithms', () => {
    refuses('TIMESTAMP_ALGORITHM_UNSUPPORTED', { tstInfo: { imprintAlgorithm: { oid: OID.sha1 } } })
    refuses('TIMESTAMP_ALGORITHM_UNSUPPORTED', { digestAlgorithm: derSequence(derOid(OID.sha1)) })
    refuses('TIMESTAMP_ALGORITHM_UNSUPPORTED', { signatureAlgorithm: derSequence(derOid('1.2.840.10045.4.1')) })
    refuses('TIMESTAMP_ALGORITHM_UNSUPPORTED', {
      signatureAlgorithm: derSequence(derOid('1.2.840.10045.4.3.2'), DER_NULL),
    })
    const id = derSequence(derSequence(derOid(OID.sha1)), derOctetString(new Uint8Array(20)))
    refuses('TIMESTAMP_ALGORITHM_UNSUPPORTED', { attributes: { signingCertificate: [signingCertificate(id)] } })
  })

  it('refuses algorithms that do not fit the key or each other', () => {
    refuses('TIMESTAMP_ALGORITHM_MISMATCH', { signatureAlgorithm: derSequence(derOid('1.2.840.113549.1.1.11')) })
    refuses('TIMESTAMP_ALGORITHM_MISMATCH', { signatureAlgorithm: derSequence(derOid('1.2.840.10045.4.3.3')) })
    refuses('TIMESTAMP_ALGORITHM_MISMATCH', { signatureAlgorithm: derSequence(derOid('1.3.101.112')) })
  })

  it('takes rsaEncryption with the hash of the digest algorithm', () => {
    const rsa = makeAuthority({ keyType: 'RSA-2048' })
    for (const parameters of [[], [DER_NULL]]) {
      const signatureAlgorithm = derSequence(derOid(OID.rsaEncryption), ...parameters)
      expect(verify(forge(rsa, { signatureAlgorithm }), [rsa.trusted]).time).toEqual(NOW)
    }
  })

  it('compares the nonce when one was sent', () => {
    const response = forge(authority, { tstInfo: { nonce: Uint8Array.of(0, 0x80) } })
    expect(verify(response, undefined, { nonce: 128n }).time).toEqual(NOW)
    expect(() => verify(response, undefined, { nonce: 129n })).toThrowCode('TIMESTAMP_NONCE_MISMATCH')
    expect(() => verify(forge(authority), undefined, { nonce: 1n })).toThrowCode('TIMESTAMP_NONCE_MISMATCH')
  })

  it('refuses a signer that is not the leaf of a trusted authority', () => {
    expect(() => verify(forge(authority), [])).toThrowCode('TIMESTAMP_AUTHORITY_UNKNOWN')
    refuses('TIMESTAMP_AUTHORITY_UNKNOWN', { sidOf: intermediate! })
    refuses('TIMESTAMP_AUTHORITY_UNKNOWN', { sidOf: root! })
    const otherSerial = makeAuthority({ leaf: { serialNumber: 99n } })
    expect(() => verify(forge(authority), [otherSerial.trusted])).toThrowCode('TIMESTAMP_AUTHORITY_UNKNOWN')
  })

  it('refuses an intermediate that signs a token itself, though its certificate is pinned and inside', () => {
    const forgery = { sidOf: intermediate!, signWith: authority.intermediateKey, certificates: [intermediate!.der] }
    refuses('TIMESTAMP_AUTHORITY_UNKNOWN', forgery)
  })

  it('refuses a certificate inside that is another than the pinned leaf of the same name and number', () => {
    const impostor = makeAuthority()
    const attributes = { signingCertificate: [signingCertificate(certId(impostor.chain[0]!))] }
    const certificates = [impostor.chain[0]!.der]
    refuses('TIMESTAMP_EMBEDDED_MISMATCH', { certificates, signWith: impostor.leafKey, attributes })
    refuses('TIMESTAMP_EMBEDDED_MISMATCH', { certificates })
    refuses('TIMESTAMP_EMBEDDED_MISMATCH', { certificates: [intermediate!.der, root!.der] })
  })

  it('refuses injected certificates beside the right ones', () => {
    const stranger = makeAuthority().chain[0]!.der
    refuses('TIMESTAMP_EXTRA_CERTIFICATE', { certificates: [leaf!.der, stranger] })
    refuses('TIMESTAMP_EXTRA_CERTIFICATE', { certificates: [stranger, leaf!.der] })
    refuses('TIMESTAMP_EXTRA_CERTIFICATE', { certificates: [leaf!.der, leaf!.der] })
    refuses('TIMESTAMP_EXTRA_CERTIFICATE', { certificates: [leaf!.der, derSequence()] })
  })

  it('refuses leaves that are not for timestamps alone', () => {
    const leafWith = (...extensions: Uint8Array[]): TestAuthorityOptions => ({ leaf: { extensions } })
    const usage = keyUsage(0x80)
    refusesAuthority('TIMESTAMP_EKU_NOT_CRITICAL', leafWith(usage, purposes([TIME_STAMPING])))
    refusesAuthority('TIMESTAMP_EKU_NOT_TIMESTAMPING', leafWith(usage))
    refusesAuthority('TIMESTAMP_EKU_NOT_TIMESTAMPING', leafWith(usage, purposes([CODE_SIGNING], true)))
    refusesAuthority('TIMESTAMP_EKU_NOT_TIMESTAMPING', leafWith(usage, purposes([TIME_STAMPING, CODE_SIGNING], true)))
    refusesAuthority('TIMESTAMP_KEY_USAGE', leafWith(keyUsage(0x06), purposes([TIME_STAMPING], true)))
    refusesAuthority('TIMESTAMP_SIGNER_IS_CA', leafWith(usage, basicConstraints(true), purposes([TIME_STAMPING], true)))
  })

  it('refuses an authority of one self-signed certificate', () => {
    const key = makeKey('P-256')
    const name = makeName('example.com', 'alone')
    const alone = makeCertificate({
      serialNumber: 1n,
      issuer: name,
      subject: name,
      notBefore: NOT_BEFORE,
      notAfter: NOT_AFTER,
      extensions: [purposes([TIME_STAMPING], true)],
      spki: key.spki,
      issuerKey: key,
    })
    const trusted = { leaf: alone, intermediates: [], root: alone }
    const response = forge({ ...authority, chain: [alone], leafKey: key, trusted })
    expect(() => verify(response, [trusted])).toThrowCode('TIMESTAMP_AUTHORITY_INVALID')
  })

  it('wants every certificate to be valid at the time of the token, both ends included', () => {
    const before = new Date(NOW.getTime() - 1000)
    const after = new Date(NOW.getTime() + 1000)
    for (const which of ['leaf', 'intermediate', 'root'] as const) {
      refusesAuthority('TIMESTAMP_OUTSIDE_CERTIFICATE_VALIDITY', { [which]: { notAfter: before } })
      refusesAuthority('TIMESTAMP_OUTSIDE_CERTIFICATE_VALIDITY', { [which]: { notBefore: after } })
      for (const dates of [{ notAfter: NOW }, { notBefore: NOW }]) {
        const edge = makeAuthority({ [which]: dates })
        expect(verify(forge(edge), [edge.trusted]).time).toEqual(NOW)
      }
    }
  })

  it('wants the time to be in the window of the trusted root, both ends included', () => {
    const within = (validFor: { start?: Date; end?: Date }) =>
      verify(forge(authority), [{ ...authority.trusted, validFor }])
    expect(within({ start: NOW, end: NOW }).time).toEqual(NOW)
    expect(within({}).time).toEqual(NOW)
    const before = new Date(NOW.getTime() - 1)
    const after = new Date(NOW.getTime() + 1)
    expect(() => within({ start: after })).toThrowCode('TIMESTAMP_OUTSIDE_VALID_FOR')
    expect(() => within({ end: before })).toThrowCode('TIMESTAMP_OUTSIDE_VALID_FOR')
  })

  it('takes the item that fits when one leaf stands in two', () => {
    const early = { ...authority.trusted, validFor: { end: new Date('2026-02-01') } }
    const late = { ...authority.trusted, validFor: { start: new Date('2026-02-01') } }
    expect(verify(forge(authority), [early, late]).authority).toBe(1)
    expect(() => verify(forge(authority), [early, early])).toThrowCode('TIMESTAMP_OUTSIDE_VALID_FOR')
  })

  it('refuses a chain that does not hold', () => {
    const stranger = makeAuthority()
    const wrongRoot = { ...authority.trusted, root: stranger.trusted.root }
    expect(() => verify(forge(authority), [wrongRoot])).toThrowCode('TIMESTAMP_CHAIN_INVALID')
    expect(() => verify(forge(authority), [{ ...authority.trusted, intermediates: [] }])).toThrowCode(
      'TIMESTAMP_CHAIN_INVALID',
    )
    refusesAuthority('TIMESTAMP_CHAIN_INVALID', {
      intermediate: { extensions: [basicConstraints(true), purposes([CODE_SIGNING])] },
    })
    refusesAuthority('TIMESTAMP_CHAIN_INVALID', { intermediate: { extensions: [] } })
    // Again: what was refused once is not taken for proven.
    expect(() => verify(forge(authority), [wrongRoot])).toThrowCode('TIMESTAMP_CHAIN_INVALID')
  })

  it('refuses attributes that are missing, repeated, empty or of another type', () => {
    const contentType = attribute(OID.contentType, derOid(OID.tstInfo))
    const messageDigest = attribute(OID.messageDigest, derOctetString(new Uint8Array(32)))
    const certificate = signingCertificate(certId(leaf!))
    for (const attributes of [
      { contentType: [] },
      { contentType: [contentType, contentType] },
      { contentType: [attribute(OID.contentType)] },
      { contentType: [attribute(OID.contentType, derOid(OID.tstInfo), derOid(OID.tstInfo))] },
      { contentType: [attribute(OID.contentType, DER_NULL)] },
      { messageDigest: [] },
      { messageDigest: [messageDigest, messageDigest] },
      { messageDigest: [attribute(OID.messageDigest, DER_NULL)] },
      { signingCertificate: [certificate, certificate] },
      { signingCertificate: [attribute(OID.signingCertificateV2, derSequence(derSequence()))] },
      { signingCertificate: [signingCertificate(...Array.from({ length: 17 }, () => certId(leaf!)))] },
    ])
      refuses('TIMESTAMP_ATTRIBUTES_INVALID', { attributes })
    refuses('TIMESTAMP_SIGNING_CERTIFICATE_MISSING', { attributes: { signingCertificate: [] } })
  })

  it('refuses a content type attribute of another content', () => {
    const contentType = [attribute(OID.contentType, derOid('1.2.840.113549.1.7.1'))]
    refuses('TIMESTAMP_ATTRIBUTE_CONTENT_TYPE', { attributes: { contentType } })
  })

  it('refuses a TSTInfo that the signature is not over', () => {
    const other = forge(authority, { genTimeText: '20260701000000Z' })
    const { content } = parts(other)
    refuses('TIMESTAMP_MESSAGE_DIGEST_MISMATCH', { content })
  })

  it('refuses a signingCertificateV2 that does not name the pinned leaf', () => {
    const mismatch = (...ids: Uint8Array[]): void =>
      refuses('TIMESTAMP_SIGNING_CERTIFICATE_MISMATCH', {
        attributes: { signingCertificate: [signingCertificate(...ids)] },
      })
    mismatch(certId(intermediate!))
    mismatch(certId(makeAuthority().chain[0]!))
    mismatch(certId(leaf!), certId(makeAuthority().chain[1]!))
    mismatch(certId(intermediate!), certId(leaf!))
    const hash = derOctetString(digest('SHA2_256', leaf!.der))
    const named = (issuer: Uint8Array, serial: Uint8Array) =>
      derSequence(hash, derSequence(derSequence(derExplicit(4, issuer)), derElement(TAG.integer, serial)))
    mismatch(named(root!.subject, leaf!.serialNumber))
    mismatch(named(leaf!.issuer, Uint8Array.of(1)))
  })

  it('refuses a signature by another key, and a broken one', () => {
    refuses('TIMESTAMP_SIGNATURE_INVALID', { signWith: makeKey('P-256') })
    refuses('TIMESTAMP_SIGNATURE_INVALID', { corruptSignature: true })
  })

  it('refuses a token that names another authority', () => {
    refuses('TIMESTAMP_TSA_NAME_MISMATCH', { tstInfo: { tsa: derExplicit(4, root!.subject) } })
    const named = forge(authority, { tstInfo: { tsa: derExplicit(4, leaf!.subject) } })
    expect(verify(named).time).toEqual(NOW)
    const uri = derElement(0x86, new TextEncoder().encode('https://tsa.example.com'))
    expect(verify(forge(authority, { tstInfo: { tsa: uri } })).time).toEqual(NOW)
  })
})

/** The eContent of a token. */
function parts(response: Uint8Array): { content: Uint8Array } {
  return { content: parseTimestampResponse(response).token!.tstInfoBytes }
}
