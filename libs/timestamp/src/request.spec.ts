import { describe, expect, it } from '@jest/globals'
import { concatBytes, derInteger, DER_NULL, derOctetString, derOid, derSequence, hexDecode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import fc from 'fast-check'
import { HASH_OID } from './algorithms.js'
import { encodeTimestampRequest, parseTimestampRequest, type TimestampRequest } from './request.js'
import { makeExtension } from './testing/certificates.js'
import { recorded, recordedCases } from './testing/vectors.js'

const DIGEST = new Uint8Array(32).fill(7)
const IMPRINT = derSequence(derSequence(derOid(HASH_OID.SHA2_256), DER_NULL), derOctetString(DIGEST))
const VERSION = derInteger(1n)

function imprint(oid: string, digest: Uint8Array): Uint8Array {
  return derSequence(derSequence(derOid(oid), DER_NULL), derOctetString(digest))
}

/** The canonical DER of what was read. */
function reencode(request: TimestampRequest): Uint8Array {
  const nonce =
    request.nonce === undefined ? {} : { nonce: BigInt.asIntN(request.nonce.length * 8, toBig(request.nonce)) }
  const policy = request.policy === undefined ? {} : { policy: request.policy }
  const { hashAlgorithm, digest, certReq, extensions } = request
  return encodeTimestampRequest({ hashAlgorithm, digest, certReq, extensions, ...nonce, ...policy })
}

function toBig(bytes: Uint8Array): bigint {
  return bytes.reduce((value, octet) => (value << 8n) | BigInt(octet), 0n)
}

describe('parseTimestampRequest', () => {
  it('reads the literal request of sigstore-go', () => {
    const der = hexDecode(
      '3036020101' +
        '3031300d060960864801650304020105000420' +
        'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    )
    const request = parseTimestampRequest(der)
    expect(request).toMatchObject({ hashAlgorithm: 'SHA2_256', certReq: false, extensions: [] })
    expect(request.nonce).toBeUndefined()
    expect(request.policy).toBeUndefined()
    expect(reencode(request)).toEqual(der)
  })

  it('writes canonical requests of every recorded DER request back byte by byte', () => {
    const lenient = ['certReq explicit false', 'hash parameters absent', 'version 2']
    const cases = recordedCases().filter(({ request }) => request.endsWith('.tsq'))
    expect(cases.length).toBe(19)
    for (const { name, request } of cases) {
      const der = recorded(request)
      const again = reencode(parseTimestampRequest(der))
      if (lenient.includes(name)) expect(parseTimestampRequest(again)).toEqual(parseTimestampRequest(der))
      else expect({ name, der: again }).toEqual({ name, der })
    }
  })

  it('takes any version of up to 64 bits and refuses a longer one', () => {
    for (const version of [0n, -1n, 2n ** 63n - 1n])
      expect(parseTimestampRequest(derSequence(derInteger(version), IMPRINT)).digest).toEqual(DIGEST)
    expect(() => parseTimestampRequest(derSequence(derInteger(2n ** 70n), IMPRINT))).toThrowCode(
      'TIMESTAMP_REQUEST_INVALID',
    )
  })

  it('takes hash parameters of any kind', () => {
    for (const parameters of [new Uint8Array(), DER_NULL, derOctetString(DIGEST), concatBytes(DER_NULL, DER_NULL)]) {
      const algorithm = derSequence(derOid(HASH_OID.SHA2_256), parameters)
      expect(
        parseTimestampRequest(derSequence(VERSION, derSequence(algorithm, derOctetString(DIGEST)))).hashAlgorithm,
      ).toBe('SHA2_256')
    }
  })

  it('keeps nonces of any size and sign exactly', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 4000n), max: 2n ** 4000n }), (nonce) => {
        const der = encodeTimestampRequest({ hashAlgorithm: 'SHA2_256', digest: DIGEST, nonce })
        expect(reencode(parseTimestampRequest(der))).toEqual(der)
      }),
      { numRuns: 100 },
    )
  })

  it('keeps extensions in order, drops critical FALSE, and reads an empty list as none', () => {
    const one = makeExtension('1.2.3.4', Uint8Array.of(5, 0))
    const two = makeExtension('1.2.3.5', Uint8Array.of(1), true)
    const spelled = derSequence(derOid('1.2.3.4'), Uint8Array.of(1, 1, 0), derOctetString(Uint8Array.of(5, 0)))
    const der = encodeTimestampRequest({ hashAlgorithm: 'SHA2_256', digest: DIGEST, extensions: [spelled, two, one] })
    expect(parseTimestampRequest(der).extensions).toEqual([one, two, one])
    expect(parseTimestampRequest(derSequence(VERSION, IMPRINT, Uint8Array.of(0xa0, 0))).extensions).toEqual([])
  })

  it('ignores further elements inside the outer SEQUENCE only', () => {
    expect(parseTimestampRequest(derSequence(VERSION, IMPRINT, DER_NULL)).digest).toEqual(DIGEST)
    const after = concatBytes(derSequence(VERSION, IMPRINT), DER_NULL)
    expect(() => parseTimestampRequest(after)).toThrowCode('TIMESTAMP_REQUEST_INVALID')
  })

  it('refuses malformed requests', () => {
    const bad: Record<string, Uint8Array> = {
      nothing: new Uint8Array(),
      'no version': derSequence(IMPRINT),
      'no imprint': derSequence(VERSION),
      'an empty digest': derSequence(VERSION, imprint(HASH_OID.SHA2_256, new Uint8Array())),
      'an empty SHA-1 digest': derSequence(VERSION, imprint('1.3.14.3.2.26', new Uint8Array())),
      'SHA-224': derSequence(VERSION, imprint('2.16.840.1.101.3.4.2.4', new Uint8Array(28))),
      'a nonce with a leading zero': derSequence(VERSION, IMPRINT, hexDecode('02020005')),
      'BOOLEAN 01': derSequence(VERSION, IMPRINT, hexDecode('010101')),
      'a cut extension list': derSequence(VERSION, IMPRINT, hexDecode('a0023003')),
    }
    for (const [name, der] of Object.entries(bad)) {
      let code: string | undefined
      try {
        parseTimestampRequest(der)
      } catch (error) {
        code = isCodedError(error) ? error.code : String(error)
      }
      expect({ name, code }).toEqual({ name, code: 'TIMESTAMP_REQUEST_INVALID' })
    }
  })

  it('refuses SHA-1 of any length as weak, and digests of a wrong length', () => {
    for (const length of [20, 32])
      expect(() =>
        parseTimestampRequest(derSequence(VERSION, imprint('1.3.14.3.2.26', new Uint8Array(length)))),
      ).toThrowCode('TIMESTAMP_REQUEST_WEAK_HASH')
    for (const oid of Object.values(HASH_OID))
      expect(() => parseTimestampRequest(derSequence(VERSION, imprint(oid, new Uint8Array(31))))).toThrowCode(
        'TIMESTAMP_REQUEST_DIGEST_LENGTH',
      )
  })

  it('reads any bytes to a coded error or to a value that survives its own encoding', () => {
    const valid = recordedCases()
      .filter(({ request }) => request.endsWith('.tsq'))
      .map(({ request }) => recorded(request))
    const mutated = fc
      .tuple(fc.constantFrom(...valid), fc.nat(), fc.nat(255), fc.nat(3))
      .map(([bytes, at, value, cut]) => {
        const copy = bytes.slice(0, bytes.length - (cut === 3 ? at % bytes.length : 0))
        if (copy.length > 0) copy[at % copy.length] = value
        return copy
      })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), (bytes) => {
        let request: TimestampRequest
        try {
          request = parseTimestampRequest(bytes)
        } catch (error) {
          expect(isCodedError(error)).toBe(true)
          return
        }
        expect(parseTimestampRequest(reencode(request))).toEqual(request)
      }),
      { numRuns: 1000 },
    )
  })
})
