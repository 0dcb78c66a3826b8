import { createPrivateKey, createPublicKey, generateKeyPairSync, sign as nodeSign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { CryptoError } from '../errors.js'
import { schemeOf } from '../key-details.js'
import { signEd25519ph } from '../noble/ed25519ph.js'
import { parsePublicKeyDer } from '../public-key.js'
import { fit } from '../signature-checks.js'
import type { KeyType, PublicKey, SignatureScheme, Signer } from '../types.js'
import { hash, HASH_NAMES, plainBytes } from './hashes.js'
import { nodeCrypto } from './node-crypto.js'

/**
 * Signs with a private key held by this process. The key is a private field, so neither inspection nor JSON shows it.
 * What it signs it verifies before it gives it away: a flipped bit must not become a signature that helps to find the key.
 */
export class MemorySigner implements Signer {
  readonly publicKey: PublicKey
  readonly scheme: SignatureScheme
  readonly #privateKey: KeyObject

  /** Throws CRYPTO_PRIVATE_KEY_INVALID for a key of another kind than the scheme. */
  constructor(privateKey: KeyObject, scheme?: SignatureScheme) {
    this.publicKey = publicKeyOf(privateKey)
    this.scheme = scheme ?? schemeOf(this.publicKey)
    if (fit(this.publicKey, this.scheme) === undefined)
      throw new CryptoError('CRYPTO_PRIVATE_KEY_INVALID', `a key of this kind cannot sign as ${this.scheme.kind}`)
    this.#privateKey = privateKey
  }

  async sign(message: Uint8Array): Promise<Uint8Array> {
    let signature: Uint8Array
    try {
      signature = await this.#make(message)
    } catch (cause) {
      throw new CryptoError('CRYPTO_SIGN_FAILED', 'the key could not sign', { cause })
    }
    if (!nodeCrypto.verify(this.publicKey, this.scheme, message, signature))
      throw new CryptoError('CRYPTO_SIGN_FAILED', 'what the key signed does not verify')
    return signature
  }

  /** Throws CRYPTO_SIGN_FAILED. */
  signUnchecked(message: Uint8Array): Uint8Array | Promise<Uint8Array> {
    try {
      return this.#make(message)
    } catch (cause) {
      throw new CryptoError('CRYPTO_SIGN_FAILED', 'the key could not sign', { cause })
    }
  }

  /** The unencrypted PKCS#8 of the key. */
  pkcs8(): Uint8Array {
    return new Uint8Array(this.#privateKey.export({ type: 'pkcs8', format: 'der' }))
  }

  #make(message: Uint8Array): Uint8Array | Promise<Uint8Array> {
    const { scheme } = this
    if (scheme.kind === 'ed25519ph') return signEd25519ph(this.#seed(), hash('SHA2_512', message))
    const algorithm = scheme.kind === 'ed25519' ? null : HASH_NAMES[scheme.hash]
    // P-256 and Ed25519 take tens of microseconds; the others take milliseconds, which the thread pool shall spend.
    const { type } = this.publicKey
    if (type.kind === 'ed25519' || (type.kind === 'ecdsa' && type.curve === 'P-256'))
      return plainBytes(nodeSign(algorithm, message, this.#privateKey))
    return new Promise((resolve, reject) => {
      nodeSign(algorithm, message, this.#privateKey, (error, signature) => {
        if (error) reject(error)
        else resolve(plainBytes(signature))
      })
    })
  }

  #seed(): Uint8Array {
    return Buffer.from(this.#privateKey.export({ format: 'jwk' }).d!, 'base64url')
  }
}

function publicKeyOf(privateKey: KeyObject): PublicKey {
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  try {
    return parsePublicKeyDer(spki)
  } catch (cause) {
    throw new CryptoError('CRYPTO_PRIVATE_KEY_INVALID', 'not a private key of a kind that is supported', { cause })
  }
}

const CURVE_NAMES = { 'P-256': 'prime256v1', 'P-384': 'secp384r1', 'P-521': 'secp521r1' } as const

/** Makes a new key in memory. RSA takes up to seconds, and blocks for as long. */
export function generateSigner(type: KeyType, scheme?: SignatureScheme): MemorySigner {
  return new MemorySigner(generatePrivateKey(type), scheme)
}

function generatePrivateKey(type: KeyType): KeyObject {
  switch (type.kind) {
    case 'ecdsa':
      return generateKeyPairSync('ec', { namedCurve: CURVE_NAMES[type.curve] }).privateKey
    case 'rsa':
      return generateKeyPairSync('rsa', { modulusLength: type.modulusBits, publicExponent: 65537 }).privateKey
    case 'ed25519':
      return generateKeyPairSync('ed25519').privateKey
  }
}

/** Takes a PKCS#8 private key (DER, not encrypted). Throws CRYPTO_PRIVATE_KEY_INVALID, whose cause shows nothing of the key. */
export function signerFromPkcs8(der: Uint8Array, scheme?: SignatureScheme): MemorySigner {
  let privateKey: KeyObject
  try {
    privateKey = createPrivateKey({
      key: Buffer.from(der.buffer, der.byteOffset, der.length),
      format: 'der',
      type: 'pkcs8',
    })
  } catch (cause) {
    throw new CryptoError('CRYPTO_PRIVATE_KEY_INVALID', 'not a PKCS#8 private key', { cause })
  }
  return new MemorySigner(privateKey, scheme)
}

/** The unencrypted PKCS#8 of a signer's key, to be encrypted by who stores it. Throws CRYPTO_PRIVATE_KEY_INVALID when the key is elsewhere. */
export function privateKeyToPkcs8(signer: Signer): Uint8Array {
  if (!(signer instanceof MemorySigner))
    throw new CryptoError('CRYPTO_PRIVATE_KEY_INVALID', 'the private key is not in this process')
  return signer.pkcs8()
}
