import { describe, expect, it } from '@jest/globals'
import { derElement, derInteger, derSequence, hexDecode, TAG } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import fc from 'fast-check'
import { MAX_RESPONSE_BYTES, parseTimestampResponse, parseTimestampToken, type TimestampResponse } from './response.js'
import { makeAuthority } from './testing/authority.js'
import { forge } from './testing/forge.js'
import { mutate, reencodeResponse } from './testing/reencode.js'
import { recorded, recordedCases } from './testing/vectors.js'
import { encodeTstInfo, parseTstInfo } from './tst-info.js'

describe('parseTimestampResponse', () => {
  it('reads every recorded response, and what was read encodes to the same bytes', () => {
    for (const { name, response, tstInfo, signedData } of recordedCases()) {
      const der = recorded(response)
      const parsed = parseTimestampResponse(der)
      const token = parsed.token!
      expect({ name, der: reencodeResponse(parsed) }).toEqual({ name, der })
      expect(token.certificates?.length).toBe(signedData.certificateCount)
      expect(token.signerInfos[0]?.signedAttributes.map(({ type }) => type)).toEqual(signedData.signedAttributesInOrder)
      const info = parseTstInfo(token.tstInfoBytes)
      expect(encodeTstInfo(info)).toEqual(token.tstInfoBytes)
      expect(info.genTimeText).toBe(tstInfo.genTime)
      expect(info.policy).toBe(tstInfo.policy)
      expect(info.accuracy).toEqual({ seconds: 1n })
    }
  })

  it('reads a rejection with its text', () => {
    const failure = derElement(TAG.bitString, Uint8Array.of(5, 0x20))
    const text = derSequence(derElement(TAG.utf8String, new TextEncoder().encode('no')))
    const der = derSequence(derSequence(derInteger(2n), text, failure))
    const parsed = parseTimestampResponse(der)
    expect(parsed).toMatchObject({ status: 2, statusText: ['no'] })
    expect(parsed.token).toBeUndefined()
    expect(reencodeResponse(parsed)).toEqual(der)
  })

  it('bounds the texts of a status, and wants one when there is a list', () => {
    const withTexts = (count: number): Uint8Array => {
      const texts = Array.from({ length: count }, () => derElement(TAG.utf8String, Uint8Array.of(0x61)))
      return derSequence(derSequence(derInteger(2n), derSequence(...texts)))
    }
    expect(parseTimestampResponse(withTexts(16)).statusText.length).toBe(16)
    for (const count of [0, 17])
      expect(() => parseTimestampResponse(withTexts(count))).toThrowCode('TIMESTAMP_RESPONSE_INVALID')
  })

  it('reads a bare token', () => {
    const der = recorded('01-sha256-bare.tsr')
    const bare = der.subarray(4 + 5)
    expect(parseTimestampToken(bare)).toEqual(parseTimestampResponse(der).token)
  })

  it('refuses bytes that follow, bytes that are missing, and too many', () => {
    const der = recorded('02-sha256-nonce-cert.tsr')
    expect(() => parseTimestampResponse(Uint8Array.of(...der, 0))).toThrowCode('TIMESTAMP_RESPONSE_INVALID')
    expect(() => parseTimestampResponse(der.subarray(0, -1))).toThrowCode('TIMESTAMP_RESPONSE_INVALID')
    const large = forge(makeAuthority(), { certificates: [derSequence(new Uint8Array(MAX_RESPONSE_BYTES))] })
    expect(() => parseTimestampResponse(large)).toThrowCode('TIMESTAMP_RESPONSE_INVALID')
    const fits = forge(makeAuthority(), { certificates: [derSequence(new Uint8Array(MAX_RESPONSE_BYTES - 2000))] })
    expect(parseTimestampResponse(fits).token?.certificates?.length).toBe(1)
    expect(() => parseTimestampResponse(new Uint8Array())).toThrowCode('TIMESTAMP_RESPONSE_INVALID')
  })

  it('refuses another content type than SignedData, and another content than a TSTInfo', () => {
    const authority = makeAuthority()
    for (const forgery of [{ contentType: '1.2.840.113549.1.7.1' }, { eContentType: '1.2.840.113549.1.7.1' }])
      expect(() => parseTimestampResponse(forge(authority, forgery))).toThrowCode('TIMESTAMP_CONTENT_TYPE')
  })

  it('bounds certificates and signers before it looks into them', () => {
    const authority = makeAuthority()
    const many = Array.from({ length: 17 }, () => derSequence())
    expect(() => parseTimestampResponse(forge(authority, { certificates: many }))).toThrowCode(
      'TIMESTAMP_RESPONSE_INVALID',
    )
    expect(() => parseTimestampResponse(forge(authority, { signers: 9 }))).toThrowCode('TIMESTAMP_RESPONSE_INVALID')
  })

  it('reads any bytes to a coded error or to what encodes to the same bytes', () => {
    const valid = recordedCases().map(({ response }) => recorded(response))
    const mutated = fc
      .tuple(fc.constantFrom(...valid), fc.nat(), fc.nat(255), fc.nat(3))
      .map(([bytes, at, value, kind]) => mutate(bytes, at, value, kind))
    fc.assert(
      fc.property(
        fc.oneof({ weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) }, { weight: 9, arbitrary: mutated }),
        (bytes) => {
          let parsed: TimestampResponse
          try {
            parsed = parseTimestampResponse(bytes)
          } catch (error) {
            expect(isCodedError(error)).toBe(true)
            return
          }
          expect(reencodeResponse(parsed)).toEqual(bytes)
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('parseTstInfo', () => {
  const tstInfo = parseTimestampResponse(recorded('17-chain-extensions-policy-201.tsr')).token!.tstInfoBytes
  const info = parseTstInfo(tstInfo)

  it('reads fractions, accuracy in parts, ordering and negative nonces', () => {
    const rich = {
      ...info,
      genTimeText: '20261122162234.0259Z',
      accuracy: { seconds: 2n, millis: 500, micros: 7 },
      ordering: true,
      nonce: Uint8Array.of(0xfb),
    }
    const parsed = parseTstInfo(encodeTstInfo(rich))
    expect(parsed).toMatchObject({ accuracy: rich.accuracy, ordering: true, nonce: rich.nonce })
    expect(parsed.genTime).toEqual(new Date('2026-11-22T16:22:34.025Z'))
    expect(encodeTstInfo(parsed)).toEqual(encodeTstInfo(rich))
  })

  it.each([
    '20261122162234',
    '202611221622Z',
    '20261122162234.Z',
    '20261122162234.10Z',
    '20261122162234.1234567891Z',
    '20261122162234+0100',
    '20261322162234Z',
    '20260230162234Z',
    '20261122162260Z',
  ])('refuses the time %s', (genTimeText) => {
    expect(() => parseTstInfo(encodeTstInfo({ ...info, genTimeText }))).toThrowCode('TIMESTAMP_RESPONSE_INVALID')
  })

  it.each([
    ['an explicit ordering FALSE', '010100'],
    ['an empty list of extensions', 'a100'],
    ['an accuracy of 1000 milliseconds', '3004800203e8'],
    ['an accuracy of 0 milliseconds', '3003800100'],
    ['an unknown field', 'a2020500'],
  ])('refuses %s', (_name, hex) => {
    const { policy, imprintAlgorithm, digest, serialNumber, genTimeText } = info
    const bare = { policy, imprintAlgorithm, digest, serialNumber, genTimeText, ordering: false }
    const content = encodeTstInfo(bare).subarray(2)
    expect(() => parseTstInfo(derSequence(content, hexDecode(hex)))).toThrowCode('TIMESTAMP_RESPONSE_INVALID')
    expect(parseTstInfo(derSequence(content)).policy).toBe(info.policy)
  })

  it('takes 64 extensions and no more', () => {
    const extensions = Array.from({ length: 64 }, () => derSequence())
    expect(parseTstInfo(encodeTstInfo({ ...info, extensions })).extensions?.length).toBe(64)
    extensions.push(derSequence())
    expect(() => parseTstInfo(encodeTstInfo({ ...info, extensions }))).toThrowCode('TIMESTAMP_RESPONSE_INVALID')
  })

  it('refuses another version', () => {
    const content = encodeTstInfo(info).slice(2)
    const at = content.findIndex((octet, index) => octet === 1 && content[index - 1] === 1 && content[index - 2] === 2)
    content[at] = 2
    expect(() => parseTstInfo(derElement(TAG.sequence, content))).toThrowCode('TIMESTAMP_RESPONSE_INVALID')
  })

  it('reads any bytes to a coded error or to what encodes to the same bytes', () => {
    const mutated = fc
      .tuple(fc.nat(), fc.nat(255), fc.nat(3))
      .map(([at, value, kind]) => mutate(tstInfo, at, value, kind))
    fc.assert(
      fc.property(mutated, (bytes) => {
        try {
          expect(encodeTstInfo(parseTstInfo(bytes))).toEqual(bytes)
        } catch (error) {
          if (!isCodedError(error)) throw error
        }
      }),
      { numRuns: 1000 },
    )
  })
})
