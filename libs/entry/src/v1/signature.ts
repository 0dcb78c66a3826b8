import {
  DIGEST_BYTES,
  ecdsaSignatureToDer,
  type CryptoPort,
  type Curve,
  type HashAlgorithm,
  type PublicKey,
  type SignatureScheme,
} from '@touchmark/crypto'
import { DerReader } from '@touchmark/encoding'

const HALF_BYTES: Readonly<Record<Curve, number>> = { 'P-256': 32, 'P-384': 48, 'P-521': 66 }

/**
 * Checks a signature over a digest (log-v1.md §6, hashedrekord). Returns undefined when it is right, else what the reference says.
 * The key's kind decides the scheme: RSA is PKCS#1 v1.5, Ed25519 is Ed25519ph and takes SHA-512 alone.
 */
export function wrongOverDigest(
  crypto: CryptoPort,
  key: PublicKey,
  hash: HashAlgorithm,
  digest: Uint8Array,
  signature: Uint8Array,
): string | undefined {
  if (digest.length !== DIGEST_BYTES[hash]) return 'invalid value for hash'
  if (key.type.kind === 'ed25519') {
    if (hash !== 'SHA2_512') return `unsupported hash algorithm: "${GO_NAME[hash]}" not in [SHA-512]`
    return crypto.verifyDigest(key, { kind: 'ed25519ph' }, digest, signature) ? undefined : WRONG_ED25519
  }
  const scheme: SignatureScheme = { kind: key.type.kind === 'rsa' ? 'rsa-pkcs1' : 'ecdsa', hash }
  const der = asDer(key, signature)
  if (der !== undefined && crypto.verifyDigest(key, scheme, digest, der)) return undefined
  return wrong(key, signature)
}

/** The same over a message: SHA-256 for RSA and every curve, plain Ed25519. */
export function wrongOverMessage(
  crypto: CryptoPort,
  key: PublicKey,
  message: Uint8Array,
  signature: Uint8Array,
): string | undefined {
  return signaturesOver(crypto, message)(key, signature)
}

/** From here on a message is hashed once for all its signatures, not once for each; a shorter one is quicker without. */
const LONG_MESSAGE_BYTES = 64 * 1024

/** The same for many signatures over one message. */
export function signaturesOver(
  crypto: CryptoPort,
  message: Uint8Array,
): (key: PublicKey, signature: Uint8Array) => string | undefined {
  let digest: Uint8Array | undefined
  const isRight = (key: PublicKey, signature: Uint8Array): boolean => {
    const scheme = MESSAGE_SCHEMES[key.type.kind]
    if (scheme.kind === 'ed25519' || message.length < LONG_MESSAGE_BYTES) {
      return crypto.verify(key, scheme, message, signature)
    }
    digest ??= crypto.hash(scheme.hash, message)
    return crypto.verifyDigest(key, scheme, digest, signature)
  }
  return (key, signature) => {
    const der = asDer(key, signature)
    return der !== undefined && isRight(key, der) ? undefined : wrong(key, signature)
  }
}

const GO_NAME: Readonly<Record<HashAlgorithm, string>> = {
  SHA2_256: 'SHA-256',
  SHA2_384: 'SHA-384',
  SHA2_512: 'SHA-512',
}
const WRONG_ED25519 = 'failed to verify signature: ed25519: invalid signature'
const MESSAGE_SCHEMES = {
  ecdsa: { kind: 'ecdsa', hash: 'SHA2_256' },
  rsa: { kind: 'rsa-pkcs1', hash: 'SHA2_256' },
  ed25519: { kind: 'ed25519' },
} as const satisfies Record<PublicKey['type']['kind'], SignatureScheme>

/** An ECDSA signature is DER, or r || s of the curve's size and of no other; other kinds are as they are. */
function asDer({ type }: PublicKey, signature: Uint8Array): Uint8Array | undefined {
  if (type.kind !== 'ecdsa') return signature
  // What is of another length is DER, or nothing: the adapter says which.
  return signature.length === 2 * HALF_BYTES[type.curve] ? ecdsaSignatureToDer(signature) : signature
}

function wrong({ type }: PublicKey, signature: Uint8Array): string {
  if (type.kind === 'ed25519') return WRONG_ED25519
  if (type.kind === 'rsa') return 'crypto/rsa: verification error'
  if (looksLikeDer(signature)) return 'invalid signature when validating ASN.1 encoded signature'
  if (signature.length === 2 * HALF_BYTES[type.curve])
    return 'invalid signature when validating IEEE_P1363 encoded signature'
  return 'ecdsa: Invalid IEEE_P1363 encoded bytes'
}

/** A SEQUENCE of two INTEGERs, whatever comes behind it. */
function looksLikeDer(signature: Uint8Array): boolean {
  try {
    const pair = new DerReader(signature).sequence()
    pair.integerBytes()
    pair.integerBytes()
    return true
  } catch {
    return false
  }
}
