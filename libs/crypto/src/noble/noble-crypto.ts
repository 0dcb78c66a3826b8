import { p256, p384, p521 } from '@noble/curves/nist.js'
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@touchmark/encoding'
import { bigIntToBytes, bytesToBigInt, modPow } from '../big-integers.js'
import { digestAlgorithm, ecdsaNumbers, fit, isDigestFor, isRightBlock } from '../signature-checks.js'
import type { Fitted } from '../signature-checks.js'
import type { CryptoPort, HashAlgorithm, PublicKey, SignatureScheme } from '../types.js'
import { verifyEd25519, verifyEd25519ph } from './ed25519ph.js'

const HASHES = { SHA2_256: sha256, SHA2_384: sha384, SHA2_512: sha512 } as const
const CURVES = { 'P-256': p256, 'P-384': p384, 'P-521': p521 } as const

function hash(algorithm: HashAlgorithm, ...parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return HASHES[algorithm](parts[0]!)
  const state = HASHES[algorithm].create()
  for (const part of parts) state.update(part)
  return state.digest()
}

function verify(key: PublicKey, scheme: SignatureScheme, message: Uint8Array, signature: Uint8Array): boolean {
  const algorithm = digestAlgorithm(scheme)
  if (algorithm !== undefined) return verifyDigest(key, scheme, hash(algorithm, message), signature)
  if (fit(key, scheme) === undefined) return false
  return verifyEd25519(key.keyBits, signature, (commitment) => concatBytes(commitment, key.keyBits, message))
}

function verifyDigest(key: PublicKey, scheme: SignatureScheme, digest: Uint8Array, signature: Uint8Array): boolean {
  const fitted = fit(key, scheme)
  if (fitted === undefined || !isDigestFor(scheme, digest)) return false
  switch (fitted.kind) {
    case 'ecdsa':
      if (ecdsaNumbers(signature, fitted.curve) === undefined) return false
      return CURVES[fitted.curve].verify(signature, digest, key.keyBits, { prehash: false, lowS: false, format: 'der' })
    case 'rsa-pkcs1':
      return verifyRsa(fitted, digest, signature)
    case 'ed25519ph':
      return verifyEd25519ph(key.keyBits, signature, digest)
    case 'ed25519':
      return false
  }
}

function verifyRsa(key: Extract<Fitted, { kind: 'rsa-pkcs1' }>, digest: Uint8Array, signature: Uint8Array): boolean {
  const modulus = bytesToBigInt(key.modulus)
  const opened = bytesToBigInt(signature)
  if (signature.length !== key.modulus.length || opened >= modulus) return false
  return isRightBlock(bigIntToBytes(modPow(opened, key.exponent, modulus), key.modulus.length), key.hash, digest)
}

/** The CryptoPort over @noble/curves and @noble/hashes: runs where there is no node:crypto, and is the oracle of the tests. */
export const nobleCrypto: CryptoPort = { hash, verify, verifyDigest }
