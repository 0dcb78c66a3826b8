import { joinGoUrl, parseGoUrl, printGoUrl } from '../go/url.js'
import { optionalText, requiredText } from './claims.js'
import type { IssuerKind } from './kind.js'
import { asSubject, uriSubject } from './uri-subject.js'

/** A Codefresh workflow by the rules of before ci-provider. */
export const codefreshWorkflow: IssuerKind = ({ claims, iss, sub }) => {
  const accountId = requiredText(claims, 'account_id')
  const pipelineId = requiredText(claims, 'pipeline_id')
  const workflowId = requiredText(claims, 'workflow_id')
  const accountName = optionalText(claims, 'account_name')
  const pipelineName = optionalText(claims, 'pipeline_name')
  const repository = optionalText(claims, 'scm_repo_url')
  const ref = optionalText(claims, 'scm_ref')
  const runnerEnvironment = optionalText(claims, 'runner_environment')
  const platform = optionalText(claims, 'platform_url') || 'https://g.codefresh.io'
  return {
    name: sub,
    principal: () =>
      asSubject(() => {
        const base = parseGoUrl(platform)
        const build = printGoUrl(joinGoUrl(base, 'build', workflowId))
        return {
          name: sub,
          subject: uriSubject(joinGoUrl(base, accountName, `${pipelineName}:${accountId}/${pipelineId}`)),
          issuer: iss,
          extensions: {
            buildSignerUri: build,
            runnerEnvironment,
            sourceRepositoryUri: repository,
            sourceRepositoryRef: ref,
            buildConfigUri: printGoUrl(joinGoUrl(base, 'api', 'pipelines', pipelineId)),
            runInvocationUri: build,
            tokenSubject: sub,
          },
        }
      }),
  }
}
