import { IdentityError } from '../errors.js'
import { goHostname, parseGoUrl, type GoUrl } from '../go/url.js'
import { refuse } from './claims.js'
import type { IssuerKind } from './kind.js'
import { uriSubject } from './uri-subject.js'

/** A workload, by a URI below the domain of its issuer. */
export const uri: IssuerKind = ({ iss, sub, issuer }) => {
  const subject = parse(sub)
  const domain = parse(issuer.subjectDomain)
  // An e-mail address has no scheme, so this refuses it too.
  if (domain.scheme === '' || subject.scheme !== domain.scheme)
    refuse('the scheme of sub is not that of subject-domain')
  // Not case-folded: two spellings of one host would be two identities.
  if (goHostname(subject) !== goHostname(domain)) refuse('the host of sub is not that of subject-domain')
  return {
    name: sub,
    principal: () => ({ name: sub, subject: uriSubject(subject), extensions: { tokenSubject: sub }, issuer: iss }),
  }
}

function parse(text: string): GoUrl {
  try {
    return parseGoUrl(text)
  } catch (cause) {
    if (!(cause instanceof IdentityError)) throw cause
    throw new IdentityError('IDENTITY_CLAIMS_REFUSED', cause.message, { cause })
  }
}
