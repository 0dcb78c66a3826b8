import { describe, expect, it } from '@jest/globals'
import { parsePublicKeyDer } from '@touchmark/crypto'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { base64Decode, canonicalJson } from '@touchmark/encoding'
import { genesisEntry } from './genesis.js'

describe('the genesis entry', () => {
  it('of a signature log is a hashedrekord over the SHA-256 of its own key, signed by that key', async () => {
    const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
    const { body } = await genesisEntry('signature-v2', signer, undefined)
    const text = new TextDecoder().decode(body)
    const entry = JSON.parse(text)
    expect(canonicalJson(entry)).toBe(text)
    expect(entry).toMatchObject({ apiVersion: '0.0.2', kind: 'hashedrekord' })
    const { data, signature } = entry.spec.hashedRekordV002
    const digest = nodeCrypto.hash('SHA2_256', signer.publicKey.spki)
    expect(data).toEqual({ algorithm: 'SHA2_256', digest: Buffer.from(digest).toString('base64') })
    expect(signature.verifier.keyDetails).toBe('PKIX_ECDSA_P256_SHA_256')
    const key = parsePublicKeyDer(base64Decode(signature.verifier.publicKey.rawBytes))
    expect(key.spki).toEqual(signer.publicKey.spki)
    expect(nodeCrypto.verifyDigest(key, signer.scheme, digest, base64Decode(signature.content))).toBe(true)
  })

  it('is the one that is given, where one is', async () => {
    const signer = generateSigner({ kind: 'ed25519' })
    const given = { body: Uint8Array.of(1) }
    expect(await genesisEntry('signature-v2', signer, given)).toBe(given)
  })

  it('must be given for every other kind of log and key', async () => {
    const p256 = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
    const ed25519 = generateSigner({ kind: 'ed25519' })
    await expect(genesisEntry('certificate', p256, undefined)).rejects.toThrowCode('LEDGER_GENESIS_MISSING')
    await expect(genesisEntry('signature-v1', p256, undefined)).rejects.toThrowCode('LEDGER_GENESIS_MISSING')
    await expect(genesisEntry('signature-v2', ed25519, undefined)).rejects.toThrowCode('LEDGER_GENESIS_MISSING')
  })
})
