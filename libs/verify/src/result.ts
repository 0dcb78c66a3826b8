import type { Statement } from '@touchmark/bundle'
import type { HashAlgorithm, PublicKey } from '@touchmark/crypto'
import type { FulcioExtensionValues, SubjectAltName } from '@touchmark/x509'

/** What can have been checked; names are stable. */
export type CheckName =
  | 'artifact digest'
  | 'signature'
  | 'statement subject'
  | 'timestamp'
  | 'timestamp ignored'
  | 'log entry body'
  | 'log entry ignored'
  | 'log entry time'
  | 'inclusion promise'
  | 'checkpoint'
  | 'inclusion proof'
  | 'log key period'
  | 'log threshold'
  | 'log skipped'
  | 'time threshold'
  | 'certificate path'
  | 'certificate log'
  | 'certificate log threshold'
  | 'certificate log skipped'
  | 'identity'
  | 'issuer'
  | 'extension'
  | 'public key'
  | 'content'
  | 'predicate type'

/** One check that passed: what was compared with what. */
export interface PerformedCheck {
  readonly check: CheckName
  /** What was looked at. */
  readonly subject: string
  /** What it was held against. */
  readonly against: string
}

export interface VerifiedTime {
  readonly time: Date
  readonly source: 'timestamp authority' | 'transparency log'
  /** URI of the authority, or base URL of the log. */
  readonly authority: string
}

export interface VerifiedLogEntry {
  readonly log: string
  readonly logIdHex: string
  /** As promised by the log, over all its shards; without a promise the index in the tree, as proven. */
  readonly logIndex: bigint
  readonly kind: string
  readonly version: string
  /** Only under a verified promise. */
  readonly integratedTime?: Date
  /** The signed state of the log in which the entry is proven to be. */
  readonly checkpoint?: { readonly origin: string; readonly size: bigint; readonly rootHex: string }
}

export type VerifiedSigner =
  | {
      readonly kind: 'certificate'
      readonly subject: SubjectAltName
      /** The OIDC issuer. */
      readonly issuer: string
      readonly extensions: Readonly<FulcioExtensionValues>
      /** DER of the leaf. */
      readonly certificate: Uint8Array
    }
  | { readonly kind: 'key'; readonly publicKey: PublicKey }

export type VerifiedContent =
  | { readonly kind: 'message' }
  /** `payload` is exactly the bytes that were signed; `statement` was read from them. */
  | { readonly kind: 'attestation'; readonly payload: Uint8Array; readonly statement: Statement }

/** What has been proven, and how. */
export interface VerificationResult {
  readonly signer: VerifiedSigner
  readonly artifact: { readonly algorithm: HashAlgorithm; readonly digest: Uint8Array }
  readonly content: VerifiedContent
  /** Proven times of signing, each inside every validity that counts. Empty only for keys. */
  readonly times: readonly VerifiedTime[]
  readonly logEntries: readonly VerifiedLogEntry[]
  readonly checks: readonly PerformedCheck[]
}
