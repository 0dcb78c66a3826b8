import { describe, expect, it } from '@jest/globals'
import { hexEncode } from '@touchmark/encoding'
import { randomBytes } from '@touchmark/crypto/node'
import { randomSerial } from './serial.js'

const from =
  (...start: number[]) =>
  (length: number) =>
    Uint8Array.from({ length }, (_, i) => start[i] ?? 0xaa)

describe('a serial number', () => {
  it('has its top bit cleared', () => expect(hexEncode(randomSerial(from(0xff)))).toBe('7f' + 'aa'.repeat(19)))
  it('drops octets that DER would not have in front, and keeps those it needs', () => {
    expect(hexEncode(randomSerial(from(0, 0x7f)))).toBe('7f' + 'aa'.repeat(18))
    expect(hexEncode(randomSerial(from(0, 0x80)))).toBe('0080' + 'aa'.repeat(18))
    expect(hexEncode(randomSerial(from(0x80, 0, 1)))).toBe('01' + 'aa'.repeat(17))
  })
  it('leaves the bytes of the source alone', () => {
    const pool = new Uint8Array(20).fill(0xff)
    randomSerial(() => pool)
    expect(pool[0]).toBe(0xff)
  })
  it('is not made from a source that is broken', () => {
    for (const source of [(n: number) => new Uint8Array(n), (n: number) => new Uint8Array(n - 1).fill(7)])
      expect(() => randomSerial(source)).toThrowCode('X509_PROFILE_INVALID')
    expect(() => randomSerial(from(...Array<number>(12).fill(0), 1))).toThrowCode('X509_PROFILE_INVALID')
  })
  it('is different each time: 100,000 of them (CA3)', () => {
    const seen = new Set<string>()
    for (let i = 0; i < 100_000; i++) seen.add(hexEncode(randomSerial(randomBytes)))
    expect(seen.size).toBe(100_000)
  })
  it('is spread over all its bits', () => {
    const ones = new Uint32Array(160)
    const draws = 4_000
    for (let i = 0; i < draws; i++) {
      const serial = randomSerial(randomBytes)
      const padded = new Uint8Array(20)
      padded.set(serial, 20 - serial.length)
      for (let bit = 0; bit < 160; bit++) ones[bit]! += (padded[bit >> 3]! >> (7 - (bit & 7))) & 1
    }
    expect(ones[0]).toBe(0)
    // Each other bit: 2000 of 4000 expected, 8 standard deviations (253) allowed.
    for (const count of ones.subarray(1)) expect(Math.abs(count - draws / 2)).toBeLessThan(253)
  })
})
