import { TlogError } from './errors.js'
import { TILE_WIDTH } from './tiles.js'

/** Longest body an entry bundle can hold: its length is a u16. */
export const MAX_BUNDLE_ENTRY_BYTES = 65_535

/** Writes an entry bundle (log-v2.md §8): for each entry its length as a big-endian u16, then its body. Throws TLOG_ENTRY_BUNDLE_INVALID. */
export function encodeEntryBundle(bodies: readonly Uint8Array[]): Uint8Array {
  if (bodies.length > TILE_WIDTH) {
    throw new TlogError('TLOG_ENTRY_BUNDLE_INVALID', `a bundle has up to ${TILE_WIDTH} entries, not ${bodies.length}`)
  }
  const out = new Uint8Array(bodies.reduce((sum, body) => sum + 2 + body.length, 0))
  let offset = 0
  for (const body of bodies) {
    if (body.length > MAX_BUNDLE_ENTRY_BYTES) {
      throw new TlogError('TLOG_ENTRY_BUNDLE_INVALID', `an entry has ${body.length} bytes, more than a bundle can hold`)
    }
    out[offset] = body.length >> 8
    out[offset + 1] = body.length & 0xff
    out.set(body, offset + 2)
    offset += 2 + body.length
  }
  return out
}

/** Reads an entry bundle; the bodies are views of the given bytes. Throws TLOG_ENTRY_BUNDLE_INVALID when it ends early or has more than 256 entries. */
export function decodeEntryBundle(bytes: Uint8Array): Uint8Array[] {
  const bodies: Uint8Array[] = []
  let offset = 0
  while (offset < bytes.length) {
    if (bodies.length === TILE_WIDTH) {
      throw new TlogError('TLOG_ENTRY_BUNDLE_INVALID', `the bundle has more than ${TILE_WIDTH} entries`)
    }
    // A lone last byte is half a length: whatever it says, the entry ends beyond the bundle.
    const end = offset + 2 + ((bytes[offset]! << 8) | (bytes[offset + 1] ?? 0))
    if (end > bytes.length) throw new TlogError('TLOG_ENTRY_BUNDLE_INVALID', 'the bundle ends inside an entry')
    bodies.push(bytes.subarray(offset + 2, end))
    offset = end
  }
  return bodies
}
