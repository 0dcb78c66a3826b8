/** Injection token of a function that gives the newest {@link TrustDocuments}. */
export const TRUST_DOCUMENTS = Symbol('TrustDocuments')

/** The documents that clients are pointed at, as JSON texts. */
export interface TrustDocuments {
  /** Sigstore TrustedRoot, media type version 0.1. */
  readonly trustedRoot: string
  /** Sigstore SigningConfig v0.2. */
  readonly signingConfig: string
  /** Both in one, as `sigstore --trust-config` takes it. */
  readonly clientTrustConfig: string
}
