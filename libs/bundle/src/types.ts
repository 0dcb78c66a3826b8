/** Version of the bundle format, whatever spelling its media type has. */
export type BundleVersion = '0.1' | '0.2' | '0.3'

/** Hash names that a message digest can have. */
export type BundleHashAlgorithm = 'SHA2_256' | 'SHA2_384' | 'SHA2_512'

/** Inclusion proof of one entry; hashes go from the leaf to the root. */
export interface InclusionProof {
  /** Index in its own tree. */
  readonly logIndex: bigint
  readonly rootHash: Uint8Array
  readonly treeSize: bigint
  readonly hashes: readonly Uint8Array[]
  /** Text of the signed note: without it the root would be nobody's word. */
  readonly checkpoint: string
}

export interface TransparencyLogEntry {
  /** API v1: the virtual index over all shards. API v2: the same as the proof's. */
  readonly logIndex: bigint
  /** 32 bytes. */
  readonly logId: Uint8Array
  readonly kindVersion: { readonly kind: string; readonly version: string }
  /** Seconds since 1970. Absent, or zero on the wire: the log claims no time. Trusted only under a verified promise. */
  readonly integratedTime?: bigint
  /** The signed entry timestamp of API v1. */
  readonly inclusionPromise?: Uint8Array
  readonly inclusionProof?: InclusionProof
  /** The leaf: exactly the bytes that the log hashed. */
  readonly canonicalizedBody: Uint8Array
}

export type SignerMaterial =
  | { readonly kind: 'certificate'; readonly certificate: Uint8Array }
  /** Versions 0.1 and 0.2: leaf first. */
  | { readonly kind: 'chain'; readonly certificates: readonly [Uint8Array, ...Uint8Array[]] }
  | { readonly kind: 'publicKey'; readonly hint: string }

export interface DsseSignature {
  readonly sig: Uint8Array
  /** Not signed, a hint at most. Empty when it was absent. */
  readonly keyid: string
}

export interface DsseEnvelope {
  readonly payload: Uint8Array
  readonly payloadType: string
  readonly signature: DsseSignature
}

export interface MessageSignature {
  /** What the signer says it signed. Not signed itself: compared with the artifact, never used in its place. */
  readonly messageDigest?: { readonly algorithm: BundleHashAlgorithm; readonly digest: Uint8Array }
  readonly signature: Uint8Array
}

export type BundleContent =
  | { readonly kind: 'message'; readonly message: MessageSignature }
  | { readonly kind: 'dsse'; readonly envelope: DsseEnvelope }

/** A Sigstore bundle, contract/bundle-and-oci.md §1. Nothing in it has been verified. */
export interface Bundle {
  readonly mediaType: string
  readonly version: BundleVersion
  readonly signer: SignerMaterial
  readonly tlogEntries: readonly TransparencyLogEntry[]
  /** Whole TimeStampResp messages, DER. */
  readonly timestamps: readonly Uint8Array[]
  readonly content: BundleContent
}

/** The media type that current clients write, and we. */
export const BUNDLE_V03_MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json'

export const MEDIA_TYPES: Readonly<Record<string, BundleVersion>> = {
  'application/vnd.dev.sigstore.bundle+json;version=0.1': '0.1',
  'application/vnd.dev.sigstore.bundle+json;version=0.2': '0.2',
  'application/vnd.dev.sigstore.bundle+json;version=0.3': '0.3',
  [BUNDLE_V03_MEDIA_TYPE]: '0.3',
}
