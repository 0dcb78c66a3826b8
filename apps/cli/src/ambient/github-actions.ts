import { askService, memberOf } from './ask-service.js'
import { ABSENT, isSet, READY, variable, type AmbientProvider } from './provider.js'

const SERVICE = 'token service of GitHub Actions'

/** GitHub Actions: a token service whose address and bearer are in the environment of a job that may ask for tokens. */
export const githubActions: AmbientProvider = {
  name: 'github-actions',
  async detect(outside) {
    const complete =
      variable(outside, 'ACTIONS_ID_TOKEN_REQUEST_URL') !== undefined &&
      variable(outside, 'ACTIONS_ID_TOKEN_REQUEST_TOKEN') !== undefined
    if (complete) return READY
    if (!isSet(outside, 'GITHUB_ACTIONS')) return ABSENT
    return {
      state: 'lacks',
      what: 'this job of GitHub Actions may not ask for identity tokens',
      hint: 'Give the job `permissions: id-token: write`. Jobs for pull requests from forks never get it.',
    }
  },
  async token(outside, audience) {
    const base = variable(outside, 'ACTIONS_ID_TOKEN_REQUEST_URL') ?? ''
    const url = URL.canParse(base) ? new URL(base) : undefined
    url?.searchParams.set('audience', audience)
    const bearer = variable(outside, 'ACTIONS_ID_TOKEN_REQUEST_TOKEN') ?? ''
    const headers = { authorization: `bearer ${bearer}`, accept: 'application/json' }
    const answer = await askService(SERVICE, url?.href ?? '', { headers }, outside)
    return memberOf(SERVICE, answer, 'value')
  },
}
