import type { JsonValue } from '@touchmark/encoding'
import type { FulcioExtensionName, SubjectAltName } from '@touchmark/x509'

/** Who a certificate is for, and what it says beside that. */
export interface Principal {
  /** What the proof of possession signs: its UTF-8 bytes, without framing (ca.md §3). */
  readonly name: string
  readonly subject: SubjectAltName
  readonly extensions: Partial<Record<FulcioExtensionName, string>>
  /** Written as extensions .1 and .8. */
  readonly issuer: string
}

/** Claims of a token whose signature, issuer, audience and times have been verified. */
export type Claims = Readonly<Record<string, JsonValue>>

/**
 * Claims that fit their issuer's kind. The subject is made later, since its refusals come after those of the proof (ca.md §4, order of checks).
 */
export interface Identity {
  readonly name: string
  /** Throws IDENTITY_SUBJECT_INVALID; the client sees its text. */
  principal(): Principal
}
