import { existsSync, readFileSync } from 'node:fs'
import { parseBundle } from '@touchmark/bundle'
import { parsePublicKeyPem } from '@touchmark/crypto'
import { nodeCrypto } from '@touchmark/crypto/node'
import { hexDecode } from '@touchmark/encoding'
import { parseTrustedRoot } from '@touchmark/trust'
import { verifyBundle } from '@touchmark/verify'

/** Returns when the bundle verifies; throws a CodedError when it does not. */
export function verifyBundleCommand({ artifact, bundle, trustedRoot, key, identity, issuer }) {
  const root = parseTrustedRoot(readFileSync(trustedRoot))
  const given = {
    bundle: parseBundle(readFileSync(bundle)),
    artifact: artifactOf(artifact),
    crypto: nodeCrypto,
  }
  if (key === undefined)
    verifyBundle({ ...given, trust: root, policy: { identities: [{ subject: { exact: identity }, issuer }] } })
  else {
    const trust = { key: parsePublicKeyPem(readFileSync(key, 'utf8')), root }
    verifyBundle({ ...given, trust, policy: {} })
  }
}

/** A digest only with the prefix, the right length, and no file of that name; everything else is a path. */
function artifactOf(named) {
  const digest = /^sha256:([0-9a-fA-F]{64})$/.exec(named)
  if (digest === null || existsSync(named)) return { bytes: readFileSync(named) }
  return { digest: hexDecode(digest[1]), algorithm: 'SHA2_256' }
}
