import { exists } from '../files.js'
import { ABSENT, variable, type AmbientOutside, type AmbientProvider } from './provider.js'
import { detectTokenFile, readTokenFile } from './token-file.js'

/** Kubernetes: a projected service account token in the file that TOUCHMARK_TOKEN_FILE names, else where cosign looks for it. */
export const kubernetes: AmbientProvider = {
  name: 'kubernetes',
  async detect(outside, audience) {
    const named = variable(outside, 'TOUCHMARK_TOKEN_FILE')
    if (named === undefined && !(await exists(outside.places.projectedToken).catch(() => true))) return ABSENT
    return detectTokenFile(pathOf(outside), audience)
  },
  token: (outside) => readTokenFile(pathOf(outside)),
}

function pathOf(outside: AmbientOutside): string {
  return variable(outside, 'TOUCHMARK_TOKEN_FILE') ?? outside.places.projectedToken
}
