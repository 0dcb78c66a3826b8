import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { decodeEntryBundle, encodeEntryBundle } from './entry-bundle.js'

describe('entry bundles', () => {
  it('hold empty and longest entries', () => {
    const bodies = [new Uint8Array(0), new Uint8Array(65_535).fill(7), Uint8Array.of(1, 2, 3)]
    const bytes = encodeEntryBundle(bodies)
    expect(bytes.slice(0, 4)).toEqual(Uint8Array.of(0, 0, 0xff, 0xff))
    expect(decodeEntryBundle(bytes)).toEqual(bodies)
  })

  it('refuse an entry of 65,536 bytes', () => {
    expect(() => encodeEntryBundle([new Uint8Array(65_536)])).toThrowCode('TLOG_ENTRY_BUNDLE_INVALID')
  })

  it('refuse a 257th entry, written or read', () => {
    const bodies = Array.from({ length: 257 }, () => new Uint8Array(0))
    expect(() => encodeEntryBundle(bodies)).toThrowCode('TLOG_ENTRY_BUNDLE_INVALID')
    expect(decodeEntryBundle(new Uint8Array(2 * 256))).toHaveLength(256)
    expect(() => decodeEntryBundle(new Uint8Array(2 * 257))).toThrowCode('TLOG_ENTRY_BUNDLE_INVALID')
  })

  it('are refused when they end inside a length or an entry', () => {
    expect(() => decodeEntryBundle(Uint8Array.of(0))).toThrowCode('TLOG_ENTRY_BUNDLE_INVALID')
    expect(() => decodeEntryBundle(Uint8Array.of(0, 2, 9))).toThrowCode('TLOG_ENTRY_BUNDLE_INVALID')
  })

  it('any bytes are refused, or encode to themselves', () => {
    const small = fc.array(fc.uint8Array({ maxLength: 6 }), { maxLength: 8 }).map((bodies) => encodeEntryBundle(bodies))
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), small), fc.nat(8), (whole, cut) => {
        const bytes = whole.slice(0, Math.max(0, whole.length - (cut < 4 ? 0 : cut - 4)))
        let bodies: Uint8Array[]
        try {
          bodies = decodeEntryBundle(bytes)
        } catch (error) {
          expect((error as { code?: string }).code).toBe('TLOG_ENTRY_BUNDLE_INVALID')
          return
        }
        expect(encodeEntryBundle(bodies)).toEqual(bytes)
      }),
      { numRuns: 500 },
    )
  })
})
