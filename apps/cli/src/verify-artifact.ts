import { parseBundle, type Bundle } from '@touchmark/bundle'
import { nodeCrypto } from '@touchmark/crypto/node'
import { hexDecode, utf8Encode } from '@touchmark/encoding'
import type { TrustedRoot } from '@touchmark/trust'
import {
  digestAlgorithmOf,
  verifyBundle,
  type Artifact,
  type IdentityPolicy,
  type Policy,
  type VerificationResult,
} from '@touchmark/verify'
import { fulcioExtensions, parseCertificate } from '@touchmark/x509'
import { isCodedError } from '@touchmark/errors'
import { CliError } from './errors.js'
import { hashFile, readInput, sizeOf } from './files.js'

/** Larger files are hashed a piece at a time instead of being read whole. */
const READ_WHOLE_BELOW_BYTES = 64 << 20

const NODE_HASHES = { SHA2_256: 'sha256', SHA2_384: 'sha384', SHA2_512: 'sha512' } as const

/**
 * Verifies what this client has just made, as a stranger would, before anything is written: signed by the holder of the certificate, whoever that is.
 * Throws CLI_SIGNATURE_UNVERIFIED.
 */
export function verifyOwnBundle(
  text: string,
  artifact: Uint8Array,
  certificate: Uint8Array,
  trust: TrustedRoot,
): VerificationResult {
  try {
    const identities = [holderOf(certificate)]
    const bundle = parseBundle(utf8Encode(text))
    return verifyBundle({ bundle, artifact: { bytes: artifact }, trust, policy: { identities }, crypto: nodeCrypto })
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    const message = 'what the services of this instance answered does not verify, so no bundle was written'
    throw new CliError('CLI_SIGNATURE_UNVERIFIED', message, {
      cause,
      ...(cause.details.check === undefined ? {} : { check: cause.details.check }),
      ...(cause.details.expected === undefined ? {} : { expected: cause.details.expected }),
      found: `${cause.code}: ${cause.message}${cause.details.found === undefined ? '' : ` (${cause.details.found})`}`,
      hint: 'Check that the trusted root is that of this instance (`touchmark trust show`), and tell who runs it.',
    })
  }
}

/** The identity in a certificate, as a policy that only it fulfils. */
export function holderOf(certificate: Uint8Array): IdentityPolicy & { readonly subject: { readonly exact: string } } {
  const leaf = parseCertificate(certificate)
  return { subject: { exact: leaf.san[0]?.value ?? '' }, issuer: fulcioExtensions(leaf).issuer ?? '' }
}

/** True for an artifact named by its digest instead of a file. */
export function isDigest(named: string): boolean {
  return /^sha\d+:[0-9a-f]+$/i.test(named)
}

/** An artifact as a person names it: a file, or `sha256:<hex>` (also sha384, sha512). */
async function artifactOf(named: string, bundle: Bundle): Promise<Artifact> {
  if (!isDigest(named)) return fileArtifact(named, bundle)
  const digest = /^sha(256|384|512):([0-9a-f]+)$/i.exec(named)
  if (digest === null)
    throw new CliError('CLI_USAGE', `${named.slice(0, 80)} is no digest that a signature is made over`, {
      expected: 'sha256:, sha384: or sha512:, and the digest in hexadecimal',
    })
  const bits = digest[1] as '256' | '384' | '512'
  if (digest[2]!.length !== Number(bits) / 4)
    throw new CliError('CLI_USAGE', `${named.slice(0, 80)} has not the length of a SHA-${bits} digest`)
  return { digest: hexDecode(digest[2]!), algorithm: `SHA2_${bits}` }
}

async function fileArtifact(path: string, bundle: Bundle): Promise<Artifact> {
  if ((await sizeOf(path)) < READ_WHOLE_BELOW_BYTES) return { bytes: await readInput(path) }
  const algorithm = digestAlgorithmOf(bundle)
  return { digest: await hashFile(path, NODE_HASHES[algorithm]), algorithm }
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
  return verifyBundle({ bundle, artifact: await artifactOf(artifact, bundle), trust, policy, crypto: nodeCrypto })
}
