import { CodedError } from '@touchmark/errors'

export type CryptoErrorCode =
  /** Not a public key in the one encoding that is taken, or of a kind nobody here knows (secp256k1, Brainpool, RSA-PSS keys, Ed448). */
  | 'CRYPTO_KEY_UNPARSABLE'
  /** A well-formed key of a kind that is known and never taken: P-224, X25519, DSA. */
  | 'CRYPTO_KEY_UNSUPPORTED'
  /** A key that parses and must not be certified. */
  | 'CRYPTO_KEY_WEAK'
  /** Not the DER of an ECDSA signature of this curve. */
  | 'CRYPTO_SIGNATURE_INVALID'
  /** Not a PKCS#8 private key of a supported kind. */
  | 'CRYPTO_PRIVATE_KEY_INVALID'
  /** A private key could not sign, or what it signed does not verify. */
  | 'CRYPTO_SIGN_FAILED'

export class CryptoError extends CodedError<CryptoErrorCode> {}
