import { afterAll, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { parseBundle } from '@touchmark/bundle'
import { parsePublicKeyPem, type CryptoPort } from '@touchmark/crypto'
import { nobleCrypto } from '@touchmark/crypto/noble'
import { nodeCrypto } from '@touchmark/crypto/node'
import { isCodedError } from '@touchmark/errors'
import { parseTrustedRoot } from '@touchmark/trust'
import { verifyBundle, type Artifact } from '@touchmark/verify'
import { cases, describeSuite, suiteCase } from './support/suite.js'

interface Run {
  readonly by: 'path' | 'digest'
  readonly crypto?: CryptoPort
  /** Changes the text of the bundle before it is read. */
  readonly prepare?: (text: string) => string
}

function verifyCase(name: string, { by, crypto = nodeCrypto, prepare = (text) => text }: Run): void {
  const { artifact: path, bundle: bundlePath, trustedRoot, signer } = suiteCase(name)
  const bytes = readFileSync(path)
  const digest = nodeCrypto.hash('SHA2_256', bytes)
  const artifact: Artifact = by === 'path' ? { bytes } : { digest, algorithm: 'SHA2_256' }
  const root = parseTrustedRoot(readFileSync(trustedRoot))
  const bundle = parseBundle(new TextEncoder().encode(prepare(readFileSync(bundlePath, 'utf8'))))
  if ('key' in signer) {
    const key = parsePublicKeyPem(readFileSync(signer.key, 'utf8'))
    verifyBundle({ bundle, artifact, trust: { key, root }, policy: {}, crypto })
    return
  }
  const identity = { subject: { exact: signer.identity }, issuer: signer.issuer }
  verifyBundle({ bundle, artifact, trust: root, policy: { identities: [identity] }, crypto })
}

/** Why a case is refused: it must be for the reason in its README, not for just any. Cases that are not listed need only be refused. */
const REASONS: Readonly<Record<string, string>> = {
  'bundle-empty-certificate-chain_fail': 'BUNDLE_FIELD_MISSING',
  'bundle-from-wrong-instance_fail': 'VERIFY_OTHER_INSTANCE',
  'bundle-invalid-base64-signature_fail': 'BUNDLE_FIELD_INVALID',
  'bundle-malformed-json_fail': 'BUNDLE_JSON_INVALID',
  'bundle-negative-log-index_fail': 'BUNDLE_FIELD_INVALID',
  'bundle-unknown-version_fail': 'BUNDLE_MEDIA_TYPE_UNSUPPORTED',
  // Its proof has no checkpoint either; below it has no proof at all.
  'bundle-with-root-cert_fail': 'BUNDLE_FIELD_MISSING',
  'checkpoint-bad-keyhint_fail': 'VERIFY_CHECKPOINT_SIGNATURE',
  'checkpoint-wrong-roothash_fail': 'VERIFY_CHECKPOINT_MISMATCH',
  'dsse-invalid-sig_fail': 'VERIFY_SIGNATURE_INVALID',
  'dsse-mismatch-envelope_fail': 'VERIFY_ENTRY_MISMATCH',
  'dsse-mismatch-sig_fail': 'VERIFY_ENTRY_MISMATCH',
  'inclusion-proof-corrupted-hash_fail': 'VERIFY_INCLUSION_PROOF',
  'incorrect-public-key_fail': 'VERIFY_ENTRY_MISMATCH',
  'integrated-time-in-future_fail': 'VERIFY_ENTRY_TIME',
  'intoto-missing-inclusion-proof_fail': 'BUNDLE_VERSION_RULE',
  'intoto-set-outside-signing-cert-validity_fail': 'VERIFY_ENTRY_TIME',
  'intoto-tsa-timestamp-outside-cert-validity_fail': 'VERIFY_CERTIFICATE_EXPIRED',
  'invalid-checkpoint-signature_fail': 'VERIFY_CHECKPOINT_SIGNATURE',
  'invalid-ct-key_fail': 'VERIFY_SCT_LOG_UNKNOWN',
  'managed-key-no-key_fail': 'VERIFY_KEY_MISSING',
  // The file holds no key at all.
  'managed-key-wrong-key_fail': 'CRYPTO_KEY_UNPARSABLE',
  'message-digest-mismatch_fail': 'VERIFY_ARTIFACT_CHANGED',
  'rekor2-checkpoint-missing-log-signature_fail': 'VERIFY_CHECKPOINT_INVALID',
  'rekor2-checkpoint-missing-origin_fail': 'VERIFY_CHECKPOINT_INVALID',
  'rekor2-checkpoint-missing-root-hash_fail': 'VERIFY_CHECKPOINT_INVALID',
  'rekor2-checkpoint-missing-size_fail': 'VERIFY_CHECKPOINT_INVALID',
  'rekor2-checkpoint-no-matching-signature_fail': 'VERIFY_CHECKPOINT_SIGNATURE',
  'rekor2-dsse-invalid-sig_fail': 'VERIFY_SIGNATURE_INVALID',
  'rekor2-dsse-mismatch-envelope_fail': 'VERIFY_ENTRY_MISMATCH',
  'rekor2-dsse-mismatch-sig_fail': 'VERIFY_ENTRY_MISMATCH',
  'rekor2-no-inclusion-proof_fail': 'BUNDLE_VERSION_RULE',
  'rekor2-no-timestamp_fail': 'VERIFY_TIME_MISSING',
  'rekor2-timestamp-outside-trust-root-tsa-validity_fail': 'VERIFY_TIMESTAMP_WINDOW',
  'rekor2-timestamp-outside-tsa-cert-validity_fail': 'VERIFY_TIMESTAMP_WINDOW',
  'rekor2-timestamp-payload-mismatch_fail': 'VERIFY_TIMESTAMP_OTHER_BYTES',
  'rekor2-timestamp-untrusted-tsa-with-embedded-cert_fail': 'VERIFY_TIME_MISSING',
  'rekor2-timestamp-untrusted-tsa-without-embedded-cert_fail': 'VERIFY_TIME_MISSING',
  'set-invalid-signature_fail': 'VERIFY_PROMISE_INVALID',
  'signature-mismatch_fail': 'VERIFY_SIGNATURE_INVALID',
  'trust-root-tlog-missing-validity-start_fail': 'TRUST_FIELD_MISSING',
  'wrong-hashedrekord-artifact_fail': 'VERIFY_ENTRY_MISMATCH',
  'wrong-hashedrekord-cert-and-sig_fail': 'VERIFY_ENTRY_MISMATCH',
  'wrong-hashedrekord-entry_fail': 'VERIFY_ENTRY_MISMATCH',
  'wrong-material_fail': 'VERIFY_ARTIFACT_CHANGED',
}

function judge(name: string, run: Run): void {
  if (!name.endsWith('_fail')) return verifyCase(name, run)
  let refusal: unknown
  try {
    verifyCase(name, run)
  } catch (error) {
    refusal = error
  }
  if (!isCodedError(refusal)) throw refusal ?? new Error(`${name} was accepted`)
  if (REASONS[name] !== undefined) expect(`${refusal.code}: ${refusal.message}`).toContain(REASONS[name])
}

// A block that is skipped must have a test.
const known = cases.length === 0 ? ['every case'] : cases
let right = 0
afterAll(() => console.log(`sigstore-conformance: ${right} of ${cases.length * 2} cases right`))

for (const by of ['path', 'digest'] as const)
  describeSuite(`sigstore-conformance by ${by}`, () => {
    it.each(known)('%s', (name) => {
      judge(name, { by })
      right++
    })
  })

describeSuite('sigstore-conformance in pure JavaScript', () => {
  it.each(known)('%s', (name) => judge(name, { by: 'digest', crypto: nobleCrypto }))
})

describeSuite('sigstore-conformance, cases that would fail for another reason', () => {
  it('refuses the token of rekor2-timestamp-with-incorrect-time_fail for its time, once its base64 is without line breaks', () => {
    const prepare = (text: string): string =>
      text.replace(/(?<="signedTimestamp":\s*")[^"]*/, (base64) => base64.replaceAll('\\n', ''))
    expect(() => verifyCase('rekor2-timestamp-with-incorrect-time_fail', { by: 'path', prepare })).toThrowCode(
      'VERIFY_CERTIFICATE_EXPIRED',
    )
  })

  it('refuses bundle-with-root-cert_fail for its root, once it has no proof, which version 0.1 need not have', () => {
    const prepare = (text: string): string =>
      JSON.stringify(JSON.parse(text, (name, value: unknown) => (name === 'inclusionProof' ? undefined : value)))
    expect(() => verifyCase('bundle-with-root-cert_fail', { by: 'path', prepare })).toThrowCode('VERIFY_CHAIN_HAS_ROOT')
  })
})
