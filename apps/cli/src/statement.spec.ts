import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { parseStatement } from '@touchmark/bundle'
import { equalBytes, utf8Decode, utf8Encode } from '@touchmark/encoding'
import { spacedPredicate } from './attest/predicate-text.js'
import { buildStatement, PREDICATE_TYPES, predicateTypeUri, type Subject } from './statement.js'

const subject = (name: string): Subject => ({ name, algorithm: 'SHA2_256', digest: new Uint8Array(32).fill(0xab) })
const build = (predicate: string, ...names: string[]): Uint8Array =>
  buildStatement(names.map(subject), PREDICATE_TYPES['slsaprovenance1']!, utf8Encode(predicate))

describe('predicateTypeUri', () => {
  it('knows the short names of the contract, and takes URIs', () => {
    expect(predicateTypeUri('slsaprovenance1')).toBe('https://slsa.dev/provenance/v1')
    expect(predicateTypeUri('spdx')).toBe(predicateTypeUri('spdxjson'))
    expect(predicateTypeUri('slsaprovenance')).toBe('https://slsa.dev/provenance/v0.2')
    for (const uri of Object.values(PREDICATE_TYPES)) expect(predicateTypeUri(uri)).toBe(uri)
    expect(predicateTypeUri('urn:example:x')).toBe('urn:example:x')
  })

  it.each(['', 'word', 'constructor', '__proto__', 'toString', 'https:', 'a b:c', 'http://x y', 'slsaprovenance2'])(
    'refuses %j',
    (type) => {
      expect(() => predicateTypeUri(type)).toThrowCode('CLI_USAGE')
    },
  )
})

describe('buildStatement', () => {
  it('writes a statement in the order of the contract', () => {
    expect(utf8Decode(build('{"a":1}', 'app.tar.gz', 'b'))).toBe(
      `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"app.tar.gz","digest":{"sha256":"${'ab'.repeat(32)}"}},{"name":"b","digest":{"sha256":"${'ab'.repeat(32)}"}}],"predicateType":"https://slsa.dev/provenance/v1","predicate":{"a":1}}`,
    )
  })

  it('names a digest as in-toto does', () => {
    const statement = (algorithm: Subject['algorithm']): string =>
      utf8Decode(buildStatement([{ name: 'x', algorithm, digest: Uint8Array.of(1) }], 'urn:x', utf8Encode('{}')))
    expect(statement('SHA2_384')).toContain('{"sha384":"01"}')
    expect(statement('SHA2_512')).toContain('{"sha512":"01"}')
  })

  it('writes no number, escape or space of the predicate anew', () => {
    const predicate = ' {"n":12345678901234567890.10e+2,"t":"\\u003c"}\n'
    expect(utf8Decode(build(predicate, 'a'))).toContain(`"predicate":${predicate}}`)
  })

  it('makes a statement of any name and predicate, and gives the same bytes back', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1 }),
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.constantFrom('', ' ', '\n', '\t\r\n '),
        (name, value, space) => {
          const predicate = `${space}${JSON.stringify(value, undefined, space.length)}${space}`
          const statement = build(predicate, name)
          expect(parseStatement(statement).subjects).toHaveLength(1)
          expect(equalBytes(spacedPredicate(statement)!, utf8Encode(predicate))).toBe(true)
        },
      ),
    )
  })
})
