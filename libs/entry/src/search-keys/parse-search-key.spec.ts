import { describe, expect, it } from '@jest/globals'
import { nodeCrypto } from '@touchmark/crypto/node'
import { isCodedError } from '@touchmark/errors'
import fc from 'fast-check'
import { MAX_SEARCH_TEXT, parseSearchKey } from './parse-search-key.js'
import { SEARCH_KINDS, searchKey } from './search-key.js'

const sha256 = (bytes: Uint8Array): Uint8Array => nodeCrypto.hash('SHA2_256', bytes)
const value = (kind: (typeof SEARCH_KINDS)[number], text: string): string => parseSearchKey(kind, text, sha256).value

describe('parseSearchKey', () => {
  it('reads a digest with and without its algorithm', () => {
    for (const [algorithm, length] of [
      ['sha1', 40],
      ['sha256', 64],
      ['sha384', 96],
      ['sha512', 128],
    ] as const) {
      const hex = 'Ab'.repeat(length / 2)
      expect(value('digest', hex)).toBe(`${algorithm}:${hex.toLowerCase()}`)
      expect(value('digest', `${algorithm.toUpperCase()}:${hex}`)).toBe(`${algorithm}:${hex.toLowerCase()}`)
      expect(() => value('digest', `${algorithm}:${hex}00`)).toThrowCode('ENTRY_SEARCH_INVALID')
    }
    for (const text of ['', 'ab', 'md5:' + 'a'.repeat(32), 'sha256:' + 'g'.repeat(64), `sha256:${'a'.repeat(64)}\n`])
      expect(() => value('digest', text)).toThrowCode('ENTRY_SEARCH_INVALID')
  })

  it('reads the hash of a key, and a serial number', () => {
    const hex = 'AB'.repeat(32)
    expect(value('publicKey', hex)).toBe(hex.toLowerCase())
    expect(value('publicKey', `SHA256:${hex}`)).toBe(hex.toLowerCase())
    expect(() => value('publicKey', hex.slice(2))).toThrowCode('ENTRY_SEARCH_INVALID')
    expect(value('serial', '00:AB:c')).toBe('0abc')
    for (const text of ['', ':', 'ab:', '::', 'x', 'ab cd', 'a'.repeat(200)])
      expect(() => value('serial', text)).toThrowCode('ENTRY_SEARCH_INVALID')
  })

  it('takes any name, to a length', () => {
    expect(value('identity', 'Dev@Example.com')).toBe('dev@example.com')
    expect(value('issuer', 'x'.repeat(MAX_SEARCH_TEXT))).toMatch(/^sha256~/)
    expect(() => value('identity', 'x'.repeat(MAX_SEARCH_TEXT + 1))).toThrowCode('ENTRY_SEARCH_INVALID')
    expect(() => value('identity', '')).toThrowCode('ENTRY_SEARCH_INVALID')
  })

  it('gives one spelling or a refusal for any text', () => {
    fc.assert(
      fc.property(fc.constantFrom(...SEARCH_KINDS), fc.string({ unit: 'binary', maxLength: 200 }), (kind, text) => {
        try {
          const key = parseSearchKey(kind, text, sha256)
          expect(searchKey(kind, key.value, sha256)).toEqual(key)
        } catch (error) {
          expect(isCodedError(error) && error.code).toBe('ENTRY_SEARCH_INVALID')
        }
      }),
      { numRuns: 1000 },
    )
  })
})
