// sigstore-js as its users have it: signing by a signing config, verifying by a trusted root.
import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { bundleFromJSON, bundleToJSON } from '@sigstore/bundle'
import { SigningConfig, TrustedRoot } from '@sigstore/protobuf-specs'
import { bundleBuilderFromSigningConfig } from '@sigstore/sign'
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify'

const json = (path) => JSON.parse(readFileSync(path, 'utf8'))

/** Signs bytes, or a DSSE payload when a type is given. Returns the bundle's JSON. */
export async function sign(stack, token, data, type) {
  const builder = bundleBuilderFromSigningConfig({
    signingConfig: SigningConfig.fromJSON(json(stack.config)),
    identityProvider: { getToken: async () => token },
    bundleType: type === undefined ? 'messageSignature' : 'dsseEnvelope',
  })
  return JSON.stringify(bundleToJSON(await builder.create(type === undefined ? { data } : { data, type })))
}

/** Throws when the bundle does not verify, or another identity signed. */
export function verify(stack, bundlePath, artifact, identity) {
  const verifier = new Verifier(toTrustMaterial(TrustedRoot.fromJSON(json(stack.root))))
  const signed = toSignedEntity(bundleFromJSON(json(bundlePath)), artifact)
  verifier.verify(signed, { subjectAlternativeName: identity, extensions: { issuer: stack.issuer } })
}

/** The same for a bundle that is signed with a key, given as a PEM file. */
export function verifyWithKey(stack, bundlePath, artifact, publicKeyPath) {
  const publicKey = createPublicKey(readFileSync(publicKeyPath, 'utf8'))
  const finder = () => ({ publicKey, validFor: () => true })
  const verifier = new Verifier(toTrustMaterial(TrustedRoot.fromJSON(json(stack.root)), finder))
  verifier.verify(toSignedEntity(bundleFromJSON(json(bundlePath)), artifact))
}
