import { isEmailAddress } from '../email-address.js'
import { IdentityError } from '../errors.js'
import { formatValue } from '../go/format.js'
import { readJsonPath } from '../json-path.js'
import { emailVerified, refuse, requiredText } from './claims.js'
import type { IssuerKind } from './kind.js'

/** A person, by an e-mail address that the issuer has verified. */
export const email: IssuerKind = ({ claims, iss, sub, issuer }) => {
  const verified = emailVerified(claims)
  const address = requiredText(claims, 'email')
  if (!verified && !issuer.skipEmailVerification) refuse('the e-mail address is not verified')
  if (!isEmailAddress(address)) refuse('the claim email is not an e-mail address')
  // A broker (Dex) issues for others: the claim then names who really vouches.
  const upstream = issuer.issuerClaim === undefined ? iss : readJsonPath(issuer.issuerClaim, claims)
  if (upstream === undefined) return refuse('the issuer-claim leads to nothing')
  const named = formatValue(upstream)
  return {
    name: address,
    principal() {
      if (named === '') {
        throw new IdentityError('IDENTITY_SUBJECT_INVALID', 'extensions must have a non-empty issuer url')
      }
      return {
        name: address,
        subject: { type: 'email', value: address },
        extensions: { tokenSubject: sub },
        issuer: named,
      }
    },
  }
}
