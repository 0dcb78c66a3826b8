import type { TrustedRoot } from '@touchmark/trust'
import { verifyBundle, type IdentityPolicy, type VerificationResult, type VerifyBundleInput } from '../index.js'
import { nodeCrypto } from '@touchmark/crypto/node'
import { OIDC_ISSUER, SAN } from './instance.js'
import type { Signed } from './signing.js'

export const IDENTITIES: readonly IdentityPolicy[] = [{ subject: { exact: SAN.value }, issuer: OIDC_ISSUER }]

/** Verifies what was signed as its owner would, with anything of the input replaced. */
export function verifySigned(
  signed: Signed,
  root: TrustedRoot,
  change: Partial<VerifyBundleInput> = {},
): VerificationResult {
  const byKey = signed.form.material === 'publicKey'
  return verifyBundle({
    bundle: signed.bundle,
    artifact: { bytes: signed.artifact },
    trust: byKey ? { key: signed.signer.publicKey, root } : root,
    policy: byKey ? {} : { identities: IDENTITIES },
    crypto: nodeCrypto,
    ...change,
  })
}
