import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { SLOT_BYTES, decodeRecord, decodeSlot, encodeSlot } from './record.js'

const head = fc.record({
  size: fc.bigInt(0n, (1n << 63n) - 1n),
  note: fc.string({ minLength: 1, maxLength: 900 }).filter((text) => text.isWellFormed()),
})

function record(...slots: (Uint8Array | undefined)[]): Uint8Array {
  const bytes = new Uint8Array(2 * SLOT_BYTES)
  for (const [i, slot] of slots.entries()) if (slot) bytes.set(slot, i * SLOT_BYTES)
  return bytes
}

describe('a slot of the guard', () => {
  it('is read as it was written', () => {
    fc.assert(fc.property(head, (one) => expect(decodeSlot(encodeSlot(one))).toEqual(one)))
  })

  it('with any bit turned is damaged', () => {
    fc.assert(
      fc.property(head, fc.nat(), (one, at) => {
        const bytes = encodeSlot(one)
        const bit = at % (bytes.length * 8)
        bytes[bit >> 3]! ^= 1 << (bit & 7)
        expect(decodeSlot(bytes)).toBe('damaged')
      }),
    )
  })

  it('that is cut short anywhere is damaged, and nothing at all is empty', () => {
    const bytes = encodeSlot({ size: 7n, note: 'a note\n' })
    for (let length = 1; length < bytes.length; length++) expect(decodeSlot(bytes.subarray(0, length))).toBe('damaged')
    expect(decodeSlot(new Uint8Array(SLOT_BYTES))).toBe('empty')
  })

  it('of any bytes is a head that is written the same, or none', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.tuple(head, fc.uint8Array({ maxLength: 60 }), fc.nat(300)).map(([one, noise, at]) => {
        const slot = encodeSlot(one)
        slot.set(noise.subarray(0, Math.max(0, slot.length - at)), Math.min(at, slot.length))
        return slot
      }),
    )
    fc.assert(
      fc.property(bytes, (some) => {
        const slot = decodeSlot(some)
        if (typeof slot === 'string') return
        const again = encodeSlot(slot)
        expect(Buffer.from(some.subarray(0, again.length)).equals(again)).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })

  it('holds no head that is too long, too large or empty', () => {
    for (const [size, note] of [
      [1n, 'x'.repeat(SLOT_BYTES)],
      [1n << 63n, 'x'],
      [-1n, 'x'],
      [1n, ''],
    ] as const) {
      expect(() => encodeSlot({ size, note })).toThrowCode('LEDGER_GUARD_DAMAGED')
    }
  })
})

describe('a record of the guard', () => {
  const older = { size: 5n, note: 'older\n' }
  const newer = { size: 6n, note: 'newer\n' }

  it('is the newer of its slots, whichever that is', () => {
    expect(decodeRecord(record(encodeSlot(older), encodeSlot(newer)))).toEqual({ newest: newer, at: 1 })
    expect(decodeRecord(record(encodeSlot(newer), encodeSlot(older)))).toEqual({ newest: newer, at: 0 })
    expect(decodeRecord(record(encodeSlot(older)))).toEqual({ newest: older, at: 0 })
  })

  it('whose newer slot was cut short is the older one', () => {
    const torn = encodeSlot(newer)
    torn.fill(0, 30)
    expect(decodeRecord(record(encodeSlot(older), torn))).toEqual({ newest: older, at: 0 })
    expect(decodeRecord(record(torn, encodeSlot(older)))).toEqual({ newest: older, at: 1 })
  })

  it('with no slot that can be believed is damaged, an empty one too', () => {
    const torn = encodeSlot(newer).fill(0, 30)
    expect(decodeRecord(record(torn, torn))).toBe('damaged')
    expect(decodeRecord(record(torn))).toBe('damaged')
    expect(decodeRecord(record())).toBe('damaged')
  })
})
