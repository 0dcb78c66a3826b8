import { beforeAll, describe, expect, it } from '@jest/globals'
import { IN_TOTO_PAYLOAD_TYPE, type Bundle } from '@touchmark/bundle'
import type { HashAlgorithm } from '@touchmark/crypto'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { hexEncode, utf8Encode } from '@touchmark/encoding'
import { digestAlgorithmsOf, type VerifiedSigner, type VerifyError } from './index.js'
import { statementOf } from './testing/signing.js'
import { verifySigned } from './testing/verifying.js'
import { ATT, make, prepareWorkshop, refused, root, signatureOf, V1, V2 } from './testing/workshop.js'

beforeAll(prepareWorkshop)

describe('the digests that an attestation needs', () => {
  it('are all that any of its subjects has', async () => {
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
    expect(digestAlgorithmsOf(about({ gitCommit: 'aa'.repeat(20) }, sha512))).toEqual(['SHA2_512'])
    expect(digestAlgorithmsOf(about(sha512, { sha256: 'aa'.repeat(32) }))).toEqual(['SHA2_256', 'SHA2_512'])
    expect(digestAlgorithmsOf(about({ sha384: 'aa'.repeat(48) }))).toEqual(['SHA2_384'])
    expect(digestAlgorithmsOf(about({ gitCommit: 'aa'.repeat(20) }))).toEqual(['SHA2_256'])
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

describe('several digests', () => {
  const digestsOf = (artifact: Uint8Array, algorithms: readonly HashAlgorithm[]) => ({
    digests: new Map(algorithms.map((algorithm) => [algorithm, nodeCrypto.hash(algorithm, artifact)])),
  })

  it('refuse what the artifact itself refuses: a subject with one digest that is right and one that is wrong', async () => {
    const payload = utf8Encode(
      new TextDecoder()
        .decode(statementOf(utf8Encode('artifact')))
        .replace('"sha256"', `"sha512":"${'aa'.repeat(64)}","sha256"`),
    )
    const signed = await make(ATT, { payload })
    const algorithms = digestAlgorithmsOf(signed.bundle)
    expect(algorithms).toEqual(['SHA2_256', 'SHA2_512'])
    expect(() => verifySigned(signed, root)).toThrowCode('VERIFY_SUBJECT_MISMATCH')
    const artifact = digestsOf(signed.artifact, algorithms)
    expect(() => verifySigned(signed, root, { artifact })).toThrowCode('VERIFY_SUBJECT_MISMATCH')
  })

  it('verify what the artifact itself verifies, whatever their order', async () => {
    for (const name of [V2, V1, ATT]) {
      const signed = await make(name)
      const artifact = digestsOf(signed.artifact, ['SHA2_512', 'SHA2_256'])
      expect(verifySigned(signed, root, { artifact })).toEqual(verifySigned(signed, root))
    }
  })

  it('are refused when one has another length, or there is none of what is needed', async () => {
    const signed = await make(V2)
    const verify = (...digests: [HashAlgorithm, Uint8Array][]) => {
      return () => verifySigned(signed, root, { artifact: { digests: new Map(digests) } })
    }
    const right = nodeCrypto.hash('SHA2_256', signed.artifact)
    expect(verify(['SHA2_256', right])).not.toThrow()
    expect(verify(['SHA2_256', right], ['SHA2_512', right])).toThrowCode('VERIFY_DIGEST_ALGORITHM')
    expect(verify(['SHA2_512', nodeCrypto.hash('SHA2_512', signed.artifact)])).toThrowCode('VERIFY_DIGEST_ALGORITHM')
    expect(verify()).toThrowCode('VERIFY_DIGEST_ALGORITHM')
  })
})

describe('a result', () => {
  it('is the caller’s own: what is done to it does not change the next', async () => {
    const signed = await make(V2)
    const before = verifySigned(signed, root).signer as Extract<VerifiedSigner, { kind: 'certificate' }>
    const { certificate, subject } = before
    const [bytes, name] = [certificate.slice(), subject.value]
    certificate.fill(0)
    Object.assign(subject, { value: 'eve@example.com' })
    const after = verifySigned(signed, root).signer as typeof before
    expect([after.certificate, after.subject.value]).toEqual([bytes, name])
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
