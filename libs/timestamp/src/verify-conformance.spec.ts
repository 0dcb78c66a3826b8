import { describe, expect, it } from '@jest/globals'
import { nodeCrypto } from '@touchmark/crypto/node'
import { base64Decode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { parseCertificate } from '@touchmark/x509'
import type { TimestampAuthority } from './authority.js'
import { conformanceFolders, type ConformanceFolder } from './testing/vectors.js'
import { verifyTimestamp } from './verify.js'

interface BundleJson {
  messageSignature?: { signature: string }
  dsseEnvelope?: { signatures: { sig: string }[] }
  verificationMaterial: { timestampVerificationData?: { rfc3161Timestamps?: { signedTimestamp: string }[] } }
}
interface TrustedRootJson {
  timestampAuthorities?: {
    certChain: { certificates: { rawBytes: string }[] }
    validFor?: { start?: string; end?: string }
  }[]
}

/** Folders whose timestamp is what is wrong, and why; in all others it must verify, whatever else is wrong. */
const REFUSED: Readonly<Record<string, string>> = {
  'intoto-tsa-timestamp-outside-cert-validity_fail': 'verifies',
  'rekor2-timestamp-outside-trust-root-tsa-validity_fail': 'TIMESTAMP_OUTSIDE_VALID_FOR',
  'rekor2-timestamp-outside-tsa-cert-validity_fail': 'TIMESTAMP_OUTSIDE_CERTIFICATE_VALIDITY',
  'rekor2-timestamp-payload-mismatch_fail': 'TIMESTAMP_IMPRINT_MISMATCH',
  'rekor2-timestamp-untrusted-tsa-with-embedded-cert_fail': 'TIMESTAMP_AUTHORITY_UNKNOWN',
  'rekor2-timestamp-untrusted-tsa-without-embedded-cert_fail': 'TIMESTAMP_AUTHORITY_UNKNOWN',
}

function authoritiesOf(text: string): TimestampAuthority[] {
  const { timestampAuthorities = [] } = JSON.parse(text) as TrustedRootJson
  return timestampAuthorities.map(({ certChain, validFor = {} }) => {
    const chain = certChain.certificates.map(({ rawBytes }) => parseCertificate(base64Decode(rawBytes)))
    const start = validFor.start === undefined ? {} : { start: new Date(validFor.start) }
    const end = validFor.end === undefined ? {} : { end: new Date(validFor.end) }
    return { leaf: chain[0]!, intermediates: chain.slice(1, -1), root: chain.at(-1)!, validFor: { ...start, ...end } }
  })
}

/** 'verifies', the code of the refusal, or undefined when the folder's bundle holds no timestamp. */
function outcome({ bundle, trustedRoot }: ConformanceFolder): string | undefined {
  let json: BundleJson
  try {
    json = JSON.parse(bundle) as BundleJson
  } catch {
    return undefined
  }
  const token = json.verificationMaterial?.timestampVerificationData?.rfc3161Timestamps?.[0]?.signedTimestamp
  const signature = json.messageSignature?.signature ?? json.dsseEnvelope?.signatures[0]?.sig
  if (token === undefined || signature === undefined) return undefined
  try {
    verifyTimestamp({
      // One folder's token is folded into lines, which is not what is tried here.
      response: base64Decode(token.replace(/\s/g, '')),
      message: base64Decode(signature),
      authorities: authoritiesOf(trustedRoot),
      crypto: nodeCrypto,
    })
    return 'verifies'
  } catch (error) {
    if (!isCodedError(error)) throw error
    return error.code
  }
}

describe('tokens of real authorities in sigstore-conformance', () => {
  const folders = conformanceFolders()
  if (folders.length === 0) {
    it.skip('sigstore-conformance is absent (TOUCHMARK_VECTORS): not tried', () => undefined)
    return
  }
  const outcomes = folders
    .map((folder) => [folder.name, outcome(folder)] as const)
    .filter(([, result]) => result !== undefined)

  it('are there', () => {
    expect(outcomes.length).toBeGreaterThanOrEqual(30)
  })

  it.each(outcomes)('%s: %s', (name, result) => {
    expect(result).toBe(REFUSED[name] ?? 'verifies')
  })
})
