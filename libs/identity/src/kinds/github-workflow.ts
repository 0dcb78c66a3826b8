import { joinGoUrl, parseGoUrl, printGoUrl } from '../go/url.js'
import { requiredText } from './claims.js'
import type { IssuerKind } from './kind.js'
import { asSubject, uriSubject } from './uri-subject.js'

const GITHUB = parseGoUrl('https://github.com/')

/** A GitHub Actions workflow by the rules of before ci-provider (deprecated there, kept for files that name it). */
export const githubWorkflow: IssuerKind = ({ claims, iss, sub }) => {
  const jobWorkflowRef = requiredText(claims, 'job_workflow_ref')
  const sha = requiredText(claims, 'sha')
  const eventName = requiredText(claims, 'event_name')
  const repository = requiredText(claims, 'repository')
  const workflow = requiredText(claims, 'workflow')
  const ref = requiredText(claims, 'ref')
  const jobWorkflowSha = requiredText(claims, 'job_workflow_sha')
  const runnerEnvironment = requiredText(claims, 'runner_environment')
  const repositoryId = requiredText(claims, 'repository_id')
  const owner = requiredText(claims, 'repository_owner')
  const ownerId = requiredText(claims, 'repository_owner_id')
  const visibility = requiredText(claims, 'repository_visibility')
  const workflowRef = requiredText(claims, 'workflow_ref')
  const workflowSha = requiredText(claims, 'workflow_sha')
  const runId = requiredText(claims, 'run_id')
  const runAttempt = requiredText(claims, 'run_attempt')
  const join = (...parts: string[]): string => asSubject(() => printGoUrl(joinGoUrl(GITHUB, ...parts)))
  return {
    name: sub,
    principal: () => ({
      name: sub,
      subject: uriSubject(join(jobWorkflowRef)),
      issuer: iss,
      extensions: {
        githubWorkflowTrigger: eventName,
        githubWorkflowSha: sha,
        githubWorkflowName: workflow,
        githubWorkflowRepository: repository,
        githubWorkflowRef: ref,
        buildSignerUri: join(jobWorkflowRef),
        buildSignerDigest: jobWorkflowSha,
        runnerEnvironment,
        sourceRepositoryUri: join(repository),
        sourceRepositoryDigest: sha,
        sourceRepositoryRef: ref,
        sourceRepositoryIdentifier: repositoryId,
        sourceRepositoryOwnerUri: join(owner),
        sourceRepositoryOwnerIdentifier: ownerId,
        buildConfigUri: join(workflowRef),
        buildConfigDigest: workflowSha,
        buildTrigger: eventName,
        runInvocationUri: join(repository, 'actions/runs', runId, 'attempts', runAttempt),
        sourceRepositoryVisibilityAtSigning: visibility,
        tokenSubject: sub,
      },
    }),
  }
}
