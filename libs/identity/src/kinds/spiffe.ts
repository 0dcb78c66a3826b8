import { parseTrustDomain, trustDomainOfId } from '../spiffe-id.js'
import { refuse } from './claims.js'
import type { IssuerKind } from './kind.js'
import { uriSubject } from './uri-subject.js'

/** A workload, by a SPIFFE ID in the issuer's trust domain. */
export const spiffe: IssuerKind = ({ iss, sub, issuer }) => {
  const domain = trustDomainOfId(sub)
  if (domain === undefined) refuse('sub is not a SPIFFE ID')
  if (domain !== parseTrustDomain(issuer.spiffeTrustDomain)) refuse('sub is of another trust domain')
  return {
    name: sub,
    principal: () => ({ name: sub, subject: uriSubject(sub), extensions: { tokenSubject: sub }, issuer: iss }),
  }
}
