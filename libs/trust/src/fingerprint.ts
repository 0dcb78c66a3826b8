import type { CryptoPort } from '@touchmark/crypto'
import { canonicalJson, hexEncode, utf8Encode, type JsonValue } from '@touchmark/encoding'
import { trustedRootJson, type TrustedRoot } from './trusted-root.js'

/**
 * Fingerprint by which people compare trusted roots: SHA-256, in hexadecimal, over the RFC 8785 form of what was understood,
 * so that white space, member order and ignored members do not change it and anything that is trusted does.
 */
export function trustedRootFingerprint(root: TrustedRoot, crypto: Pick<CryptoPort, 'hash'>): string {
  return hexEncode(crypto.hash('SHA2_256', utf8Encode(canonicalJson(trustedRootJson(root) as JsonValue))))
}
