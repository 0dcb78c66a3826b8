// The two judges that run in this process: ours, and sigstore-js. A judge is `(subject) => (bytes) => verdict`; a verdict is
// `{ accepted: true }`, or `{ accepted: false, why }`; ours also has the names of the `checks` that it made, or the `code` of its refusal, and `fault` for what
// must never be thrown.
import { createPublicKey } from 'node:crypto'
import { TextDecoder } from 'node:util'
import { bundleFromJSON } from '@sigstore/bundle'
import { TrustedRoot } from '@sigstore/protobuf-specs'
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify'
import { parseBundle } from '@touchmark/bundle'
import { parsePublicKeyPem } from '@touchmark/crypto'
import { nodeCrypto } from '@touchmark/crypto/node'
import { isCodedError } from '@touchmark/errors'
import { parseTrustedRoot } from '@touchmark/trust'
import { verifyBundle } from '@touchmark/verify'

export function ourJudge({ trustedRoot, artifact, key, identity, issuer }) {
  const root = parseTrustedRoot(trustedRoot)
  const given =
    key === undefined
      ? { trust: root, policy: { identities: [{ subject: { exact: identity }, issuer }] } }
      : { trust: { key: parsePublicKeyPem(key), root }, policy: {} }
  return (bytes) => {
    try {
      const { checks } = verifyBundle({
        bundle: parseBundle(bytes),
        artifact: { bytes: artifact },
        crypto: nodeCrypto,
        ...given,
      })
      return { accepted: true, checks: checks.map(({ check }) => check) }
    } catch (error) {
      const coded = isCodedError(error)
      // What is wrong with a text that is no JSON stands only there.
      const found = coded && error.code === 'BUNDLE_JSON_INVALID' ? `: ${error.details.found}` : ''
      const why = coded ? `${error.code}: ${error.message}${found}` : String(error?.stack ?? error)
      return { accepted: false, why, fault: !coded, ...(coded ? { code: error.code } : {}) }
    }
  }
}

export function jsJudge({ trustedRoot, artifact, key, identity, issuer }) {
  const finder = key === undefined ? undefined : () => ({ publicKey: createPublicKey(key), validFor: () => true })
  const material = toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(Buffer.from(trustedRoot).toString())), finder)
  // A key says nothing about a time, so none is asked for.
  const verifier = new Verifier(material, key === undefined ? {} : { timestampThreshold: 0 })
  const policy =
    key === undefined
      ? // What it takes for a name is a pattern.
        {
          subjectAlternativeName: `^${identity.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`,
          extensions: { issuer },
        }
      : undefined
  return (bytes) => {
    try {
      const bundle = bundleFromJSON(JSON.parse(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)))
      verifier.verify(toSignedEntity(bundle, Buffer.from(artifact)), policy)
      return { accepted: true }
    } catch (error) {
      return { accepted: false, why: `${error?.code ?? error?.name ?? 'thrown'}: ${error?.message ?? error}` }
    }
  }
}
