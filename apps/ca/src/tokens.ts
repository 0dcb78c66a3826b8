import type { IssuerConfiguration } from '@touchmark/identity'

/** Injection tokens; interfaces are gone at run time. */
export const CERTIFICATE_REQUESTS = Symbol('CERTIFICATE_REQUESTS')
export const CA_FACTS = Symbol('CA_FACTS')

/** What the CA tells about itself. */
export interface CaFacts {
  /** PEM of each chain's certificates, the issuing CA first, the root last, each with its newline at the end. */
  readonly chainsPem: readonly (readonly string[])[]
  readonly configuration: IssuerConfiguration
}

export const CA_REPORT = Symbol('CA_REPORT')

/** Told of every error that is the CA's own fault, with the id that the client can quote. */
export type CaReport = (error: unknown, context: { readonly requestId: string }) => void
