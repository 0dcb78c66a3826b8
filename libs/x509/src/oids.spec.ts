import { describe, expect, it } from '@jest/globals'
import { decodeOid, encodeOid, hexDecode } from '@touchmark/encoding'
import { EXTENSION_OID, PURPOSE_OID, readOid } from './oids.js'

describe('an object identifier', () => {
  const known = [...Object.values(EXTENSION_OID), ...Object.values(PURPOSE_OID), '2.5.4.3', '1.3.6.1.4.1.57264.1.24']
  it.each(known)('%s is read as such', (dotted) => expect(readOid(encodeOid(dotted))).toBe(dotted))

  it('is never taken for a known one of the same length and last number', () => {
    for (const dotted of known) {
      const content = encodeOid(dotted)
      for (let at = 0; at < content.length - 1; at++) {
        const other = Uint8Array.from(content)
        other[at]! ^= 1
        expect(readOid(other)).toBe(decodeOid(other))
        expect(readOid(other)).not.toBe(dotted)
      }
    }
  })
  it.each(['', '80', '2a80'])('is refused when it is none: "%s"', (hex) => {
    expect(() => readOid(hexDecode(hex))).toThrowCode('DER_INVALID')
  })
})
