import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { nodeCrypto } from '@touchmark/crypto/node'
import { utf8Decode, utf8Encode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import fc from 'fast-check'
import { decodeV1Extra, encodeV1Extra } from './extra.js'
import { canonicaliseV1, parseV1IndexQuery, parseV1Request, parseV1RetrieveQuery, type ProposedEntry } from './index.js'
import { readJson } from './json.js'
import { parsePemKey } from './pem-key.js'

const NUM_RUNS = Number(process.env['FUZZ_RUNS'] ?? 300)

interface Vector {
  request: { body?: string }
  response: { status: number }
}
const read = (file: string): Vector[] =>
  JSON.parse(readFileSync(join(process.cwd(), 'test/vectors/rekor-v1', `${file}.json`), 'utf8')) as Vector[]
const accepted = ['hashedrekord', 'dsse', 'intoto', 'rekord', 'rfc3161']
  .flatMap(read)
  .filter(({ response }) => response.status === 201)
  .map(({ request }) => utf8Encode(request.body!))
const queries = ['retrieve', 'index'].flatMap(read).map(({ request }) => utf8Encode(request.body ?? ''))

/** Bytes, some of them recorded ones with a few turned. */
const bytesLike = (seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> =>
  fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map((text) => utf8Encode(text)),
    fc
      .tuple(
        fc.constantFrom(...seeds),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { maxLength: 4 }),
      )
      .map(([seed, flips]) => {
        const bytes = seed.slice()
        for (const [at, by] of flips) if (bytes.length > 0) bytes[at % bytes.length]! ^= by
        return bytes
      }),
    fc.tuple(fc.constantFrom(...seeds), fc.nat()).map(([seed, cut]) => seed.slice(0, cut % (seed.length + 1))),
  )

function codedOrValue<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (isCodedError(error)) return undefined
    throw error
  }
}

/** Any signature is right: what is behind the check is fuzzed too. */
const believing = { ...nodeCrypto, verify: () => true, verifyDigest: () => true }

describe('any bytes', () => {
  it.each(['submit', 'query'] as const)(
    'as an entry to %s: refused with a code, or canonical and stable',
    (purpose) => {
      fc.assert(
        fc.property(bytesLike(accepted), fc.boolean(), (bytes, believe) => {
          const crypto = believe ? believing : nodeCrypto
          const entry = codedOrValue(() => canonicaliseV1(parseV1Request(bytes), purpose, crypto))
          if (entry === undefined) return
          const text = utf8Decode(entry.body)
          const { kind, apiVersion, spec } = JSON.parse(text) as { kind: string; apiVersion: string; spec: object }
          expect([kind, apiVersion]).toEqual([entry.kind, entry.version])
          expect(Object.keys(JSON.parse(text) as object)).toEqual(['apiVersion', 'kind', 'spec'])
          // The canonical form of these says all, and is its own canonical form.
          if (kind === 'rekord') return
          const again = canonicaliseV1(
            { kind: entry.kind, version: apiVersion, spec } as ProposedEntry,
            'query',
            crypto,
          )
          expect(utf8Decode(again.body)).toBe(text)
        }),
        { numRuns: NUM_RUNS },
      )
    },
  )

  it('as a query: refused with a code, or within its limits', () => {
    fc.assert(
      fc.property(bytesLike(queries), (bytes) => {
        const retrieve = codedOrValue(() => parseV1RetrieveQuery(bytes))
        if (retrieve !== undefined) {
          const { entryIds, indexes, entries } = retrieve
          expect(entryIds.length + indexes.length + entries.length).toBeLessThanOrEqual(10)
        }
        const index = codedOrValue(() => parseV1IndexQuery(bytes, nodeCrypto))
        if (index !== undefined) expect(index.keys.length).toBeLessThanOrEqual(4)
      }),
      { numRuns: NUM_RUNS },
    )
  })

  it('as what is kept beside an entry: refused with a code, or read', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const extra = codedOrValue(() => decodeV1Extra(bytes))
        if (extra !== undefined) expect(extra.attestation?.length ?? 0).toBeLessThanOrEqual(bytes.length)
      }),
      { numRuns: NUM_RUNS },
    )
  })

  it('as the PEM of a key: refused with a code, or with a canonical form that is its own', () => {
    const pems = accepted
      .map((bytes) => JSON.parse(utf8Decode(bytes)) as { spec?: { signature?: { publicKey: { content: string } } } })
      .flatMap(({ spec }) => spec?.signature?.publicKey.content ?? [])
      .map((content) => new Uint8Array(Buffer.from(content, 'base64')))
    const sent = (bytes: Uint8Array) => ({ bytes, text: Buffer.from(bytes).toString('base64') })
    fc.assert(
      fc.property(bytesLike(pems), (bytes) => {
        const key = codedOrValue(() => parsePemKey(sent(bytes)))
        if (key === undefined) return
        const canonical = new Uint8Array(Buffer.from(key.canonical, 'base64'))
        expect(parsePemKey(sent(canonical)).canonical).toBe(key.canonical)
      }),
      { numRuns: NUM_RUNS },
    )
  })
})

describe('what is kept beside an entry', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.option(fc.uint8Array()), (integratedTime, kept) => {
        const extra = { integratedTime, ...(kept === null ? {} : { attestation: kept }) }
        expect(decodeV1Extra(encodeV1Extra(extra))).toEqual(extra)
      }),
    )
  })

  it.each([
    ['nothing', undefined],
    ['seven bytes', new Uint8Array(7)],
    ['a record without its length', Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0)],
    ['a record that is cut off', Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 2, 9)],
  ])('refuses %s', (_, bytes) => expect(() => decodeV1Extra(bytes)).toThrowCode('ENTRY_BODY_INVALID'))

  it('leaves records of a later release alone', () => {
    const bytes = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 7, 9, 0, 0, 0, 1, 5)
    expect(decodeV1Extra(bytes)).toEqual({ integratedTime: 7n })
  })
})

describe('JSON that costs more than it says', () => {
  const text = (json: string) => () => readJson(utf8Encode(json))
  it.each([
    ['nested too deep', '['.repeat(65) + ']'.repeat(65)],
    ['too many values', `[${'0,'.repeat(20_001)}0]`],
    ['too many empty objects', `[${'{},'.repeat(11_000)}{}]`],
    ['a string without an end', '{"a":"b'],
    ['a string that ends escaped', '{"a":"b\\"'],
    ['an object without an end', '{"a":1'],
    ['more than one value', '{} {}'],
    ['no JSON', '{a}'],
  ])('is refused: %s', (_, json) => expect(text(json)).toThrowCode('ENTRY_V1_JSON'))

  it('is refused before it is parsed when it has more strings than values can have', () => {
    expect(text('"'.repeat(100_000))).toThrow('too many values')
  })

  it('may have a name and a text for every value', () => {
    const members = Array.from({ length: 20_000 }, (_, i) => `"${i}":"\\"\\\\"`)
    expect(Object.keys(readJson(utf8Encode(`{${members.join(',')}}`)) as object)).toHaveLength(20_000)
  })

  it('is refused when it is not UTF-8', () => {
    expect(() => readJson(Uint8Array.of(0x22, 0xff, 0x22))).toThrowCode('ENTRY_V1_JSON')
  })

  it('takes strings whose content looks like JSON', () => {
    const inner = JSON.stringify({ a: '['.repeat(100), b: '\\' })
    expect(readJson(utf8Encode(JSON.stringify({ envelope: inner })))).toEqual({ envelope: inner })
  })
})
