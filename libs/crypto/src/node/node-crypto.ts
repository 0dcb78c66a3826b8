import { constants, publicDecrypt, verify as nodeVerify } from 'node:crypto'
import { verifyEd25519ph } from '../noble/ed25519ph.js'
import { digestAlgorithm, ecdsaNumbers, fit, isDigestFor, isRightBlock } from '../signature-checks.js'
import type { CryptoPort, PublicKey, SignatureScheme } from '../types.js'
import { verifyEcdsaDigest } from './ecdsa-digest.js'
import { hash, HASH_NAMES } from './hashes.js'
import { keyObjectOf } from './key-objects.js'

function verify(key: PublicKey, scheme: SignatureScheme, message: Uint8Array, signature: Uint8Array): boolean {
  const fitted = fit(key, scheme)
  if (fitted === undefined) return false
  switch (fitted.kind) {
    case 'ecdsa':
      if (ecdsaNumbers(signature, fitted.curve) === undefined) return false
      return opensslSays(() => nodeVerify(HASH_NAMES[fitted.hash], message, keyObjectOf(key), signature))
    case 'ed25519':
      return opensslSays(() => nodeVerify(null, message, keyObjectOf(key), signature))
    case 'rsa-pkcs1':
    case 'ed25519ph':
      return verifyDigest(key, scheme, hash(digestAlgorithm(scheme)!, message), signature)
  }
}

function verifyDigest(key: PublicKey, scheme: SignatureScheme, digest: Uint8Array, signature: Uint8Array): boolean {
  const fitted = fit(key, scheme)
  if (fitted === undefined || !isDigestFor(scheme, digest)) return false
  switch (fitted.kind) {
    case 'ecdsa': {
      const numbers = ecdsaNumbers(signature, fitted.curve)
      if (numbers === undefined) return false
      return opensslSays(() => verifyEcdsaDigest(fitted.curve, fitted.hash, key, digest, numbers, signature))
    }
    case 'rsa-pkcs1': {
      if (signature.length !== fitted.modulus.length) return false
      const open = (): Uint8Array =>
        publicDecrypt({ key: keyObjectOf(key), padding: constants.RSA_NO_PADDING }, signature)
      return opensslSays(() => isRightBlock(open(), fitted.hash, digest))
    }
    case 'ed25519ph':
      return verifyEd25519ph(key.keyBits, signature, digest)
    case 'ed25519':
      return false
  }
}

/** OpenSSL throws for keys and signatures it finds impossible (an RSA signature above the modulus, a modulus that is too small): not right. */
function opensslSays(question: () => boolean): boolean {
  try {
    return question()
  } catch {
    return false
  }
}

/** The CryptoPort over node:crypto (OpenSSL); Ed25519ph, which OpenSSL 3.0 lacks, is done with @noble/curves. */
export const nodeCrypto: CryptoPort = { hash, verify, verifyDigest }
