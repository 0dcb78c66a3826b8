import { object, text, time, type Schema } from './parts.js'

/** Predicate `https://cosign.sigstore.dev/attestation/v1`: what `--type custom` wraps a file in. */
export const cosignCustom: Schema = object({ Data: text, Timestamp: time }, ['Data', 'Timestamp'])
