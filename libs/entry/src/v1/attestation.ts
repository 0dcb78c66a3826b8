import type { Envelope } from './envelope.js'
import type { KindEntry } from './canonicalise.js'

/** The reference's default (`max_attestation_size`): what base64 decoding could give counts, so 102,399 bytes are kept and 102,400 are not. */
const MAX_ATTESTATION_BYTES = 102_400

/** What is kept beside an in-toto entry: its payload, when that is not too large. */
export function keptBeside({ payload }: Envelope): Omit<KindEntry, 'body'> {
  const fits = payload.length > 0 && Math.ceil(payload.length / 3) * 3 <= MAX_ATTESTATION_BYTES
  return fits ? { attestation: payload } : {}
}
