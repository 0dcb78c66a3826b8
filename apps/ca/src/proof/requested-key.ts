import {
  checkKeyStrength,
  CryptoError,
  parsePublicKeyDer,
  parsePublicKeyPem,
  schemeOf,
  type CryptoPort,
  type PublicKey,
} from '@touchmark/crypto'
import { utf8Decode, utf8Encode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { CaError } from '../errors.js'

const DER_SEQUENCE = 0x30

/** Turns what the key parser says into the CA's two refusals: not a key, and a key that is not taken. */
export function asKeyRefusal(error: unknown): CaError {
  if (!isCodedError(error)) throw error
  const insecure = error instanceof CryptoError && error.code !== 'CRYPTO_KEY_UNPARSABLE'
  return new CaError(insecure ? 'CA_KEY_INSECURE' : 'CA_KEY_UNPARSABLE', error.message, { cause: error })
}

/**
 * Reads a public key as a request brings it: PEM (`PUBLIC KEY` or `RSA PUBLIC KEY`, the first block), or the DER of a SubjectPublicKeyInfo.
 * Throws CA_KEY_UNPARSABLE or CA_KEY_INSECURE.
 */
export function readRequestedKey(content: Uint8Array): PublicKey {
  if (content.length === 0) throw new CaError('CA_KEY_UNPARSABLE', 'there is no public key')
  let key: PublicKey
  try {
    key = content[0] === DER_SEQUENCE ? parsePublicKeyDer(content) : parsePublicKeyPem(utf8Decode(content))
  } catch (error) {
    throw asKeyRefusal(error)
  }
  checkRequestedKey(key)
  return key
}

/** The CA's rules for keys (ca.md §3). Throws CA_KEY_INSECURE. */
export function checkRequestedKey(key: PublicKey): void {
  try {
    checkKeyStrength(key)
  } catch (error) {
    throw asKeyRefusal(error)
  }
}

/**
 * Checks the proof of possession: the key's signature over the UTF-8 bytes of the name, with the one hash that goes with the key; ECDSA as
 * ASN.1 DER. Throws CA_PROOF_INVALID.
 */
export function checkProof(key: PublicKey, name: string, proof: Uint8Array, crypto: CryptoPort): void {
  if (!crypto.verify(key, schemeOf(key), utf8Encode(name), proof)) {
    throw new CaError('CA_PROOF_INVALID', 'the proof is not a signature of the key over the name')
  }
}
