import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export type Json = Record<string, any> // eslint-disable-line @typescript-eslint/no-explicit-any

const bundles = join(import.meta.dirname, '../../../../test/vectors/clients/bundles')

/** A recorded bundle as JSON: a message, or an attestation. */
export const sample = (): Json => recorded('cosign3.v1.blob.json')
export const attestation = (): Json => recorded('cosign3.v2.att.json')

function recorded(name: string): Json {
  return JSON.parse(readFileSync(join(bundles, name), 'utf8')) as Json
}

export const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

/** The bytes of a recorded bundle with a change made to it. */
export function changed(change: (bundle: Json) => void, base = sample): Uint8Array {
  const bundle = base()
  change(bundle)
  return bytesOf(bundle)
}

export const materialOf = (bundle: Json): Json => bundle['verificationMaterial'] as Json
export const entryOf = (bundle: Json): Json => materialOf(bundle)['tlogEntries'][0] as Json
