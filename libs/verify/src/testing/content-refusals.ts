import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { utf8Decode, utf8Encode } from '@touchmark/encoding'
import { statementOf } from './signing.js'
import { IDENTITIES, verifySigned } from './verifying.js'
import { P256, other, root, make, V2, V1, ATT, KEY, flip, findBytes, changeEnvelope } from './workshop.js'
import type { Ways } from './ways.js'

/** Ways to be refused for signer, artifact and signature: each is a bundle that is right but for the one thing. */
export const CONTENT_REFUSALS = {
  VERIFY_OTHER_INSTANCE: {
    "another instance's trusted root": async () => verifySigned(await make(V2), other.trustedRoot),
    'the same for an entry of API v1': async () => verifySigned(await make(V1), other.trustedRoot),
    'the same for an attestation': async () => verifySigned(await make(ATT), other.trustedRoot),
  },
  VERIFY_ARTIFACT_CHANGED: {
    'a changed artifact': async () =>
      verifySigned(await make(V2), root, { artifact: { bytes: utf8Encode('artifacT') } }),
    'a digest of another artifact': async () =>
      verifySigned(await make(V2), root, { artifact: { digest: new Uint8Array(32), algorithm: 'SHA2_256' } }),
  },
  VERIFY_DIGEST_ALGORITHM: {
    'a digest of the wrong length': async () =>
      verifySigned(await make(V2), root, { artifact: { digest: new Uint8Array(31), algorithm: 'SHA2_256' } }),
    'a digest of another algorithm': async () =>
      verifySigned(await make(V2), root, { artifact: { digest: new Uint8Array(64), algorithm: 'SHA2_512' } }),
    'a digest in the bundle that such a key does not sign': async () => {
      const signed = await make(V2)
      const { content } = signed.bundle
      const message = content.kind === 'message' ? content.message : undefined
      const messageDigest = { algorithm: 'SHA2_512', digest: nodeCrypto.hash('SHA2_512', signed.artifact) } as const
      return verifySigned(signed, root, {
        bundle: { ...signed.bundle, content: { kind: 'message', message: { ...message!, messageDigest } } },
      })
    },
  },
  VERIFY_SIGNATURE_INVALID: {
    'a message signed by another key': async () => {
      const signed = await make(V2)
      const signature = await generateSigner(P256).sign(signed.artifact)
      const messageDigest = { algorithm: 'SHA2_256', digest: nodeCrypto.hash('SHA2_256', signed.artifact) } as const
      return verifySigned(signed, root, {
        bundle: { ...signed.bundle, content: { kind: 'message', message: { messageDigest, signature } } },
      })
    },
    'another key than the one given': async () =>
      verifySigned(await make(KEY), root, { trust: { key: generateSigner(P256).publicKey, root } }),
    'an envelope with a changed payload': async () => changeEnvelope(await make(ATT), 'payload'),
    'an envelope with another payload type': async () => changeEnvelope(await make(ATT), 'payloadType'),
    'an envelope with a changed signature': async () => changeEnvelope(await make(ATT), 'signature'),
  },
  VERIFY_STATEMENT_INVALID: {
    'a payload type other than in-toto': async () => verifySigned(await make(ATT, { payloadType: 'text/plain' }), root),
    'a payload that is no statement': async () => verifySigned(await make(ATT, { payload: utf8Encode('{}') }), root),
  },
  VERIFY_SUBJECT_MISMATCH: {
    'an attestation about another artifact': async () =>
      verifySigned(await make(ATT), root, { artifact: { bytes: utf8Encode('other') } }),
    'a subject of whose digests one is right and one is wrong': async () => {
      const artifact = utf8Encode('artifact')
      const text = utf8Decode(statementOf(artifact)).replace('"sha256":', `"sha512":"${'00'.repeat(64)}","sha256":`)
      return verifySigned(await make(ATT, { artifact, payload: utf8Encode(text) }), root)
    },
    'a subject without a digest that is known': async () => {
      const text = utf8Decode(statementOf(utf8Encode('artifact'))).replace('"sha256":', '"sha1":')
      return verifySigned(await make(ATT, { payload: utf8Encode(text) }), root)
    },
  },
  VERIFY_KEY_MISSING: {
    'a bundle signed with a key, and no key': async () =>
      verifySigned(await make(KEY), root, { trust: root, policy: { identities: IDENTITIES } }),
    'a key trust without a key': async () => verifySigned(await make(KEY), root, { trust: { root } }),
  },
  VERIFY_KEY_UNEXPECTED: {
    'a key for a bundle with a certificate': async () => {
      const signed = await make(V2)
      return verifySigned(signed, root, { trust: { key: signed.signer.publicKey, root }, policy: {} })
    },
  },
  VERIFY_KEY_UNSUPPORTED: {
    'an RSA key of 1024 bits': async () => {
      const signer = generateSigner({ kind: 'rsa', modulusBits: 1024 })
      const signed = await make(KEY)
      return verifySigned(signed, root, { trust: { key: signer.publicKey, root } })
    },
    'a certificate whose key is on no curve': async () => {
      const signer = generateSigner(P256)
      const { spki } = signer.publicKey
      // The key's last octet, wherever the TBS has it.
      const changeTbs = (tbs: Uint8Array): Uint8Array => flip(tbs, findBytes(tbs, spki) + spki.length - 1)
      return verifySigned(await make(V2, { signer, leaf: { changeTbs } }), root)
    },
  },
  VERIFY_TRUSTED_ROOT_MISSING: {
    'a key without a root': async () => {
      const signed = await make(KEY)
      return verifySigned(signed, root, { trust: { key: signed.signer.publicKey } })
    },
  },
} satisfies Ways
