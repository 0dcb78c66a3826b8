import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseBundle } from '@touchmark/bundle'
import { parsePublicKeyPem } from '@touchmark/crypto'
import { nodeCrypto } from '@touchmark/crypto/node'
import { parseTrustedRoot } from '@touchmark/trust'
import { verifyBundle, type Artifact, type VerificationResult } from '@touchmark/verify'

const folder = join(import.meta.dirname, '../vectors/clients')
const read = (name: string): Buffer => readFileSync(join(folder, name))
interface Expected {
  content: 'messageSignature' | 'dsseEnvelope'
  material: string
  entry: string
  timestamps: number
}
const expected = JSON.parse(read('bundles/expected.json').toString()) as Record<string, Expected>
const root = parseTrustedRoot(read('trusted_root.json'))
const key = parsePublicKeyPem(read('keys/cosign.pub').toString())
const bytes = read('bundles/a.txt')
const artifacts: Record<string, Artifact> = {
  path: { bytes },
  digest: { digest: nodeCrypto.hash('SHA2_256', bytes), algorithm: 'SHA2_256' },
}
const identities = [{ subject: { exact: 'dev@example.com' }, issuer: 'http://localhost:9998' }]

function verify(name: string, artifact: Artifact, trust = root): VerificationResult {
  const bundle = parseBundle(read(`bundles/${name}`))
  const { signer } = bundle
  return signer.kind === 'publicKey'
    ? verifyBundle({ bundle, artifact, trust: { key, root: trust }, policy: {}, crypto: nodeCrypto })
    : verifyBundle({ bundle, artifact, trust, policy: { identities }, crypto: nodeCrypto })
}

describe('bundles that cosign, sigstore-python and sigstore-js wrote', () => {
  it('are all here', () => expect(Object.keys(expected).length).toBe(26))

  // Every one is right; where one of the recorded clients refuses it, that is the client's limit (contract/bundle-and-oci.md §1, §2).
  it.each(Object.keys(expected).flatMap((name) => Object.keys(artifacts).map((by) => [name, by])))(
    'verify: %s by %s',
    (name, by) => {
      const form = expected[name]!
      const result = verify(name, artifacts[by]!)
      expect(result.signer.kind).toBe(form.material === 'publicKey' ? 'key' : 'certificate')
      expect(result.content.kind).toBe(form.content === 'messageSignature' ? 'message' : 'attestation')
      expect(result.logEntries.map(({ kind, version }) => `${kind} ${version}`)).toEqual([form.entry])
      expect(result.times.filter(({ source }) => source === 'timestamp authority')).toHaveLength(form.timestamps)
    },
  )

  it('verify when the entry is the first of its tree', () => {
    const own = parseTrustedRoot(read('bundles/cosign3.first-entry.trusted_root.json'))
    expect(verify('cosign3.first-entry.blob.json', { bytes }, own).logEntries[0]!.logIndex).toBe(0n)
  })

  it.each(Object.keys(expected))('do not verify for another artifact: %s', (name) => {
    const changed = name.includes('.att.') ? 'VERIFY_SUBJECT_MISMATCH' : 'VERIFY_ARTIFACT_CHANGED'
    expect(() => verify(name, { bytes: new Uint8Array([...bytes, 0]) })).toThrowCode(changed)
  })

  it.each(['cosign2.legacy.blob.json', 'cosign3.legacy.blob.json', 'stmt.json'])(
    'are not to be confused with %s',
    (name) => {
      expect(() => parseBundle(read(`bundles/${name}`))).toThrowCode('BUNDLE_FIELD_UNKNOWN')
    },
  )
})
