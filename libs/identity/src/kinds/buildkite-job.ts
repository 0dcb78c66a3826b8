import { requiredText } from './claims.js'
import type { IssuerKind } from './kind.js'
import { uriSubject } from './uri-subject.js'

/** A Buildkite job by the rules of before ci-provider. */
export const buildkiteJob: IssuerKind = ({ claims, iss, sub }) => {
  const organization = requiredText(claims, 'organization_slug')
  const pipeline = requiredText(claims, 'pipeline_slug')
  const url = `https://buildkite.com/${organization}/${pipeline}`
  return {
    name: sub,
    principal: () => ({ name: sub, subject: uriSubject(url), extensions: { tokenSubject: sub }, issuer: iss }),
  }
}
