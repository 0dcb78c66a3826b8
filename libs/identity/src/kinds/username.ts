import { isEmailAddress } from '../email-address.js'
import { refuse } from './claims.js'
import type { IssuerKind } from './kind.js'

/** A user of a domain, written `sub!subject-domain`. */
export const username: IssuerKind = ({ iss, sub, issuer }) => {
  if (sub.includes('!')) refuse('sub has a !')
  if (isEmailAddress(sub)) refuse('sub is an e-mail address')
  const value = `${sub}!${issuer.subjectDomain}`
  return {
    name: sub,
    principal: () => ({
      name: sub,
      subject: { type: 'otherName', value },
      extensions: { tokenSubject: sub },
      issuer: iss,
    }),
  }
}
