import { ABSENT, isSet, READY, variable, type AmbientProvider } from './provider.js'

/** The variable that a job's `id_tokens` should name: `<AUDIENCE>_ID_TOKEN`, as sigstore-python has it. `SIGSTORE_ID_TOKEN` for the usual audience. */
export function gitlabVariable(audience: string): string {
  return `${audience.toUpperCase().replace(/[^A-Z0-9_]|^[^A-Z_]/g, '_')}_ID_TOKEN`
}

/** GitLab CI/CD: the job's `id_tokens` puts a token into a variable. */
export const gitlab: AmbientProvider = {
  name: 'gitlab',
  async detect(outside, audience) {
    if (!isSet(outside, 'GITLAB_CI')) return ABSENT
    const name = gitlabVariable(audience)
    if (variable(outside, name) !== undefined) return READY
    return {
      state: 'lacks',
      what: `this job of GitLab has no ${name}`,
      hint: `Give the job \`id_tokens: {${name}: {aud: ${audience}}}\`.`,
    }
  },
  async token(outside, audience) {
    return variable(outside, gitlabVariable(audience))?.trim() ?? ''
  },
}
