import { equalBytes, utf8Decode, utf8Encode } from '@touchmark/encoding'
import { LedgerError } from '../errors.js'
import { sha256 } from '../sha256.js'
import type { GuardedHead } from './head-guard.js'

/** One slot: a page, so that a write that is cut short harms no other slot. */
export const SLOT_BYTES = 4096
/** Two slots, written in turn. */
export const RECORD_BYTES = 2 * SLOT_BYTES

const MAGIC = utf8Encode('TMGUARD1')
/** Magic, u64 size, u32 length of the note, then the checksum over these and the note. */
const PREFIX_BYTES = 20
const HEADER_BYTES = PREFIX_BYTES + 32
const MAX_NOTE_BYTES = SLOT_BYTES - HEADER_BYTES
const MAX_SIZE = (1n << 63n) - 1n

/** What a slot holds: a head, nothing yet, or something that was cut short or changed. */
export type Slot = GuardedHead | 'empty' | 'damaged'

/** The bytes of a slot; shorter than the slot. Throws LEDGER_GUARD_DAMAGED for a head that no slot can hold. */
export function encodeSlot({ size, note }: GuardedHead): Uint8Array {
  const text = utf8Encode(note)
  if (text.length === 0 || text.length > MAX_NOTE_BYTES || size < 0n || size > MAX_SIZE) {
    throw new LedgerError('LEDGER_GUARD_DAMAGED', `a checkpoint of ${text.length} bytes does not fit into the guard`)
  }
  const slot = new Uint8Array(HEADER_BYTES + text.length)
  const view = new DataView(slot.buffer)
  slot.set(MAGIC)
  view.setBigUint64(8, size)
  view.setUint32(16, text.length)
  slot.set(text, HEADER_BYTES)
  slot.set(checksum(slot), PREFIX_BYTES)
  return slot
}

/** Reads a slot; never throws. The length is checked before anything is taken from it. */
export function decodeSlot(bytes: Uint8Array): Slot {
  if (bytes.every((byte) => byte === 0)) return 'empty'
  if (bytes.length < HEADER_BYTES || !equalBytes(bytes.subarray(0, MAGIC.length), MAGIC)) return 'damaged'
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const size = view.getBigUint64(8)
  const length = view.getUint32(16)
  if (length === 0 || length > MAX_NOTE_BYTES || length > bytes.length - HEADER_BYTES || size > MAX_SIZE)
    return 'damaged'
  const slot = bytes.subarray(0, HEADER_BYTES + length)
  if (!equalBytes(checksum(slot), slot.subarray(PREFIX_BYTES, HEADER_BYTES))) return 'damaged'
  try {
    return { size, note: utf8Decode(slot.subarray(HEADER_BYTES)) }
  } catch {
    return 'damaged'
  }
}

/** The newest head of a record's two slots. `damaged` when neither can be believed: a record always has one, since the other is written over. */
export function decodeRecord(bytes: Uint8Array): { newest: GuardedHead; at: 0 | 1 } | 'damaged' {
  const slots = [decodeSlot(bytes.subarray(0, SLOT_BYTES)), decodeSlot(bytes.subarray(SLOT_BYTES, RECORD_BYTES))]
  const [first, second] = slots.map((slot) => (typeof slot === 'string' ? undefined : slot))
  if (first && (!second || first.size >= second.size)) return { newest: first, at: 0 }
  return second ? { newest: second, at: 1 } : 'damaged'
}

function checksum(slot: Uint8Array): Uint8Array {
  const summed = new Uint8Array(slot.length - 32)
  summed.set(slot.subarray(0, PREFIX_BYTES))
  summed.set(slot.subarray(HEADER_BYTES), PREFIX_BYTES)
  return sha256(summed)
}
