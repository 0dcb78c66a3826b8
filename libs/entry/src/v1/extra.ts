import { EntryError } from '../errors.js'

/** What a log of API v1 keeps beside an entry and does not hash (its `extra`). */
export interface V1Extra {
  /** Seconds since 1970, signed in every SET of the entry. */
  readonly integratedTime: bigint
  /** The payload of an in-toto entry, served back with it. */
  readonly attestation?: Uint8Array
}

const ATTESTATION = 1
const TIME_BYTES = 8
const RECORD_HEAD_BYTES = 5

/** 8 bytes of time, big-endian; then records: one byte of kind, four of length, the bytes. */
export function encodeV1Extra({ integratedTime, attestation }: V1Extra): Uint8Array {
  const record = attestation === undefined ? 0 : RECORD_HEAD_BYTES + attestation.length
  const out = new Uint8Array(TIME_BYTES + record)
  const view = new DataView(out.buffer)
  view.setBigUint64(0, integratedTime)
  if (attestation !== undefined) {
    view.setUint8(TIME_BYTES, ATTESTATION)
    view.setUint32(TIME_BYTES + 1, attestation.length)
    out.set(attestation, TIME_BYTES + RECORD_HEAD_BYTES)
  }
  return out
}

/** Reads it back; records of a later release are left alone. Throws ENTRY_BODY_INVALID: a log wrote it, so something is broken. */
export function decodeV1Extra(extra: Uint8Array | undefined): V1Extra {
  if (extra === undefined || extra.length < TIME_BYTES) return broken('it has no time')
  const view = new DataView(extra.buffer, extra.byteOffset, extra.byteLength)
  const integratedTime = view.getBigUint64(0)
  let attestation: Uint8Array | undefined
  for (let at = TIME_BYTES; at < extra.length;) {
    if (extra.length - at < RECORD_HEAD_BYTES) return broken('a record is cut off')
    const end = at + RECORD_HEAD_BYTES + view.getUint32(at + 1)
    if (end > extra.length) return broken('a record is cut off')
    if (view.getUint8(at) === ATTESTATION) attestation = extra.subarray(at + RECORD_HEAD_BYTES, end)
    at = end
  }
  return { integratedTime, ...(attestation === undefined ? {} : { attestation }) }
}

function broken(why: string): never {
  throw new EntryError('ENTRY_BODY_INVALID', `not what is kept beside an entry of API v1: ${why}`)
}
