import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { nodeCrypto } from '@touchmark/crypto/node'
import { base64Decode, readDer } from '@touchmark/encoding'
import { parseTimestampResponse, verifyEmbeddedSigners, type TimestampToken } from './index.js'

interface Vector {
  name: string
  request: { body: string }
}
const vectors = JSON.parse(readFileSync(join(process.cwd(), 'test/vectors/rekor-v1/rfc3161.json'), 'utf8')) as Vector[]
const { body } = vectors.find(({ name }) => name === 'rfc3161-token-with-certificate')!.request
const response = base64Decode((JSON.parse(body) as { spec: { tsr: { content: string } } }).spec.tsr.content)
const token = parseTimestampResponse(readDer(response, (reader) => reader.any().bytes)).token!

const signer = token.signerInfos[0]!
const check = (changed: Partial<TimestampToken>) => () => verifyEmbeddedSigners({ ...token, ...changed }, nodeCrypto)
const withSigner = (changed: Partial<typeof signer>) => check({ signerInfos: [{ ...signer, ...changed }] })
const flipped = (bytes: Uint8Array): Uint8Array => bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte))

describe('verifyEmbeddedSigners', () => {
  it('takes a token that its own certificate signed', () => expect(check({})).not.toThrow())

  it.each([
    ['no signer', check({ signerInfos: [] }), 'TIMESTAMP_SIGNER_COUNT'],
    ['no certificate', check({ certificates: [] }), 'TIMESTAMP_EMBEDDED_MISMATCH'],
    ['a certificate that is none', check({ certificates: [Uint8Array.of(0x30, 0)] }), 'TIMESTAMP_EMBEDDED_MISMATCH'],
    ['another serial number', withSigner({ serialNumber: Uint8Array.of(9) }), 'TIMESTAMP_EMBEDDED_MISMATCH'],
    ['another issuer', withSigner({ issuer: Uint8Array.of(0x30, 0) }), 'TIMESTAMP_EMBEDDED_MISMATCH'],
    ['an unknown hash', withSigner({ digestAlgorithm: { oid: '1.2.3' } }), 'TIMESTAMP_ALGORITHM_UNSUPPORTED'],
    ['an unknown signature', withSigner({ signatureAlgorithm: { oid: '1.2.3' } }), 'TIMESTAMP_ALGORITHM_UNSUPPORTED'],
    [
      'a signature of other keys',
      withSigner({ signatureAlgorithm: { oid: '1.3.101.112' } }),
      'TIMESTAMP_ALGORITHM_MISMATCH',
    ],
    ['no attributes', withSigner({ signedAttributes: [] }), 'TIMESTAMP_ATTRIBUTES_INVALID'],
    ['another TSTInfo', check({ tstInfoBytes: flipped(token.tstInfoBytes) }), 'TIMESTAMP_MESSAGE_DIGEST_MISMATCH'],
    ['other signed bytes', withSigner({ signedBytes: flipped(signer.signedBytes) }), 'TIMESTAMP_SIGNATURE_INVALID'],
    [
      'a second, wrong signer',
      check({ signerInfos: [signer, { ...signer, signature: flipped(signer.signature) }] }),
      'TIMESTAMP_SIGNATURE_INVALID',
    ],
  ])('refuses %s', (_, work, code) => expect(work).toThrowCode(code))
})
