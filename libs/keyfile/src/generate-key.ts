import { generateKeyPair } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { KeyType, Signer } from '@touchmark/crypto'
import { usableSigner } from './private-key-file.js'

/** The kinds of keys that can be made, by the names people give them. */
export const KEY_TYPES: ReadonlyMap<string, KeyType> = new Map<string, KeyType>([
  ['P-256', { kind: 'ecdsa', curve: 'P-256' }],
  ['P-384', { kind: 'ecdsa', curve: 'P-384' }],
  ['P-521', { kind: 'ecdsa', curve: 'P-521' }],
  ['RSA-2048', { kind: 'rsa', modulusBits: 2048 }],
  ['RSA-3072', { kind: 'rsa', modulusBits: 3072 }],
  ['RSA-4096', { kind: 'rsa', modulusBits: 4096 }],
  ['Ed25519', { kind: 'ed25519' }],
])

/** The name of a key's kind, for people. */
export function keyTypeName(type: KeyType): string {
  if (type.kind === 'ecdsa') return type.curve
  return type.kind === 'rsa' ? `RSA-${type.modulusBits}` : 'Ed25519'
}

/** Makes a new key in memory. RSA takes up to seconds, on another thread. */
export async function generateKey(type: KeyType): Promise<Signer> {
  const pkcs8: Uint8Array = (await makeKey(type)).export({ type: 'pkcs8', format: 'der' })
  try {
    return usableSigner(pkcs8)
  } finally {
    pkcs8.fill(0)
  }
}

function makeKey(type: KeyType): Promise<KeyObject> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, _publicKey: KeyObject, privateKey: KeyObject): void => {
      if (error) reject(error)
      else resolve(privateKey)
    }
    if (type.kind === 'ecdsa') generateKeyPair('ec', { namedCurve: type.curve }, done)
    else if (type.kind === 'rsa')
      generateKeyPair('rsa', { modulusLength: type.modulusBits, publicExponent: 65537 }, done)
    else generateKeyPair('ed25519', {}, done)
  })
}
