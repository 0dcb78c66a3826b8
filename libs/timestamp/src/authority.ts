import type { Certificate } from '@touchmark/x509'

/** One trusted timestamp authority: the item of a trusted root. */
export interface TimestampAuthority {
  /** The one certificate that may sign. */
  readonly leaf: Certificate
  readonly intermediates: readonly Certificate[]
  readonly root: Certificate
  /** Both ends are inclusive; an end that is absent is open. */
  readonly validFor?: { readonly start?: Date; readonly end?: Date }
}
