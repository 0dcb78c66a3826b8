import { beforeAll, describe, expect, it } from '@jest/globals'
import { IN_TOTO_PAYLOAD_TYPE, type Bundle } from '@touchmark/bundle'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { hexEncode, utf8Encode } from '@touchmark/encoding'
import { digestAlgorithmOf, type VerifyError } from './index.js'
import { statementOf } from './testing/signing.js'
import { verifySigned } from './testing/verifying.js'
import { ATT, make, prepareWorkshop, refused, root, signatureOf, V1, V2 } from './testing/workshop.js'

beforeAll(prepareWorkshop)

describe('the digest that an attestation needs', () => {
  it('is one that any of its subjects has', async () => {
    const { bundle } = await make(V2)
    const about = (...digests: readonly object[]): Bundle => {
      const statement = {
        _type: 'https://in-toto.io/Statement/v1',
        subject: digests.map((digest) => ({ digest })),
        predicateType: 'https://example.org/p',
      }
      const payload = utf8Encode(JSON.stringify(statement))
      const signature = { sig: new Uint8Array(1), keyid: '' }
      return {
        ...bundle,
        content: { kind: 'dsse', envelope: { payload, payloadType: IN_TOTO_PAYLOAD_TYPE, signature } },
      }
    }
    const sha512 = { sha512: 'aa'.repeat(64) }
    expect(digestAlgorithmOf(about({ gitCommit: 'aa'.repeat(20) }, sha512))).toBe('SHA2_512')
    expect(digestAlgorithmOf(about(sha512, { sha256: 'aa'.repeat(32) }))).toBe('SHA2_256')
    expect(digestAlgorithmOf(about({ sha384: 'aa'.repeat(48) }))).toBe('SHA2_384')
    expect(digestAlgorithmOf(about({ gitCommit: 'aa'.repeat(20) }))).toBe('SHA2_256')
  })
})

describe('a digest in hand', () => {
  it('is enough for a key that may sign longer ones too, and a bundle that names none', async () => {
    const signer = generateSigner({ kind: 'ecdsa', curve: 'P-384' }, { kind: 'ecdsa', hash: 'SHA2_256' })
    const signed = await make(V1, { signer })
    const content = { kind: 'message', message: { signature: signatureOf(signed) } } as const
    const artifact = { digest: nodeCrypto.hash('SHA2_256', signed.artifact), algorithm: 'SHA2_256' } as const
    expect(verifySigned(signed, root, { bundle: { ...signed.bundle, content }, artifact }).content.kind).toBe('message')
  })
})

describe('an attestation about something else', () => {
  it('is refused with the digests of all that it is about, and with that of the artifact', async () => {
    const statement = JSON.parse(new TextDecoder().decode(statementOf(utf8Encode('one')))) as { subject: object[] }
    statement.subject.push({ digest: { sha1: 'aa'.repeat(20), sha512: 'aa'.repeat(64) } })
    const signed = await make(ATT, { payload: utf8Encode(JSON.stringify(statement)) })
    const sha256 = (text: string): string => `sha256:${hexEncode(nodeCrypto.hash('SHA2_256', utf8Encode(text)))}`
    const error = refused(() => verifySigned(signed, root)) as VerifyError
    expect(error.code).toBe('VERIFY_SUBJECT_MISMATCH')
    expect(error.details.expected).toBe(`${sha256('one')}, sha512:${'aa'.repeat(64)}`)
    expect(error.details.found).toBe(sha256('artifact'))
  })
})
