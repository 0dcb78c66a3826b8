import type { IdentityPolicy, Thresholds } from '@touchmark/verify'

/** One rule: whose signature is wanted on which files. */
export interface Rule {
  readonly name: string
  /** Patterns of {@link matchesPattern}; any one is enough. */
  readonly files: readonly string[]
  /** Who may have signed with a certificate; any one is enough. */
  readonly identities: readonly IdentityPolicy[]
  /** Keys that may have signed, as DER of a SubjectPublicKeyInfo; any one is enough. */
  readonly keys: readonly Uint8Array[]
  readonly thresholds?: Thresholds
  /** What must have been signed: the file, or a statement about it. Absent: either. */
  readonly content?: 'message' | 'attestation'
  /** Any of these; with `attestation` only. */
  readonly predicateTypes?: readonly string[]
}

/** What a policy file says (docs/policy-file.md). Plain data, which can be handed to a thread. */
export interface PolicyFile {
  /** In the order of the file: the first that is about a file decides. */
  readonly rules: readonly Rule[]
}

/** Each is compared before the thing itself is looked at. */
export const POLICY_FILE_LIMITS = {
  bytes: 1 << 20,
  jsonDepth: 8,
  signers: 1000,
  rules: 1000,
  patterns: 100,
  patternLength: 512,
  signersOfRule: 100,
  predicateTypes: 100,
  extensions: 30,
  textLength: 4096,
} as const
