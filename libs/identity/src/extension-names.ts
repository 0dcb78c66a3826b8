import type { FulcioExtensionName } from '@touchmark/x509'

/** An extension as the configuration file and Fulcio's error texts call it (ca.md §7), in the order of their numbers. */
export interface TemplatedExtension {
  readonly name: FulcioExtensionName
  readonly yamlName: string
  readonly goName: string
}

export const TEMPLATED_EXTENSIONS: readonly TemplatedExtension[] = [
  { name: 'githubWorkflowTrigger', yamlName: 'github-workflow-trigger', goName: 'GithubWorkflowTrigger' },
  { name: 'githubWorkflowSha', yamlName: 'github-workflow-sha', goName: 'GithubWorkflowSHA' },
  { name: 'githubWorkflowName', yamlName: 'github-workflow-name', goName: 'GithubWorkflowName' },
  { name: 'githubWorkflowRepository', yamlName: 'github-workflow-repository', goName: 'GithubWorkflowRepository' },
  { name: 'githubWorkflowRef', yamlName: 'github-workflow-ref', goName: 'GithubWorkflowRef' },
  { name: 'buildSignerUri', yamlName: 'build-signer-uri', goName: 'BuildSignerURI' },
  { name: 'buildSignerDigest', yamlName: 'build-signer-digest', goName: 'BuildSignerDigest' },
  { name: 'runnerEnvironment', yamlName: 'runner-environment', goName: 'RunnerEnvironment' },
  { name: 'sourceRepositoryUri', yamlName: 'source-repository-uri', goName: 'SourceRepositoryURI' },
  { name: 'sourceRepositoryDigest', yamlName: 'source-repository-digest', goName: 'SourceRepositoryDigest' },
  { name: 'sourceRepositoryRef', yamlName: 'source-repository-ref', goName: 'SourceRepositoryRef' },
  {
    name: 'sourceRepositoryIdentifier',
    yamlName: 'source-repository-identifier',
    goName: 'SourceRepositoryIdentifier',
  },
  { name: 'sourceRepositoryOwnerUri', yamlName: 'source-repository-owner-uri', goName: 'SourceRepositoryOwnerURI' },
  {
    name: 'sourceRepositoryOwnerIdentifier',
    yamlName: 'source-repository-owner-identifier',
    goName: 'SourceRepositoryOwnerIdentifier',
  },
  { name: 'buildConfigUri', yamlName: 'build-config-uri', goName: 'BuildConfigURI' },
  { name: 'buildConfigDigest', yamlName: 'build-config-digest', goName: 'BuildConfigDigest' },
  { name: 'buildTrigger', yamlName: 'build-trigger', goName: 'BuildTrigger' },
  { name: 'runInvocationUri', yamlName: 'run-invocation-uri', goName: 'RunInvocationURI' },
  {
    name: 'sourceRepositoryVisibilityAtSigning',
    yamlName: 'source-repository-visibility-at-signing',
    goName: 'SourceRepositoryVisibilityAtSigning',
  },
  { name: 'deploymentEnvironment', yamlName: 'deployment-environment', goName: 'DeploymentEnvironment' },
]
