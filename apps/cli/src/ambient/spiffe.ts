import { ABSENT, variable, type AmbientProvider } from './provider.js'
import { fileProvider } from './token-file.js'

const FILE = 'TOUCHMARK_SPIFFE_JWT_FILE'
const file = fileProvider('spiffe', FILE)

/** SPIFFE: a JWT-SVID in a file, as spiffe-helper keeps it. The Workload API (gRPC over a local socket) is not spoken. */
export const spiffe: AmbientProvider = {
  ...file,
  async detect(outside, audience) {
    const detected = await file.detect(outside, audience)
    if (detected.state !== 'absent' || variable(outside, 'SPIFFE_ENDPOINT_SOCKET') === undefined) return detected
    if (variable(outside, FILE) !== undefined) return ABSENT
    return {
      state: 'lacks',
      what: 'there is a SPIFFE Workload API, and no JWT-SVID in a file',
      hint: `Have spiffe-helper write a JWT-SVID for the audience "${audience}" to a file, and name it with ${FILE}.`,
    }
  },
}
