import { describe, expect, it } from '@jest/globals'
import { hexDecode, hexEncode } from '@touchmark/encoding'
import { TlsReader, u16, u24, u64 } from './tls-bytes.js'

class Malformed extends Error {}
const reader = (hex: string): TlsReader =>
  new TlsReader(hexDecode(hex), (why) => {
    throw new Malformed(why)
  })

describe('a number of the TLS presentation language', () => {
  it('has its most significant octet first', () => {
    expect(hexEncode(u16(0x0102))).toBe('0102')
    expect(hexEncode(u24(0x010203))).toBe('010203')
    expect(hexEncode(u64(Number.MAX_SAFE_INTEGER))).toBe('001fffffffffffff')
    expect(hexEncode(u16(0))).toBe('0000')
    expect(hexEncode(u16(256))).toBe('0100')
  })
  it('is written when it fits, and never cut', () => {
    expect(hexEncode(u16(0xffff))).toBe('ffff')
    expect(hexEncode(u24(0xffffff))).toBe('ffffff')
    for (const write of [
      () => u16(0x10000),
      () => u24(0x1000000),
      () => u64(2 ** 53),
      () => u16(-1),
      () => u16(1.5),
      () => u16(Number.NaN),
    ])
      expect(write).toThrow(RangeError)
  })
})

describe('a reader', () => {
  it('gives what is there, in order', () => {
    const all = reader('01020304050607')
    expect([all.u8(), all.u16(), all.u24()]).toEqual([1, 0x0203, 0x040506])
    expect(all.done).toBe(false)
    expect(hexEncode(all.bytes(1))).toBe('07')
    expect(all.done).toBe(true)
    expect(() => all.end()).not.toThrow()
  })
  it('refuses to read behind the end, at the beginning and further on', () => {
    expect(() => reader('0102').bytes(3)).toThrow(Malformed)
    const second = reader('010203')
    second.u16()
    expect(() => second.u16()).toThrow(Malformed)
    expect(hexEncode(second.bytes(1))).toBe('03')
    expect(() => second.u8()).toThrow(Malformed)
    expect(second.bytes(0)).toHaveLength(0)
  })
  it('refuses an end that is none', () => expect(() => reader('00').end()).toThrow(Malformed))
  it('reads times up to the last one of a Date', () => {
    const last = 8_640_000_000_000_000
    expect(reader(hexEncode(u64(last))).timestamp()).toBe(last)
    expect(() => reader(hexEncode(u64(last + 1))).timestamp()).toThrow(Malformed)
  })
})
