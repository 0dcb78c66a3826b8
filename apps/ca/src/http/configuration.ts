import type { JsonValue } from '@touchmark/encoding'
import type { IssuerConfiguration } from '@touchmark/identity'

/** The answer of `/api/v2/configuration`: every issuer with all its keys, fixed ones first, in the order of the file. */
export function configurationAnswer(configuration: IssuerConfiguration): JsonValue {
  const fixed = configuration.issuers.filter((issuer) => !issuer.wildcard)
  const wildcard = configuration.issuers.filter((issuer) => issuer.wildcard)
  return {
    issuers: [...fixed, ...wildcard].map((issuer) => ({
      [issuer.wildcard ? 'wildcardIssuerUrl' : 'issuerUrl']: issuer.url,
      audience: issuer.clientId,
      challengeClaim: issuer.challengeClaim,
      spiffeTrustDomain: issuer.spiffeTrustDomain,
      issuerType: issuer.type,
      subjectDomain: issuer.subjectDomain,
      skipEmailVerification: issuer.skipEmailVerification,
    })),
  }
}
