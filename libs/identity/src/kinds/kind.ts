import type { IssuerConfig, IssuerConfiguration } from '../config/issuer-config.js'
import type { Claims, Identity } from '../principal.js'

/** A verified token and what the configuration says about its issuer. */
export interface IdentityInput {
  readonly claims: Claims
  /** The token's `iss`. */
  readonly iss: string
  /** The token's `sub`, or the empty string. */
  readonly sub: string
  readonly issuer: IssuerConfig
  readonly ciProviders: IssuerConfiguration['ciProviders']
}

/** Makes an identity of claims. Throws IDENTITY_CLAIMS_REFUSED. */
export type IssuerKind = (input: IdentityInput) => Identity
