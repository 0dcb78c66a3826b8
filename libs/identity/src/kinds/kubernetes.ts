import { optionalObject, requiredText } from './claims.js'
import type { IssuerKind } from './kind.js'
import { uriSubject } from './uri-subject.js'

/**
 * A service account. Fulcio takes a token without namespace or account and certifies `…/namespaces//serviceaccounts/`; both are required here.
 */
export const kubernetes: IssuerKind = ({ claims, iss, sub }) => {
  const cluster = optionalObject(claims, 'kubernetes.io')
  const namespace = requiredText(cluster, 'namespace')
  const account = requiredText(optionalObject(cluster, 'serviceaccount'), 'name')
  const url = `https://kubernetes.io/namespaces/${namespace}/serviceaccounts/${account}`
  return {
    name: sub,
    principal: () => ({ name: sub, subject: uriSubject(url), extensions: { tokenSubject: sub }, issuer: iss }),
  }
}
