import { checkMediaType, decodeFile, missing, type Decoded } from './decoded.js'
import { clientTrustConfigSchema } from './schema.js'
import { readSigningConfig, signingConfigJson, type SigningConfig } from './signing-config.js'
import { readTrustedRoot, trustedRootJson, type TrustedRoot } from './trusted-root.js'

export const CLIENT_TRUST_CONFIG_MEDIA_TYPE = 'application/vnd.dev.sigstore.clienttrustconfig.v0.1+json'

/** Trusted root and signing config in one file (sigstore-python `--trust-config`). */
export interface ClientTrustConfig {
  readonly trustedRoot: TrustedRoot
  readonly signingConfig: SigningConfig
}

/** Throws a TrustError. */
export function parseClientTrustConfig(bytes: Uint8Array): ClientTrustConfig {
  const decoded = decodeFile(bytes, clientTrustConfigSchema)
  checkMediaType(decoded, [CLIENT_TRUST_CONFIG_MEDIA_TYPE], 'mediaType')
  const root = decoded['trustedRoot'] as Decoded | undefined
  const config = decoded['signingConfig'] as Decoded | undefined
  if (root === undefined) throw missing('trustedRoot')
  if (config === undefined) throw missing('signingConfig')
  return {
    trustedRoot: readTrustedRoot(root, 'trustedRoot.'),
    signingConfig: readSigningConfig(config, 'signingConfig.'),
  }
}

export function encodeClientTrustConfig(config: ClientTrustConfig): string {
  return JSON.stringify({
    mediaType: CLIENT_TRUST_CONFIG_MEDIA_TYPE,
    trustedRoot: trustedRootJson(config.trustedRoot),
    signingConfig: signingConfigJson(config.signingConfig),
  })
}
