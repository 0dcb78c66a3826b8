import { describe, expect, it } from '@jest/globals'
import { utf8Encode } from '@touchmark/encoding'
import fc from 'fast-check'
import { ipText } from './certificate-names.js'
import { pgpAddresses } from './pgp-addresses.js'

describe('ipText', () => {
  it('writes addresses as RFC 5952 does, and mapped ones as IPv4', () => {
    const six = (text: string): Uint8Array => Uint8Array.from(text.match(/../g)!.map((byte) => parseInt(byte, 16)))
    expect(ipText(Uint8Array.of(192, 0, 2, 7))).toBe('192.0.2.7')
    expect(ipText(six('20010db8000000000000000000000001'))).toBe('2001:db8::1')
    expect(ipText(six('00000000000000000000000000000000'))).toBe('::')
    expect(ipText(six('20010db8000000010001000100010001'))).toBe('2001:db8:0:1:1:1:1:1')
    expect(ipText(six('20010000000000010000000000000001'))).toBe('2001:0:0:1::1')
    expect(ipText(six('00000000000000000000ffffc0000207'))).toBe('192.0.2.7')
    expect(ipText(six('ff020000000000000000000000000000'))).toBe('ff02::')
    expect(ipText(Uint8Array.of(1, 2, 3))).toBeUndefined()
  })
})

describe('pgpAddresses', () => {
  const userId = (text: string): Uint8Array => Uint8Array.of(0xcd, text.length, ...utf8Encode(text))

  it('reads user ids in packets of every form', () => {
    expect(pgpAddresses(userId('Ada <ada@example.com>'))).toEqual(['ada@example.com'])
    expect(pgpAddresses(userId('ada@example.com'))).toEqual(['ada@example.com'])
    expect(pgpAddresses(userId('Ada Lovelace'))).toEqual([])
    expect(pgpAddresses(Uint8Array.of(0xb4, 7, ...utf8Encode('a@b.org')))).toEqual(['a@b.org'])
    expect(pgpAddresses(Uint8Array.of(0xcd, 0xff, 0, 0, 0, 7, ...utf8Encode('a@b.org')))).toEqual(['a@b.org'])
    expect(pgpAddresses(Uint8Array.of(...userId('x@y.org'), ...userId('<z@y.org>')))).toEqual(['x@y.org', 'z@y.org'])
  })

  it('ends at a packet that is longer than the key', () => {
    expect(pgpAddresses(Uint8Array.of(...userId('x@y.org'), 0xcd, 200))).toEqual(['x@y.org'])
    expect(pgpAddresses(Uint8Array.of(0xcd, 0xff, 0xff, 0xff, 0xff, 0xff, 0x41))).toEqual([])
  })

  it('takes any bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        (bytes) => void expect(Array.isArray(pgpAddresses(bytes))).toBe(true),
      ),
    )
  })
})
