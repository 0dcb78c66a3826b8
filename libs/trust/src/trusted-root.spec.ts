import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isCodedError } from '@touchmark/errors'
import { outsideVectors } from '../../../test/support/outside-vectors.mjs'
import { encodeTrustedRoot, isWithin, parseTrustedRoot, trustedRootFingerprint } from './index.js'
import { parseTime } from './time-range.js'

const clients = join(import.meta.dirname, '../../../test/vectors/clients')
const raw = readFileSync(join(clients, 'trusted_root.json'))
type Json = Record<string, any> // eslint-disable-line @typescript-eslint/no-explicit-any
const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
const changed = (change: (root: Json) => void): Uint8Array => {
  const root = JSON.parse(raw.toString()) as Json
  change(root)
  return bytesOf(root)
}
const hash = {
  hash: (_: string, ...parts: readonly Uint8Array[]) =>
    parts.reduce((h, p) => h.update(p), createHash('sha256')).digest(),
}

describe('parseTrustedRoot', () => {
  it('reads what the recorded clients used, and writes the same JSON', () => {
    const root = parseTrustedRoot(raw)
    expect(root.tlogs.map((log) => log.baseUrl)).toEqual(['http://localhost:7650', 'http://localhost:3300'])
    expect(root.tlogs[0]!.publicKey.keyDetails).toBe('PKIX_ECDSA_P256_SHA_256')
    expect(JSON.parse(encodeTrustedRoot(root))).toEqual(JSON.parse(raw.toString()))
  })

  const suite = outsideVectors('sigstore-conformance')
  const itReads = suite === undefined ? it.skip : it
  itReads('reads every root of sigstore-conformance (TOUCHMARK_VECTORS) but the one made wrong', () => {
    const folder = suite ?? ''
    const files = [
      join(folder, 'public-good.trusted_root.json'),
      ...readdirSync(join(folder, 'bundle-verify')).map((name) =>
        join(folder, 'bundle-verify', name, 'trusted_root.json'),
      ),
    ].filter((file) => existsSync(file))
    expect(files.length).toBeGreaterThan(20)
    for (const file of files) {
      const bytes = readFileSync(file)
      if (file.includes('missing-validity-start'))
        expect(() => parseTrustedRoot(bytes)).toThrowCode('TRUST_FIELD_MISSING')
      else {
        const root = parseTrustedRoot(bytes)
        expect(parseTrustedRoot(new TextEncoder().encode(encodeTrustedRoot(root)))).toEqual(root)
      }
    }
  })

  it.each<[string, (root: Json) => void]>([
    ['operator', (r) => (r['tlogs'][0].operator = 'example.org')],
    ['operator null', (r) => (r['tlogs'][0].operator = null)],
    ['checkpointKeyId', (r) => (r['tlogs'][0].checkpointKeyId = { keyId: 'AAAAAA==' })],
    ['enum numbers', (r) => (r['tlogs'][0].hashAlgorithm = 1)],
    ['end null', (r) => (r['tlogs'][0].publicKey.validFor.end = null)],
    ['no subject', (r) => delete r['certificateAuthorities'][0].subject],
    ['no CA uri', (r) => delete r['certificateAuthorities'][0].uri],
    ['no CA period', (r) => delete r['certificateAuthorities'][0].validFor],
    ['no TSA', (r) => delete r['timestampAuthorities']],
    ['no tlogs', (r) => delete r['tlogs']],
    ['the other media type', (r) => (r['mediaType'] = 'application/vnd.dev.sigstore.trustedroot.v0.2+json')],
    ['a log key that is no key', (r) => (r['ctlogs'][0].publicKey.rawBytes = 'AAAA')],
  ])('takes %s, as files in the field have it', (_name, change) => {
    expect(() => parseTrustedRoot(changed(change))).not.toThrow()
  })

  it.each<[string, string, (root: Json) => void]>([
    ['no media type', 'TRUST_MEDIA_TYPE_UNSUPPORTED', (r) => delete r['mediaType']],
    ['another media type', 'TRUST_MEDIA_TYPE_UNSUPPORTED', (r) => (r['mediaType'] += '2')],
    ['an unknown member', 'TRUST_JSON_INVALID', (r) => (r['x'] = 1)],
    ['an unknown enum name', 'TRUST_JSON_INVALID', (r) => (r['tlogs'][0].publicKey.keyDetails = 'PKIX_FOO')],
    ['an unknown enum number', 'TRUST_FIELD_INVALID', (r) => (r['tlogs'][0].publicKey.keyDetails = 99)],
    ['no key details', 'TRUST_FIELD_MISSING', (r) => delete r['tlogs'][0].publicKey.keyDetails],
    ['no hash algorithm', 'TRUST_FIELD_MISSING', (r) => delete r['ctlogs'][0].hashAlgorithm],
    ['no key', 'TRUST_FIELD_MISSING', (r) => delete r['tlogs'][0].publicKey],
    ['no key bytes', 'TRUST_FIELD_MISSING', (r) => delete r['tlogs'][0].publicKey.rawBytes],
    ['no log id', 'TRUST_FIELD_MISSING', (r) => delete r['tlogs'][0].logId],
    ['no period of a log', 'TRUST_FIELD_MISSING', (r) => delete r['tlogs'][0].publicKey.validFor],
    ['a period without a start', 'TRUST_FIELD_MISSING', (r) => (r['tlogs'][0].publicKey.validFor = {})],
    ['a CA period without a start', 'TRUST_FIELD_MISSING', (r) => (r['certificateAuthorities'][0].validFor = {})],
    [
      'a period that ends before it starts',
      'TRUST_FIELD_INVALID',
      (r) => (r['tlogs'][0].publicKey.validFor.end = '2001-01-01T00:00:00Z'),
    ],
    [
      'a time that is none',
      'TRUST_FIELD_INVALID',
      (r) => (r['tlogs'][0].publicKey.validFor.start = '2026-02-30T00:00:00Z'),
    ],
    [
      'an authority without certificates',
      'TRUST_FIELD_MISSING',
      (r) => (r['certificateAuthorities'][0].certChain = {}),
    ],
    [
      'an empty certificate',
      'TRUST_FIELD_MISSING',
      (r) => (r['certificateAuthorities'][0].certChain.certificates = [{}]),
    ],
  ])('refuses %s', (_name, code, change) => {
    expect(() => parseTrustedRoot(changed(change))).toThrowCode(code)
  })

  it('refuses repeated members, text after the value, and files over 1 MiB', () => {
    const text = raw.toString()
    expect(() => parseTrustedRoot(new TextEncoder().encode(text.replace('{', '{"tlogs":[],')))).toThrowCode(
      'TRUST_JSON_INVALID',
    )
    expect(() => parseTrustedRoot(new TextEncoder().encode(text + '{}'))).toThrowCode('TRUST_JSON_INVALID')
    expect(() => parseTrustedRoot(new Uint8Array(1024 * 1024 + 1))).toThrowCode('TRUST_TOO_LARGE')
  })

  it('gives a coded error or a root that it writes and reads again, for any bytes', () => {
    const check = (bytes: Uint8Array): void => {
      try {
        const root = parseTrustedRoot(bytes)
        expect(parseTrustedRoot(new TextEncoder().encode(encodeTrustedRoot(root)))).toEqual(root)
      } catch (error) {
        if (!isCodedError(error)) throw error
      }
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), check), { numRuns: 200 })
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(raw.length - 1), fc.nat(127)), { minLength: 1, maxLength: 3 }),
        (changes) => {
          const bytes = Uint8Array.from(raw)
          for (const [at, value] of changes) bytes[at] = value
          check(bytes)
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('trustedRootFingerprint', () => {
  it('does not depend on the layout of the file and does on what is trusted', () => {
    const of = (bytes: Uint8Array): string => trustedRootFingerprint(parseTrustedRoot(bytes), hash as never)
    expect(of(raw)).toMatch(/^[0-9a-f]{64}$/)
    expect(of(new TextEncoder().encode(JSON.stringify(JSON.parse(raw.toString()), null, 2)))).toBe(of(raw))
    expect(of(changed((r) => (r['tlogs'][0].publicKey.validFor.end = '2030-01-01T00:00:00Z')))).not.toBe(of(raw))
    expect(of(changed((r) => r['tlogs'].pop()))).not.toBe(of(raw))
  })
})

describe('periods', () => {
  it('include both ends and never grow by rounding', () => {
    const range = {
      start: parseTime('2026-01-01T00:00:00.0000001Z', 'up', 'x'),
      end: parseTime('2026-01-02T00:00:00.9999Z', 'down', 'x'),
    }
    expect(isWithin(new Date('2026-01-01T00:00:00.000Z'), range)).toBe(false)
    expect(isWithin(new Date('2026-01-01T00:00:00.001Z'), range)).toBe(true)
    expect(isWithin(new Date('2026-01-02T00:00:00.999Z'), range)).toBe(true)
    expect(isWithin(new Date('2026-01-02T00:00:01.000Z'), range)).toBe(false)
    expect(isWithin(new Date(0), undefined)).toBe(true)
  })

  it('reads offsets, and refuses what RFC 3339 does not have', () => {
    expect(parseTime('2026-01-01T01:30:00+01:30', 'up', 'x').toISOString()).toBe('2026-01-01T00:00:00.000Z')
    expect(parseTime('2025-12-31T23:00:00-01:00', 'up', 'x').toISOString()).toBe('2026-01-01T00:00:00.000Z')
    for (const bad of [
      '',
      '2026-01-01',
      '2026-01-01T00:00:00',
      '2026-13-01T00:00:00Z',
      '2026-01-01T24:00:00Z',
      '2026-01-01T00:60:00Z',
      '0026-01-01T00:00:00Z',
      '2026-01-01T00:00:00.Z',
      ' 2026-01-01T00:00:00Z',
    ])
      expect(() => parseTime(bad, 'up', 'x')).toThrowCode('TRUST_FIELD_INVALID')
  })
})
