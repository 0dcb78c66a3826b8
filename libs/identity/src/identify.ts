import type { IssuerConfig, IssuerConfiguration, IssuerType } from './config/issuer-config.js'
import { buildkiteJob } from './kinds/buildkite-job.js'
import { chainguardIdentity } from './kinds/chainguard-identity.js'
import { ciProvider } from './kinds/ci-provider.js'
import { optionalText, refuse } from './kinds/claims.js'
import { codefreshWorkflow } from './kinds/codefresh-workflow.js'
import { email } from './kinds/email.js'
import { githubWorkflow } from './kinds/github-workflow.js'
import { gitlabPipeline } from './kinds/gitlab-pipeline.js'
import type { IssuerKind } from './kinds/kind.js'
import { kubernetes } from './kinds/kubernetes.js'
import { spiffe } from './kinds/spiffe.js'
import { uri } from './kinds/uri.js'
import { username } from './kinds/username.js'
import type { Claims, Identity, Principal } from './principal.js'

const KINDS: Readonly<Record<IssuerType, IssuerKind>> = {
  email,
  uri,
  spiffe,
  username,
  kubernetes,
  'github-workflow': githubWorkflow,
  'gitlab-pipeline': gitlabPipeline,
  'buildkite-job': buildkiteJob,
  'codefresh-workflow': codefreshWorkflow,
  'chainguard-identity': chainguardIdentity,
  'ci-provider': ciProvider,
}

/**
 * Makes an identity of the claims of a verified token, by the rules of its issuer's kind (ca.md §5). `issuer` MUST be what findIssuer
 * answered for the token's own `iss`. Throws IDENTITY_CLAIMS_REFUSED; making the principal may throw IDENTITY_SUBJECT_INVALID.
 */
export function identify(claims: Claims, issuer: IssuerConfig, configuration: IssuerConfiguration): Identity {
  if (!Object.hasOwn(KINDS, issuer.type)) refuse(`issuers of type "${issuer.type}" are not supported`)
  const iss = optionalText(claims, 'iss')
  const sub = optionalText(claims, 'sub')
  if (iss === '') refuse('iss is missing')
  const kind = KINDS[issuer.type as IssuerType]
  const identity = kind({ claims, iss, sub, issuer, ciProviders: configuration.ciProviders })
  // The proof of possession is a signature over the name; over nothing it would prove nothing about this token. (Fulcio certifies a user name
  // token without `sub` as `!domain`.)
  if (identity.name === '') refuse('the token names nobody')
  return identity
}

/** {@link identify} and its principal in one step. */
export function principalOf(claims: Claims, issuer: IssuerConfig, configuration: IssuerConfiguration): Principal {
  return identify(claims, issuer, configuration).principal()
}
