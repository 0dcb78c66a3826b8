import { describe, expect, it } from '@jest/globals'
import { base64Encode, utf8Encode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import fc from 'fast-check'
import { parseTimestampRequestJson } from './json-request.js'
import { encodeTimestampRequest, parseTimestampRequest } from './request.js'
import { recorded } from './testing/vectors.js'

const DIGEST = new Uint8Array(32).fill(0xfb)
const HASH = base64Encode(DIGEST)

const read = (text: string) => parseTimestampRequestJson(utf8Encode(text))
const withMembers = (members: string) => read(`{"artifactHash":"${HASH}","hashAlgorithm":"sha256"${members}}`)

describe('parseTimestampRequestJson', () => {
  it('reads the recorded requests', () => {
    expect(parseTimestampRequestJson(recorded('11-json-minimal.json'))).toMatchObject({
      hashAlgorithm: 'SHA2_256',
      certReq: false,
      extensions: [],
    })
    const all = parseTimestampRequestJson(recorded('12-json-all.json'))
    expect(all).toMatchObject({ hashAlgorithm: 'SHA2_512', certReq: true, policy: '1.3.6.1.4.1.57264.2' })
    expect(BigInt('0x' + Buffer.from(all.nonce!).toString('hex'))).toBe(1234567890123456789012345678901234567890n)
  })

  it('reads the same as DER with the same fields, whatever the nonce', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 2000n), max: 2n ** 2000n }), fc.boolean(), (nonce, certReq) => {
        const der = encodeTimestampRequest({ hashAlgorithm: 'SHA2_256', digest: DIGEST, nonce, certReq })
        expect(withMembers(`,"nonce":${nonce},"certificates":${certReq}`)).toEqual(parseTimestampRequest(der))
      }),
      { numRuns: 100 },
    )
  })

  it('keeps a nonce above 2^53 exact', () => {
    expect(withMembers(',"nonce":9007199254740993').nonce).toEqual(Uint8Array.of(0x20, 0, 0, 0, 0, 0, 1))
  })

  it('follows Go: names in any case, unknown and null members ignored, the last of repeated ones counts', () => {
    const odd = read(
      ` {"x":[{"nonce":"}"},"\\"]"],"ARTIFACTHASH":"${HASH}","haſhAlgorithm":"Sha256" , "nonce" : 1 ,"Nonce":2,"certificates":null,"tsaPolicyOID":null}\n`,
    )
    expect(odd).toMatchObject({ hashAlgorithm: 'SHA2_256', certReq: false, nonce: Uint8Array.of(2) })
    expect(withMembers(',"nonce":5,"nonce":null').nonce).toBeUndefined()
    expect(withMembers(',"certificates":true,"certificates":null').certReq).toBe(true)
  })

  it('skips line breaks in base64 and takes a policy with leading zeros', () => {
    const folded = `${HASH.slice(0, 10)}\\r\\n${HASH.slice(10)}`
    expect(read(`{"artifactHash":"${folded}","hashAlgorithm":"sha256"}`).digest).toEqual(DIGEST)
    expect(withMembers(',"tsaPolicyOID":"1.03.0"').policy).toBe('1.3.0')
  })

  it('takes 1024 bytes and refuses 1025 before reading them', () => {
    const fill = (length: number) => {
      const head = `{"artifactHash":"${HASH}","hashAlgorithm":"sha256","x":"`
      return head + 'a'.repeat(length - head.length - 2) + '"}'
    }
    expect(read(fill(1024)).digest).toEqual(DIGEST)
    expect(() => read(fill(1025))).toThrowCode('TIMESTAMP_REQUEST_TOO_LARGE')
    expect(() => read('x'.repeat(1025))).toThrowCode('TIMESTAMP_REQUEST_TOO_LARGE')
  })

  it.each([
    ['nothing', ''],
    ['an array', '[]'],
    ['null', 'null'],
    ['an empty object', '{}'],
    ['a text', '"{}"'],
    ['a byte order mark', '\ufeff{}'],
    ['something after the object', `{"artifactHash":"${HASH}","hashAlgorithm":"sha256"}x`],
    ['a hash with a hyphen', `{"artifactHash":"${HASH}","hashAlgorithm":"sha-256"}`],
    ['a hash that is a property of every object', `{"artifactHash":"${HASH}","hashAlgorithm":"constructor"}`],
    ['bad base64', '{"artifactHash":"!!","hashAlgorithm":"sha256"}'],
    ['base64 without padding', `{"artifactHash":"${HASH.slice(0, -1)}","hashAlgorithm":"sha256"}`],
    ['base64 of the URL alphabet', `{"artifactHash":"${HASH.replace(/\+/g, '-')}","hashAlgorithm":"sha256"}`],
    ['a hash that is no text', '{"artifactHash":1,"hashAlgorithm":"sha256"}'],
  ])('refuses %s', (_name, text) => {
    expect(() => read(text)).toThrowCode('TIMESTAMP_REQUEST_INVALID')
  })

  it.each(['"5"', '1.0', '1e3', 'true', '[]', '{}', '"5","nonce":5'])('refuses the nonce %s', (nonce) => {
    expect(() => withMembers(`,"nonce":${nonce}`)).toThrowCode('TIMESTAMP_REQUEST_INVALID')
  })

  it.each(['1', '"true"', '[]'])('refuses certificates %s', (value) => {
    expect(() => withMembers(`,"certificates":${value}`)).toThrowCode('TIMESTAMP_REQUEST_INVALID')
  })

  it('refuses in the order of the contract: weak hash, policy, base64, length', () => {
    expect(() => read('{"artifactHash":"!!","hashAlgorithm":"SHA1","tsaPolicyOID":"x"}')).toThrowCode(
      'TIMESTAMP_REQUEST_WEAK_HASH',
    )
    expect(() => read('{"artifactHash":"!!","hashAlgorithm":"sha256","tsaPolicyOID":"x"}')).toThrowCode(
      'TIMESTAMP_REQUEST_POLICY_INVALID',
    )
    expect(() => read('{"hashAlgorithm":"sha256"}')).toThrowCode('TIMESTAMP_REQUEST_DIGEST_LENGTH')
    expect(() => read('{"artifactHash":"AAAA","hashAlgorithm":"sha256"}')).toThrowCode(
      'TIMESTAMP_REQUEST_DIGEST_LENGTH',
    )
  })

  it('takes policies of 129 parts and refuses more, or what is not dotted decimal', () => {
    const policy = (parts: number) => withMembers(`,"tsaPolicyOID":"${Array(parts).fill('2').join('.')}"`).policy
    expect(policy(129)?.split('.').length).toBe(129)
    expect(() => policy(130)).toThrowCode('TIMESTAMP_REQUEST_POLICY_INVALID')
    for (const text of ['abc', '1..2', '.1', '1.', '-1.2', ' 1.2', '1.2a'])
      expect(() => withMembers(`,"tsaPolicyOID":"${text}"`)).toThrowCode('TIMESTAMP_REQUEST_POLICY_INVALID')
  })

  it('answers any bytes with a coded error or a request that DER can say as well', () => {
    const member = fc.constantFrom('artifactHash', 'hashAlgorithm', 'nonce', 'certificates', 'tsaPolicyOID', 'other')
    const value = fc.oneof(
      fc.constantFrom(`"${HASH}"`, '"sha256"', '"1.2.3"', '12', 'true', 'null'),
      fc.json({ maxDepth: 2 }),
    )
    const object = fc.array(fc.tuple(member, value), { maxLength: 7 }).map((list) => {
      return `{${list.map(([name, source]) => `"${name}":${source}`).join(',')}}`
    })
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 100 }), fc.oneof(fc.json(), object).map(utf8Encode))
    fc.assert(
      fc.property(bytes, (input) => {
        try {
          const { hashAlgorithm, digest, certReq } = parseTimestampRequestJson(input)
          const der = encodeTimestampRequest({ hashAlgorithm, digest, certReq })
          expect(parseTimestampRequest(der)).toMatchObject({ hashAlgorithm, digest, certReq })
        } catch (error) {
          expect(isCodedError(error)).toBe(true)
        }
      }),
      { numRuns: 1000 },
    )
  })
})
