/** What is claimed before a certificate is made (docs/adr/0008). All digests are SHA-256. */
export interface ClaimRequest {
  /** Of the token's signed part, header and payload: its signature can be written in more than one way. */
  readonly tokenSha256: Uint8Array
  /** Of the SubjectPublicKeyInfo. */
  readonly spkiSha256: Uint8Array
  /** Of issuer and name. */
  readonly principalSha256: Uint8Array
  /** True when the proof of possession is over the principal's name; false for a CSR, which says nothing about who sends it. */
  readonly bound: boolean
  /** When the token ends: it authenticates nobody after that. */
  readonly expiresAt: Date
}

/** A pair of token and key that is taken. */
export interface Claim {
  /** Gives the pair back. MUST be called only when no precertificate was logged; never rejects: a claim that stays costs its client a new key. */
  release(): Promise<void>
}

export type ClaimOutcome =
  | { readonly outcome: 'claimed'; readonly claim: Claim }
  /** This token was used for this key before. */
  | { readonly outcome: 'replayed' }
  /** An unbound request for a key that was certified for another principal. */
  | { readonly outcome: 'key-of-another' }

/** The CA's memory of what it certified, shared by all its processes. */
export interface IssuanceRecord {
  /**
   * Takes the pair of token and key, for one caller among all processes, and notes whose key it is if nobody's was noted. When it resolves with
   * `claimed`, the claim MUST outlive every certificate log entry that is made after it. Throws CA_RECORD_UNAVAILABLE when it cannot tell.
   */
  claim(request: ClaimRequest): Promise<ClaimOutcome>
}
