import { describe, expect, it } from '@jest/globals'
import type { CryptoPort, KeyType, SignatureScheme } from '@touchmark/crypto'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import * as encode from './encode.js'
import { EXTENSION_OID } from './oids.js'
import { encodeSctExtension, signSct, verifyEmbeddedSct, verifySct } from './sct.js'
import type { CtEntry } from './ct-entry.js'
import { entity, P256 } from './testing/certificates.js'

const ENTRY: CtEntry = { type: 'x509', certificate: Uint8Array.of(0x30, 0) }
const ECDSA = 3
const RSA = 1

/** The schemes that a port is asked for when a key of this kind has an SCT that names this hash and algorithm. */
async function asked(type: KeyType, hash: number, algorithm: number): Promise<SignatureScheme[]> {
  const { publicKey } = generateSigner(type)
  const schemes: SignatureScheme[] = []
  const verify: CryptoPort['verify'] = (_, scheme) => (schemes.push(scheme), false)
  const other = await signSct({ timestampMs: 1, entry: ENTRY }, generateSigner(P256), nodeCrypto)
  const logId = nodeCrypto.hash('SHA2_256', publicKey.spki)
  const sct = { ...other, logId, signature: { ...other.signature, hash, algorithm } }
  const crypto = { ...nodeCrypto, verify }
  expect(() => verifySct({ sct, entry: ENTRY, logKey: publicKey, crypto })).toThrowCode('X509_SCT_SIGNATURE')
  return schemes
}

describe('the algorithm that an SCT names', () => {
  const rsa: KeyType = { kind: 'rsa', modulusBits: 2048 }
  it('is used with a key of its kind', async () => {
    expect(await asked(P256, 4, ECDSA)).toEqual([{ kind: 'ecdsa', hash: 'SHA2_256' }])
    expect(await asked(rsa, 4, RSA)).toEqual([{ kind: 'rsa-pkcs1', hash: 'SHA2_256' }])
  })
  it('is never tried with another key, another hash, or when it is unknown', async () => {
    expect(await asked(P256, 4, RSA)).toEqual([])
    expect(await asked(rsa, 4, ECDSA)).toEqual([])
    expect(await asked({ kind: 'ed25519' }, 4, ECDSA)).toEqual([])
    expect(await asked({ kind: 'ed25519' }, 4, RSA)).toEqual([])
    expect(await asked(P256, 5, ECDSA)).toEqual([])
    expect(await asked(rsa, 2, RSA)).toEqual([])
    expect(await asked(P256, 4, 2)).toEqual([])
  })
})

it('a mistake of the port is not told as a bad SCT, nor made up for by another one', async () => {
  class Mistake extends Error {}
  const log = generateSigner(P256)
  const sct = await signSct({ timestampMs: 1, entry: ENTRY }, log, nodeCrypto)
  const extensions = [encode.extension(EXTENSION_OID.sctList, false, encodeSctExtension([sct, sct]))]
  const { certificate: leaf } = await entity({ name: 'leaf', extensions })
  let calls = 0
  const verify = (): boolean => {
    if (calls++ === 0) throw new Mistake()
    return true
  }
  expect(() =>
    verifyEmbeddedSct({ leaf, issuer: leaf, logKey: log.publicKey, crypto: { ...nodeCrypto, verify } }),
  ).toThrow(Mistake)
})
