/**
 * Upper bounds of a bundle. Each is compared with the raw length or count before the thing itself is decoded,
 * so that a hostile file costs no more than its own size (reliability.md V8).
 */
export const BUNDLE_LIMITS = {
  /** An SBOM attestation carries the SBOM, so this is generous; callers may pass less. */
  bundleBytes: 32 * 1024 * 1024,
  jsonDepth: 16,
  /** As sigstore-go. */
  tlogEntries: 32,
  timestamps: 32,
  /** A tree of 2^63 leaves needs 63. */
  proofHashes: 64,
  certificates: 10,
  certificateBytes: 64 * 1024,
  signatureBytes: 16 * 1024,
  timestampBytes: 64 * 1024,
  /** API v2 stores at most 65,535; API v1 may hold a chain of ten certificates. */
  canonicalizedBodyBytes: 1024 * 1024,
  checkpointBytes: 64 * 1024,
  textLength: 4096,
  statementDepth: 256,
  subjects: 4096,
  digestsOfSubject: 16,
} as const
