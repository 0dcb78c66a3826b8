import type { IssuerConfig, IssuerConfiguration } from './config/issuer-config.js'

/** An `iss` longer than this is nobody's; it bounds the work of matching. */
const MAX_ISSUER_LENGTH = 2048

const patterns = new WeakMap<IssuerConfig, RegExp>()

/** Each `*` stands for one or more of `-_a-zA-Z0-9`: no dot, no slash. Anchored at both ends (GHSA-59jp-pj84-45mr). */
function patternOf(issuer: IssuerConfig): RegExp {
  let pattern = patterns.get(issuer)
  if (pattern === undefined) {
    const literals = issuer.url.split('*').map((literal) => literal.replace(/[\\^$.|?*+()[\]{}/-]/g, '\\$&'))
    pattern = new RegExp(`^${literals.join('[-_a-zA-Z0-9]+')}$`)
    patterns.set(issuer, pattern)
  }
  return pattern
}

/**
 * The issuer that a token's `iss` belongs to: exactly equal to a fixed one, else the first wildcard that matches the whole of it
 * (ca.md §5.2; Fulcio takes any of several). No normalisation: case, port, trailing slash and user info count.
 */
export function findIssuer(configuration: IssuerConfiguration, iss: string): IssuerConfig | undefined {
  if (iss === '' || iss.length > MAX_ISSUER_LENGTH) return undefined
  return (
    configuration.issuers.find((issuer) => !issuer.wildcard && issuer.url === iss) ??
    configuration.issuers.find((issuer) => issuer.wildcard && patternOf(issuer).test(iss))
  )
}
