import { ABSENT, isSet, READY, variable, type AmbientProvider } from './provider.js'
import { findTool, runTool } from './run-tool.js'
import { audiencesOf } from './token-file.js'

const TOOL = 'circleci'

/**
 * CircleCI: the token of the job when it is for our audience (it names the organization unless the job says otherwise), else the command of the job's
 * machine, which makes one by the issuer that all organizations share, as sigstore-python has it.
 */
export const circleci: AmbientProvider = {
  name: TOOL,
  async detect(outside, audience) {
    if (!isSet(outside, 'CIRCLECI')) return ABSENT
    if (fitting(outside, audience) !== undefined || (await findTool(TOOL, outside)) !== undefined) return READY
    return {
      state: 'lacks',
      what: `this job of CircleCI has no command circleci, and no CIRCLE_OIDC_TOKEN_V2 for the audience "${audience}"`,
      hint: 'Run it in an executor of CircleCI, where the command is in the PATH.',
    }
  },
  async token(outside, audience) {
    const claims = JSON.stringify({ aud: audience })
    return (
      fitting(outside, audience) ?? runTool(TOOL, ['run', 'oidc', 'get', '--claims', claims, '--root-issuer'], outside)
    )
  },
}

function fitting(outside: Parameters<AmbientProvider['detect']>[0], audience: string): string | undefined {
  const token = variable(outside, 'CIRCLE_OIDC_TOKEN_V2')?.trim()
  return token !== undefined && audiencesOf(token)?.includes(audience) === true ? token : undefined
}
