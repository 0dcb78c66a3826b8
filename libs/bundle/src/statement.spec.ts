import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { hexEncode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { pae, parseStatement } from './index.js'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const statement = {
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ name: 'a', digest: { sha256: 'aa'.repeat(32), other: 'not hex' } }],
  predicateType: 'https://example.org/p',
  predicate: { deep: [1] },
}
const of = (change: object): Uint8Array => encode(JSON.stringify({ ...statement, ...change }))

describe('pae', () => {
  it('is the example of the DSSE specification', () => {
    const text = new TextDecoder().decode(pae('http://example.com/HelloWorld', encode('hello world')))
    expect(text).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world')
  })

  it('counts bytes, not characters', () => {
    expect(new TextDecoder().decode(pae('é', encode('ü')))).toBe('DSSEv1 2 é 2 ü')
    expect(new TextDecoder().decode(pae('', new Uint8Array(0)))).toBe('DSSEv1 0  0 ')
  })
})

describe('parseStatement', () => {
  it('reads subjects, digests and predicate', () => {
    const read = parseStatement(of({ unknown: 1 }))
    expect(read.subjects[0]!.name).toBe('a')
    expect(hexEncode(read.subjects[0]!.digest.get('sha256')!)).toBe('aa'.repeat(32))
    expect(read.subjects[0]!.digest.has('other')).toBe(false)
    expect(read.predicateType).toBe('https://example.org/p')
    expect(
      parseStatement(of({ _type: 'https://in-toto.io/Statement/v0.1', predicate: undefined })).predicate,
    ).toBeUndefined()
  })

  it.each([
    ['no JSON', encode('{')],
    ['a list', encode('[]')],
    ['another type', of({ _type: 'https://in-toto.io/Statement/v2' })],
    ['no type', of({ _type: undefined })],
    ['no predicate type', of({ predicateType: undefined })],
    ['an empty predicate type', of({ predicateType: '' })],
    ['no subject', of({ subject: undefined })],
    ['an empty list of subjects', of({ subject: [] })],
    ['a subject without digest', of({ subject: [{ name: 'a' }] })],
    ['a subject that is a string', of({ subject: ['a'] })],
    ['a digest that is a number', of({ subject: [{ digest: { sha256: 5 } }] })],
    ['a name that is a number', of({ subject: [{ name: 5, digest: {} }] })],
    ['too many subjects', of({ subject: new Array(4097).fill({ digest: {} }) })],
    [
      'too many digests',
      of({ subject: [{ digest: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`a${i}`, 'aa'])) }] }),
    ],
    ['a repeated member', encode(JSON.stringify(statement).replace('{', '{"subject":[],'))],
    ['a byte order mark', new Uint8Array([0xef, 0xbb, 0xbf, ...of({})])],
  ])('refuses %s', (_name, payload) => {
    expect(() => parseStatement(payload)).toThrowCode('BUNDLE_STATEMENT_INVALID')
  })

  it('gives a coded error or a statement for any bytes', () => {
    const check = (bytes: Uint8Array): void => {
      try {
        parseStatement(bytes)
      } catch (error) {
        if (!isCodedError(error)) throw error
      }
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), check), { numRuns: 300 })
    fc.assert(
      fc.property(fc.constantFrom('_type', 'subject', 'predicateType', 'predicate'), fc.jsonValue(), (name, value) =>
        check(of({ [name]: value })),
      ),
      { numRuns: 300 },
    )
  })
})
