import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { parseStatement } from '@touchmark/bundle'
import { utf8Decode, utf8Encode } from '@touchmark/encoding'
import { buildStatement, PREDICATE_TYPES, predicateTypeUri, readPredicate } from './statement.js'
import { testContext, type TestContext } from './testing/context.js'

let context: TestContext
let file: string
beforeEach(async () => {
  context = await testContext()
  file = join(context.folder, 'predicate.json')
})
afterEach(() => context.remove())

const ARTIFACT = utf8Encode('artifact')
const build = (predicate: string, name = '/some/where/app.tar.gz'): string =>
  utf8Decode(buildStatement(name, ARTIFACT, 'slsaprovenance1', utf8Encode(predicate)))

describe('predicateTypeUri', () => {
  it('knows the short names of the contract, and takes URIs', () => {
    expect(predicateTypeUri('slsaprovenance1')).toBe('https://slsa.dev/provenance/v1')
    for (const uri of Object.values(PREDICATE_TYPES)) expect(predicateTypeUri(uri)).toBe(uri)
    expect(predicateTypeUri('urn:example:x')).toBe('urn:example:x')
  })

  it.each(['', 'word', 'constructor', '__proto__', 'toString', 'https:', 'a b:c', 'http://x y'])(
    'refuses %j',
    (type) => {
      expect(() => predicateTypeUri(type)).toThrowCode('CLI_USAGE')
    },
  )
})

describe('buildStatement', () => {
  it('writes a statement about the file, in the order of the contract', () => {
    expect(build('{"a":1}')).toBe(
      '{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"app.tar.gz","digest":{"sha256":"c7c5c1d70c5dec4416ab6158afd0b223ef40c29b1dc1f97ed9428b94d4cadb1c"}}],"predicateType":"https://slsa.dev/provenance/v1","predicate":{"a":1}}',
    )
  })

  it('does not write a number or an escape anew', () => {
    expect(build(' {"n":12345678901234567890.10e+2,"t":"\\u003c"}\n')).toContain(
      '"predicate":{"n":12345678901234567890.10e+2,"t":"\\u003c"}}',
    )
  })

  it('makes a statement of any file name and any predicate', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1 }),
        fc.dictionary(fc.string(), fc.jsonValue()),
        (name, predicate) => {
          const text = build(JSON.stringify(predicate), `/x/${name.replaceAll('/', '_')}`)
          expect(parseStatement(utf8Encode(text)).subjects).toHaveLength(1)
        },
      ),
    )
  })
})

describe('readPredicate', () => {
  it('reads an object', async () => {
    writeFileSync(file, '{"a":[1]}')
    expect(utf8Decode(await readPredicate(file))).toBe('{"a":[1]}')
  })

  it.each(['', '[]', 'null', '"text"', '5', '{} {}', '{"a":1,"a":2}', "{'a':1}", '\ufeff{}', '{"a":NaN}', '{"a":}'])(
    'refuses %j',
    async (text) => {
      writeFileSync(file, text)
      await expect(readPredicate(file)).rejects.toThrowCode('CLI_USAGE')
    },
  )

  it('refuses bytes that are not UTF-8, endless nesting, and what is not there', async () => {
    writeFileSync(file, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))
    await expect(readPredicate(file)).rejects.toThrowCode('CLI_USAGE')
    writeFileSync(file, '{"a":'.repeat(10_000))
    await expect(readPredicate(file)).rejects.toThrowCode('CLI_USAGE')
    await expect(readPredicate(`${file}.none`)).rejects.toThrowCode('CLI_FILE_UNREADABLE')
  })
})
