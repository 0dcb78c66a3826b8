import { joinGoUrl, parseGoUrl } from '../go/url.js'
import { emailVerified, optionalObject, optionalText, refuse } from './claims.js'
import type { IssuerKind } from './kind.js'
import { asSubject, uriSubject } from './uri-subject.js'

/** A Chainguard identity. The proof is over what the clients sign: a verified `email` where there is one, else `sub`. */
export const chainguardIdentity: IssuerKind = ({ claims, iss, sub }) => {
  const actor = optionalObject(claims, 'act')
  for (const name of Object.keys(actor)) optionalText(actor, name)
  const verified = emailVerified(claims)
  const address = optionalText(claims, 'email')
  if (address !== '' && !verified) refuse('the e-mail address is not verified')
  const name = address === '' ? sub : address
  if (name === '') refuse('neither email nor sub is there')
  return {
    name,
    principal: () => ({
      name,
      subject: uriSubject(asSubject(() => joinGoUrl(parseGoUrl(iss), sub))),
      extensions: { tokenSubject: sub },
      issuer: iss,
    }),
  }
}
