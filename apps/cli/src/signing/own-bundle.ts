import { parseBundle, type Bundle } from '@touchmark/bundle'
import { nodeCrypto } from '@touchmark/crypto/node'
import { utf8Encode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import type { Services, SigningIdentity } from '@touchmark/sign'
import type { TrustedRoot } from '@touchmark/trust'
import { verifyBundle, type Artifact, type IdentityPolicy, type VerifyBundleInput } from '@touchmark/verify'
import { fulcioExtensions, parseCertificate } from '@touchmark/x509'
import { CliError } from '../errors.js'

/** The identity in a certificate, as a policy that only it fulfils. */
export function holderOf(certificate: Uint8Array): IdentityPolicy & { readonly subject: { readonly exact: string } } {
  const leaf = parseCertificate(certificate)
  return { subject: { exact: leaf.san[0]?.value ?? '' }, issuer: fulcioExtensions(leaf).issuer ?? '' }
}

/** What a bundle by a signer is held against. */
export interface OwnTrust {
  readonly root: TrustedRoot
  /** A bundle made where there is a timestamp authority has its word for the time, also when a key alone would do without. */
  readonly services: Services
}

/** Verifies a bundle as a stranger would: signed by this signer, over this artifact. Throws what the verifier throws. */
export function verifyBySigner(
  bundle: Bundle,
  artifact: Artifact,
  identity: SigningIdentity,
  { root, services }: OwnTrust,
): void {
  const times = services.tsaUrl === undefined ? {} : { thresholds: { times: 1 } }
  const held: Pick<VerifyBundleInput, 'trust' | 'policy'> =
    'certificate' in identity
      ? { trust: root, policy: { identities: [holderOf(identity.certificate)], ...times } }
      : { trust: { key: identity.signer.publicKey, root }, policy: times }
  verifyBundle({ bundle, artifact, crypto: nodeCrypto, ...held })
}

/** Verifies the text of what this client has just made, before anything is written. Throws CLI_SIGNATURE_UNVERIFIED. */
export function verifyOwnBundle(text: string, artifact: Artifact, identity: SigningIdentity, trust: OwnTrust): void {
  try {
    verifyBySigner(parseBundle(utf8Encode(text)), artifact, identity, trust)
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
