import { beforeAll, describe, expect, it } from '@jest/globals'
import { keyDetailsByName, type CryptoPort } from '@touchmark/crypto'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { ArtifactDigests } from './artifact.js'

/** What a port was asked for. */
function counting(): { readonly crypto: CryptoPort; readonly asked: { hash: number; verify: number; digest: number } } {
  const asked = { hash: 0, verify: 0, digest: 0 }
  const crypto: CryptoPort = {
    ...nodeCrypto,
    hash: (algorithm, bytes) => {
      asked.hash++
      return nodeCrypto.hash(algorithm, bytes)
    },
    verify: (...args) => {
      asked.verify++
      return nodeCrypto.verify(...args)
    },
    verifyDigest: (...args) => {
      asked.digest++
      return nodeCrypto.verifyDigest(...args)
    },
  }
  return { crypto, asked }
}

describe('an artifact', () => {
  const ecdsa = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
  const details = keyDetailsByName('PKIX_ECDSA_P256_SHA_256')!
  const small = new Uint8Array(128 * 1024 - 1).fill(7)
  const large = new Uint8Array(128 * 1024).fill(7)
  let overSmall: Uint8Array
  let overLarge: Uint8Array
  beforeAll(async () => {
    overSmall = await ecdsa.sign(small)
    overLarge = await ecdsa.sign(large)
  })

  it('below 128 KiB is held against its signature as it is', () => {
    const { crypto, asked } = counting()
    expect(new ArtifactDigests({ bytes: small }, crypto).isSignedBy(ecdsa.publicKey, details, overSmall)).toBe(true)
    expect(asked).toEqual({ hash: 0, verify: 1, digest: 0 })
  })

  it('from 128 KiB on is hashed once, whatever it is held against', () => {
    const { crypto, asked } = counting()
    const artifact = new ArtifactDigests({ bytes: large }, crypto)
    expect(artifact.isSignedBy(ecdsa.publicKey, details, overLarge)).toBe(true)
    expect(artifact.isSignedBy(ecdsa.publicKey, details, overSmall)).toBe(false)
    expect(artifact.digest('SHA2_256')).toEqual(nodeCrypto.hash('SHA2_256', large))
    expect(asked).toEqual({ hash: 1, verify: 0, digest: 2 })
  })

  it('of any size is held as it is against pure Ed25519, which signs no digest', async () => {
    const signer = generateSigner({ kind: 'ed25519' })
    const pure = keyDetailsByName('PKIX_ED25519')!
    const signature = await signer.sign(large)
    expect(new ArtifactDigests({ bytes: large }, nodeCrypto).isSignedBy(signer.publicKey, pure, signature)).toBe(true)
    const given = { digest: nodeCrypto.hash('SHA2_512', large), algorithm: 'SHA2_512' } as const
    expect(new ArtifactDigests(given, nodeCrypto).isSignedBy(signer.publicKey, pure, signature)).toBe(false)
  })
})
