import { describe, expect, it } from '@jest/globals'
import { encodeSubjectAltName, readGeneralNames } from './general-names.js'

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
})
