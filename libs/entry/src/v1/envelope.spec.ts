import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import type { CryptoPort } from '@touchmark/crypto'
import { nodeCrypto } from '@touchmark/crypto/node'
import { matchSignatures, openEnvelope, preAuthenticationEncoding, type Envelope } from './envelope.js'
import { decodeBase64 } from './base64.js'
import { parsePemKey, type PemKey } from './pem-key.js'

function pemKeyOf(key: KeyObject): PemKey {
  const pem = Buffer.from(key.export({ type: 'spki', format: 'pem' }) as string)
  return parsePemKey(decodeBase64(pem.toString('base64'), 'public key'))
}

/** An envelope with a signature of each key, and those keys in the other order, so that each has to try many. */
function signedBy(pairs: readonly { publicKey: KeyObject; privateKey: KeyObject }[], payload: Uint8Array) {
  const message = preAuthenticationEncoding({ payloadType: 'a', payload, signatures: [] })
  const sigs = pairs.map(({ privateKey }) => sign('sha256', message, privateKey).toString('base64'))
  const envelope = openEnvelope('a', Buffer.from(payload).toString('base64'), sigs)
  return { envelope, keys: pairs.map(({ publicKey }) => pemKeyOf(publicKey)).reverse() }
}

/** Counts the bytes that are hashed, by whichever call. */
function counting(): { crypto: CryptoPort; hashed: () => number } {
  let hashed = 0
  return {
    hashed: () => hashed,
    crypto: {
      hash: (algorithm, ...parts) => {
        hashed += parts.reduce((sum, part) => sum + part.length, 0)
        return nodeCrypto.hash(algorithm, ...parts)
      },
      verify: (key, scheme, message, signature) => {
        hashed += message.length
        return nodeCrypto.verify(key, scheme, message, signature)
      },
      verifyDigest: nodeCrypto.verifyDigest,
    },
  }
}

const ecdsa = Array.from({ length: 3 }, () => generateKeyPairSync('ec', { namedCurve: 'P-256' }))
const rsa = Array.from({ length: 2 }, () => generateKeyPairSync('rsa', { modulusLength: 2048 }))

describe('the signatures of an envelope', () => {
  it.each([
    ['short', 100],
    ['long', 1024 * 1024],
  ])('with a %s payload are each given to the key that made it', (_, bytes) => {
    const { envelope, keys } = signedBy([...ecdsa, ...rsa], new Uint8Array(bytes))
    const signers = matchSignatures(envelope, keys, nodeCrypto)
    expect(envelope.signatures.map(({ text }) => signers.get(text))).toEqual(keys.toReversed())
    const other: Envelope = { ...envelope, payload: new Uint8Array(bytes).fill(1) }
    expect(() => matchSignatures(other, keys, nodeCrypto)).toThrowCode('ENTRY_V1_INVALID')
  })

  it('cost one hash of a long payload, however many there are', () => {
    const payload = new Uint8Array(1024 * 1024)
    const { envelope, keys } = signedBy([...ecdsa, ...rsa], payload)
    const { crypto, hashed } = counting()
    matchSignatures(envelope, keys, crypto)
    expect(hashed()).toBeLessThan(2 * payload.length)
  })
})
