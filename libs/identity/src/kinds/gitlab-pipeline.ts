import { joinGoUrl, parseGoUrl, printGoUrl } from '../go/url.js'
import { optionalText, refuse, requiredText } from './claims.js'
import type { IssuerKind } from './kind.js'
import { asSubject, uriSubject } from './uri-subject.js'

const GITLAB = parseGoUrl('https://gitlab.com/')

/** A GitLab pipeline by the rules of before ci-provider; its host is always gitlab.com. */
export const gitlabPipeline: IssuerKind = ({ claims, iss, sub }) => {
  const project = requiredText(claims, 'project_path')
  const source = requiredText(claims, 'pipeline_source')
  requiredText(claims, 'pipeline_id')
  const configUri = requiredText(claims, 'ci_config_ref_uri')
  const jobId = requiredText(claims, 'job_id')
  const shortRef = requiredText(claims, 'ref')
  const refType = requiredText(claims, 'ref_type')
  const namespace = requiredText(claims, 'namespace_path')
  const namespaceId = requiredText(claims, 'namespace_id')
  const projectId = requiredText(claims, 'project_id')
  const sha = requiredText(claims, 'sha')
  const runnerEnvironment = requiredText(claims, 'runner_environment')
  const configSha = optionalText(claims, 'ci_config_sha')
  const visibility = optionalText(claims, 'project_visibility')
  if (!Number.isSafeInteger(claims['runner_id']) || claims['runner_id'] === 0) refuse('the claim runner_id is missing')
  if (refType !== 'branch' && refType !== 'tag') refuse('the claim ref_type is neither branch nor tag')
  const ref = `refs/${refType === 'branch' ? 'heads' : 'tags'}/${shortRef}`
  const join = (...parts: string[]): string => asSubject(() => printGoUrl(joinGoUrl(GITLAB, ...parts)))
  return {
    name: sub,
    principal: () => {
      const subject = uriSubject({ ...asSubject(() => parseGoUrl(configUri)), scheme: 'https' })
      return {
        name: sub,
        subject,
        issuer: iss,
        extensions: {
          buildSignerUri: subject.value,
          buildSignerDigest: configSha,
          runnerEnvironment,
          sourceRepositoryUri: join(project),
          sourceRepositoryDigest: sha,
          sourceRepositoryRef: ref,
          sourceRepositoryIdentifier: projectId,
          sourceRepositoryOwnerUri: join(namespace),
          sourceRepositoryOwnerIdentifier: namespaceId,
          buildConfigUri: subject.value,
          buildConfigDigest: configSha,
          buildTrigger: source,
          runInvocationUri: join(project, '/-/jobs/', jobId),
          sourceRepositoryVisibilityAtSigning: visibility,
          tokenSubject: sub,
        },
      }
    },
  }
}
