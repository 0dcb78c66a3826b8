import { parseBundle } from '@touchmark/bundle'
import { nodeCrypto } from '@touchmark/crypto/node'
import { hexDecode, utf8Encode } from '@touchmark/encoding'
import type { TrustedRoot } from '@touchmark/trust'
import {
  verifyBundle,
  type Artifact,
  type IdentityPolicy,
  type Policy,
  type VerificationResult,
} from '@touchmark/verify'
import { fulcioExtensions, parseCertificate } from '@touchmark/x509'
import { CliError } from './errors.js'
import { readInput } from './files.js'

/** Verifies what this client has just made, as a stranger would, before anything is written. Throws what the verifier throws. */
export function verifyOwnBundle(
  text: string,
  artifact: Uint8Array,
  certificate: Uint8Array,
  trust: TrustedRoot,
): VerificationResult {
  const leaf = parseCertificate(certificate)
  const { issuer = '' } = fulcioExtensions(leaf)
  const identities = [{ subject: { exact: leaf.san[0]?.value ?? '' }, issuer }]
  return verifyBundle({
    bundle: parseBundle(utf8Encode(text)),
    artifact: { bytes: artifact },
    trust,
    policy: { identities },
    crypto: nodeCrypto,
  })
}

/** An artifact as a person names it: a file, or `sha256:<hex>` (also sha384, sha512). */
export async function artifactOf(named: string): Promise<Artifact> {
  const digest = /^sha(256|384|512):([0-9a-f]+)$/i.exec(named)
  if (digest === null) return { bytes: await readInput(named) }
  const bits = digest[1] as '256' | '384' | '512'
  if (digest[2]!.length !== Number(bits) / 4)
    throw new CliError('CLI_USAGE', `${named.slice(0, 80)} has not the length of a SHA-${bits} digest`)
  return { digest: hexDecode(digest[2]!), algorithm: `SHA2_${bits}` }
}

export interface IdentityOptions {
  readonly certificateIdentity?: string
  readonly certificateIdentityRegexp?: string
  readonly certificateOidcIssuer?: string
}

/** Who must have signed. Throws CLI_USAGE when that is not said. */
export function identityPolicy(options: IdentityOptions): IdentityPolicy {
  const { certificateIdentity: exact, certificateIdentityRegexp: pattern, certificateOidcIssuer: issuer } = options
  if ((exact === undefined) === (pattern === undefined)) {
    throw new CliError(
      'CLI_USAGE',
      'say who must have signed: --certificate-identity NAME, or --certificate-identity-regexp PATTERN',
    )
  }
  if (issuer === undefined)
    throw new CliError('CLI_USAGE', 'say who must have vouched for the signer: --certificate-oidc-issuer URL')
  return { subject: exact === undefined ? { pattern: pattern! } : { exact }, issuer }
}

/** Verifies one artifact against one bundle file; offline. */
export async function verifyFile(
  artifact: string,
  bundleFile: string,
  trust: TrustedRoot,
  policy: Policy,
): Promise<VerificationResult> {
  const bundle = parseBundle(await readInput(bundleFile, 64 << 20))
  return verifyBundle({ bundle, artifact: await artifactOf(artifact), trust, policy, crypto: nodeCrypto })
}
