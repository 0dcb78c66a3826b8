import { equalBytes } from '@touchmark/encoding'
import { isUsableEd25519Key } from './ed25519.js'
import { decodeEcdsaSignature } from './ecdsa-signature.js'
import type { EcdsaSignature } from './ecdsa-signature.js'
import { DIGEST_BYTES, pkcs1EncodedMessage } from './pkcs1.js'
import type { Curve, HashAlgorithm, PublicKey, SignatureScheme } from './types.js'

/** A scheme together with what its key must be for it; one value for adapters to switch on. */
export type Fitted =
  | { readonly kind: 'ecdsa'; readonly curve: Curve; readonly hash: HashAlgorithm }
  | {
      readonly kind: 'rsa-pkcs1'
      readonly modulus: Uint8Array
      readonly exponent: bigint
      readonly hash: HashAlgorithm
    }
  | { readonly kind: 'ed25519' | 'ed25519ph' }

/**
 * Joins a key and a scheme, or undefined when they do not belong together or the key can never verify anything: an Ed25519 key of small
 * order, an RSA exponent that is even or 1 (under which any block is its own signature). Both adapters ask here, so they agree.
 */
export function fit(key: PublicKey, scheme: SignatureScheme): Fitted | undefined {
  const { type } = key
  switch (scheme.kind) {
    case 'ecdsa':
      return type.kind === 'ecdsa' ? { kind: 'ecdsa', curve: type.curve, hash: scheme.hash } : undefined
    case 'rsa-pkcs1':
      if (type.kind !== 'rsa' || key.rsa === undefined || key.rsa.exponent < 3n || key.rsa.exponent % 2n === 0n)
        return undefined
      return { kind: 'rsa-pkcs1', modulus: key.rsa.modulus, exponent: key.rsa.exponent, hash: scheme.hash }
    case 'ed25519':
    case 'ed25519ph':
      return type.kind === 'ed25519' && isUsableEd25519Key(key.keyBits) ? { kind: scheme.kind } : undefined
  }
}

/** The digest a scheme takes; undefined for pure Ed25519, which takes none. */
export function digestAlgorithm(scheme: SignatureScheme): HashAlgorithm | undefined {
  if (scheme.kind === 'ed25519') return undefined
  return scheme.kind === 'ed25519ph' ? 'SHA2_512' : scheme.hash
}

/** True when a digest has the length the scheme's hash gives. */
export function isDigestFor(scheme: SignatureScheme, digest: Uint8Array): boolean {
  const algorithm = digestAlgorithm(scheme)
  return algorithm !== undefined && digest.length === DIGEST_BYTES[algorithm]
}

/** The numbers of an ECDSA signature, or undefined when it is not one of this curve. */
export function ecdsaNumbers(signature: Uint8Array, curve: Curve): EcdsaSignature | undefined {
  try {
    return decodeEcdsaSignature(signature, curve)
  } catch {
    return undefined
  }
}

/** Compares the block an RSA signature opens to with the only one that is right (RFC 8017 §8.2.2). */
export function isRightBlock(block: Uint8Array, hash: HashAlgorithm, digest: Uint8Array): boolean {
  const wanted = pkcs1EncodedMessage(hash, digest, block.length)
  return wanted !== undefined && equalBytes(wanted, block)
}
