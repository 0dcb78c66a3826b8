import { askService, memberOf } from './ask-service.js'
import { ABSENT, isSet, READY, variable, type AmbientProvider } from './provider.js'
import { findTool, runTool } from './run-tool.js'

const SERVICE = 'agent API of Buildkite'
const ENDPOINT = 'https://agent.buildkite.com/v3'
const TOOL = 'buildkite-agent'

/** Buildkite: the agent API, as cosign asks it; where the job has no agent token, the agent's own command. */
export const buildkiteAgent: AmbientProvider = {
  name: TOOL,
  async detect(outside) {
    if (variable(outside, 'BUILDKITE_AGENT_ACCESS_TOKEN') !== undefined && jobOf(outside) !== undefined) return READY
    if (!isSet(outside, 'BUILDKITE')) return ABSENT
    if ((await findTool(TOOL, outside)) !== undefined) return READY
    return {
      state: 'lacks',
      what: 'this job of Buildkite has neither BUILDKITE_AGENT_ACCESS_TOKEN nor the command buildkite-agent',
      hint: 'In a container, pass BUILDKITE_AGENT_ACCESS_TOKEN and BUILDKITE_JOB_ID on to it.',
    }
  },
  async token(outside, audience) {
    const secret = variable(outside, 'BUILDKITE_AGENT_ACCESS_TOKEN')
    const job = jobOf(outside)
    if (secret === undefined || job === undefined)
      return runTool(TOOL, ['oidc', 'request-token', '--audience', audience], outside)
    const endpoint = (variable(outside, 'BUILDKITE_AGENT_ENDPOINT') ?? ENDPOINT).replace(/\/+$/, '')
    const init = {
      method: 'POST',
      headers: { authorization: `Token ${secret}`, 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ audience }),
    }
    const answer = await askService(SERVICE, `${endpoint}/jobs/${job}/oidc/tokens`, init, outside)
    return memberOf(SERVICE, answer, 'token')
  },
}

/** The job's id; it becomes part of an address, so it must look like one. */
function jobOf(outside: Parameters<AmbientProvider['detect']>[0]): string | undefined {
  const job = variable(outside, 'BUILDKITE_JOB_ID')
  return job !== undefined && /^[\w-]{1,100}$/.test(job) ? job : undefined
}
