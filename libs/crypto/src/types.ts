/** Hash names as in sigstore's HashAlgorithm. */
export type HashAlgorithm = 'SHA2_256' | 'SHA2_384' | 'SHA2_512'

export type Curve = 'P-256' | 'P-384' | 'P-521'

/** What a key is, apart from how it is used. */
export type KeyType =
  | { readonly kind: 'ecdsa'; readonly curve: Curve }
  | { readonly kind: 'rsa'; readonly modulusBits: number }
  | { readonly kind: 'ed25519' }

/** How a signature is made. ECDSA signatures are ASN.1 DER; RSA is PKCS#1 v1.5 unless said; Ed25519ph is RFC 8032 §5.1 with empty context. */
export type SignatureScheme =
  | { readonly kind: 'ecdsa'; readonly hash: HashAlgorithm }
  | { readonly kind: 'rsa-pkcs1'; readonly hash: HashAlgorithm }
  | { readonly kind: 'ed25519' }
  | { readonly kind: 'ed25519ph' }

/** A public key whose SPKI was parsed strictly and whose point or modulus was checked to be well-formed. */
export interface PublicKey {
  readonly type: KeyType
  /** SubjectPublicKeyInfo DER, exactly as given. */
  readonly spki: Uint8Array
  /** Content of the subjectPublicKey BIT STRING: what SHA-1 key identifiers are made of; for EC the point 04 || x || y, for Ed25519 the raw key. */
  readonly keyBits: Uint8Array
  /** RSA only. */
  readonly rsa?: { readonly modulus: Uint8Array; readonly exponent: bigint }
}

/**
 * The cryptography a verifier needs. Pure and synchronous, so that verification runs unchanged in a browser; adapters: node:crypto, @noble/curves.
 * A verify function answers false for every signature that is not right, whatever its shape, and MUST NOT throw on one.
 */
export interface CryptoPort {
  hash(algorithm: HashAlgorithm, ...parts: readonly Uint8Array[]): Uint8Array
  /** Verifies over a message; ed25519ph hashes it with SHA-512 itself. */
  verify(key: PublicKey, scheme: SignatureScheme, message: Uint8Array, signature: Uint8Array): boolean
  /** Verifies over the digest of a message (length = the scheme's hash; SHA-512 for ed25519ph). Pure ed25519 has no digest: false. */
  verifyDigest(key: PublicKey, scheme: SignatureScheme, digest: Uint8Array, signature: Uint8Array): boolean
}

/** A private key somewhere: in memory, in a file, later in a KMS. */
export interface Signer {
  readonly publicKey: PublicKey
  readonly scheme: SignatureScheme
  /** MUST reject with a CodedError when the key cannot be used; MUST NOT resolve with a signature that does not verify. */
  sign(message: Uint8Array): Promise<Uint8Array>
  /**
   * The same without looking at the result again, for what is signed in every answer and checked by whoever gets it. A signer that cannot leave the check
   * out does not have it.
   */
  signUnchecked?(message: Uint8Array): Uint8Array | Promise<Uint8Array>
}
