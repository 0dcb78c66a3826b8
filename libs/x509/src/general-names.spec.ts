import { describe, expect, it } from '@jest/globals'
import { derElement, derSequence, hexDecode } from '@touchmark/encoding'
import { encodeSubjectAltName, isSubjectAltName, readGeneralNames } from './general-names.js'

describe('a name in a certificate', () => {
  it('has the characters of ASCII, the last one too, and no others', () => {
    const name = { type: 'email', value: 'a\u007f@example.com' } as const
    expect(readGeneralNames(encodeSubjectAltName(name)).names).toEqual([name])
    expect(() => encodeSubjectAltName({ ...name, value: 'a\u0080@example.com' })).toThrowCode('X509_SAN_NOT_IA5')
  })

  it('of a person at a domain may have any', () => {
    const name = { type: 'otherName', value: 'ä!example.com' } as const
    expect(readGeneralNames(encodeSubjectAltName(name)).names).toEqual([name])
  })

  it('is the one that is asked for, in kind and text', () => {
    const name = { type: 'email', value: 'a@example.com' } as const
    const written = encodeSubjectAltName(name)
    expect(isSubjectAltName(written, name)).toBe(true)
    expect(isSubjectAltName(written, { ...name, type: 'uri' })).toBe(false)
    expect(isSubjectAltName(written, { ...name, value: 'b@example.com' })).toBe(false)
  })
})

describe('the kinds of names (RFC 5280 §4.2.1.6)', () => {
  const read = (tag: number) => readGeneralNames(derSequence(derElement(tag, hexDecode('0500'))))

  it.each([0x82, 0xa3, 0xa4, 0xa5, 0x87, 0x88])('%i is kept as it is', (tag) => {
    const { names, unknown } = read(tag)
    expect(names).toEqual([])
    expect(unknown.map((one) => one.tag)).toEqual([tag])
  })
  it.each([0x80, 0xa1, 0xa2, 0x83, 0x84, 0x85, 0xa6, 0xa7, 0xa8, 0x89, 0xa9, 0x0c, 0x30])('%i is none', (tag) => {
    expect(() => read(tag)).toThrowCode('DER_INVALID')
  })
  it('an otherName of another type holds exactly one value', () => {
    const otherName = (inner: string) => derSequence(derElement(0xa0, hexDecode(`06022a03${inner}`)))
    expect(readGeneralNames(otherName('a0020500')).unknown).toHaveLength(1)
    for (const inner of ['a000', 'a00405000500', 'a00205000500', ''])
      expect(() => readGeneralNames(otherName(inner))).toThrowCode('DER_INVALID')
  })
})
