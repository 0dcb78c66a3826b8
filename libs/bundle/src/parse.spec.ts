import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isCodedError } from '@touchmark/errors'
import { BUNDLE_LIMITS, encodeBundle, parseBundle } from './index.js'
import { base64Encode } from '@touchmark/encoding'

const bundles = join(import.meta.dirname, '../../../test/vectors/clients/bundles')
const names = readdirSync(bundles).filter(
  (name) => /^(cosign|js|python).*(att|blob)\.json$/.test(name) && !name.includes('legacy'),
)
const read = (name: string): Uint8Array => readFileSync(join(bundles, name))
type Json = Record<string, any> // eslint-disable-line @typescript-eslint/no-explicit-any

const sample = (): Json => JSON.parse(read('cosign3.v1.blob.json').toString()) as Json
const attestation = (): Json => JSON.parse(read('cosign3.v2.att.json').toString()) as Json
const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
const changed = (change: (bundle: Json) => void, base = sample): Uint8Array => {
  const bundle = base()
  change(bundle)
  return bytesOf(bundle)
}
const entryOf = (bundle: Json): Json => bundle['verificationMaterial'].tlogEntries[0] as Json

describe('parseBundle on what real clients write', () => {
  it('has the recorded bundles', () => {
    expect(names.length).toBeGreaterThan(25)
  })

  it.each(names)('reads %s, and what it writes is read the same', (name) => {
    const bundle = parseBundle(read(name))
    const text = encodeBundle(bundle)
    expect(parseBundle(new TextEncoder().encode(text))).toEqual(bundle)
    expect(encodeBundle(parseBundle(new TextEncoder().encode(text)))).toBe(text)
  })

  it('writes the bytes that cosign wrote', () => {
    for (const name of names.filter((one) => one.startsWith('cosign3') && !one.includes('first-entry'))) {
      const compact = JSON.stringify(JSON.parse(read(name).toString()))
      expect(encodeBundle(parseBundle(read(name)))).toBe(compact)
    }
  })

  it('writes log index and hashes of the first entry of a tree, which sigstore-python needs', () => {
    const text = encodeBundle(parseBundle(read('cosign3.first-entry.blob.json')))
    const entry = entryOf(JSON.parse(text) as Json)
    expect(entry).toMatchObject({ logIndex: '0', inclusionProof: { logIndex: '0', hashes: [] } })
  })

  it('reads and writes version 0.1 without a proof, and refuses a proof that has no checkpoint', () => {
    const old = (change: (entry: Json) => void): string => {
      const bytes = changed((b) => {
        b['mediaType'] = 'application/vnd.dev.sigstore.bundle+json;version=0.1'
        change(entryOf(b))
      })
      const text = encodeBundle(parseBundle(bytes))
      expect(text).toBe(new TextDecoder().decode(bytes))
      return text
    }
    expect(old((entry) => delete entry['inclusionProof'])).not.toContain('inclusionProof')
    expect(() => old((entry) => delete entry['inclusionProof'].checkpoint)).toThrowCode('BUNDLE_FIELD_MISSING')
  })

  it('writes no timestamps where there are none', () => {
    const bundle = parseBundle(read('js.v1.notsa.att.json'))
    expect(bundle.timestamps).toEqual([])
    expect(encodeBundle(bundle)).not.toContain('timestampVerificationData')
  })

  it('takes null for absent, int64 as a number, and integratedTime zero for none', () => {
    const bundle = parseBundle(
      changed((b) => {
        entryOf(b)['inclusionPromise'] = null
        entryOf(b)['logIndex'] = Number(entryOf(b)['logIndex'])
        entryOf(b)['integratedTime'] = '0'
      }),
    )
    expect(bundle.tlogEntries[0]!.inclusionPromise).toBeUndefined()
    expect(bundle.tlogEntries[0]!.integratedTime).toBeUndefined()
  })

  it('keeps a keyid, and leaves an empty one out', () => {
    const withId = parseBundle(changed((b) => (b['dsseEnvelope'].signatures[0].keyid = 'k'), attestation))
    expect(encodeBundle(withId)).toContain('"keyid":"k"')
    const without = parseBundle(changed((b) => (b['dsseEnvelope'].signatures[0].keyid = ''), attestation))
    expect(encodeBundle(without)).not.toContain('keyid')
  })
})

describe('parseBundle refuses', () => {
  const cases: [string, string, Uint8Array][] = [
    ['an empty file', 'BUNDLE_JSON_INVALID', new Uint8Array(0)],
    ['a file that was cut off', 'BUNDLE_JSON_INVALID', read('cosign3.v1.blob.json').subarray(0, 900)],
    ['a list', 'BUNDLE_FIELD_INVALID', bytesOf([])],
    ['null', 'BUNDLE_FIELD_INVALID', bytesOf(null)],
    ['a byte order mark', 'BUNDLE_JSON_INVALID', new Uint8Array([0xef, 0xbb, 0xbf, ...bytesOf(sample())])],
    ['text after the bundle', 'BUNDLE_JSON_INVALID', new TextEncoder().encode(JSON.stringify(sample()) + '{}')],
    [
      'a repeated member',
      'BUNDLE_JSON_INVALID',
      new TextEncoder().encode(JSON.stringify(sample()).replace('{', '{"mediaType":"x",')),
    ],
    ['a byte that is not UTF-8', 'BUNDLE_JSON_INVALID', new Uint8Array([0x22, 0xff, 0x22])],
    ['no media type', 'BUNDLE_FIELD_MISSING', changed((b) => delete b['mediaType'])],
    [
      'version 0.4',
      'BUNDLE_MEDIA_TYPE_UNSUPPORTED',
      changed((b) => (b['mediaType'] = 'application/vnd.dev.sigstore.bundle.v0.4+json')),
    ],
    [
      'a media type of the prototype',
      'BUNDLE_MEDIA_TYPE_UNSUPPORTED',
      changed((b) => (b['mediaType'] = 'constructor')),
    ],
    ['an unknown member', 'BUNDLE_FIELD_UNKNOWN', changed((b) => (b['x'] = 1))],
    ['an unknown member of an entry', 'BUNDLE_FIELD_UNKNOWN', changed((b) => (entryOf(b)['x'] = 1))],
    ['an unknown member of a proof', 'BUNDLE_FIELD_UNKNOWN', changed((b) => (entryOf(b)['inclusionProof'].x = 1))],
    [
      'snake_case names',
      'BUNDLE_FIELD_UNKNOWN',
      new TextEncoder().encode(JSON.stringify(sample()).replace('mediaType', 'media_type')),
    ],
    ['no verification material', 'BUNDLE_FIELD_MISSING', changed((b) => delete b['verificationMaterial'])],
    ['no certificate and no key', 'BUNDLE_FIELD_MISSING', changed((b) => delete b['verificationMaterial'].certificate)],
    [
      'a certificate and a key',
      'BUNDLE_VERSION_RULE',
      changed((b) => (b['verificationMaterial'].publicKey = { hint: 'aGk=' })),
    ],
    [
      'a chain in version 0.3',
      'BUNDLE_VERSION_RULE',
      changed((b) => {
        b['verificationMaterial'].x509CertificateChain = { certificates: [b['verificationMaterial'].certificate] }
        delete b['verificationMaterial'].certificate
      }),
    ],
    [
      'an empty chain',
      'BUNDLE_FIELD_MISSING',
      changed((b) => {
        b['mediaType'] = 'application/vnd.dev.sigstore.bundle+json;version=0.2'
        b['verificationMaterial'].x509CertificateChain = { certificates: [] }
        delete b['verificationMaterial'].certificate
      }),
    ],
    [
      'version 0.1 without a promise',
      'BUNDLE_VERSION_RULE',
      changed((b) => {
        b['mediaType'] = 'application/vnd.dev.sigstore.bundle+json;version=0.1'
        delete entryOf(b)['inclusionPromise']
      }),
    ],
    ['no proof', 'BUNDLE_VERSION_RULE', changed((b) => delete entryOf(b)['inclusionProof'])],
    ['no checkpoint', 'BUNDLE_FIELD_MISSING', changed((b) => delete entryOf(b)['inclusionProof'].checkpoint)],
    ['an empty promise', 'BUNDLE_FIELD_MISSING', changed((b) => (entryOf(b)['inclusionPromise'] = {}))],
    ['no kindVersion', 'BUNDLE_FIELD_MISSING', changed((b) => delete entryOf(b)['kindVersion'])],
    ['no body', 'BUNDLE_FIELD_MISSING', changed((b) => delete entryOf(b)['canonicalizedBody'])],
    ['an empty body', 'BUNDLE_FIELD_MISSING', changed((b) => (entryOf(b)['canonicalizedBody'] = ''))],
    ['no log id', 'BUNDLE_FIELD_MISSING', changed((b) => delete entryOf(b)['logId'])],
    ['a log id of 4 bytes', 'BUNDLE_FIELD_INVALID', changed((b) => (entryOf(b)['logId'].keyId = 'AAAAAA=='))],
    ['no tree size', 'BUNDLE_FIELD_MISSING', changed((b) => delete entryOf(b)['inclusionProof'].treeSize)],
    ['no root hash', 'BUNDLE_FIELD_MISSING', changed((b) => delete entryOf(b)['inclusionProof'].rootHash)],
    [
      'a proof hash of 31 bytes',
      'BUNDLE_FIELD_INVALID',
      changed((b) => (entryOf(b)['inclusionProof'].hashes[0] = base64Encode(new Uint8Array(31)))),
    ],
    ['a negative log index', 'BUNDLE_FIELD_INVALID', changed((b) => (entryOf(b)['logIndex'] = '-1'))],
    ['a negative number', 'BUNDLE_FIELD_INVALID', changed((b) => (entryOf(b)['logIndex'] = -1))],
    ['a log index of 2^63', 'BUNDLE_FIELD_INVALID', changed((b) => (entryOf(b)['logIndex'] = '9223372036854775808'))],
    ['a fraction', 'BUNDLE_FIELD_INVALID', changed((b) => (entryOf(b)['logIndex'] = 1.5))],
    ['a number that a double cannot hold', 'BUNDLE_FIELD_INVALID', changed((b) => (entryOf(b)['logIndex'] = 2 ** 60))],
    ['a leading zero', 'BUNDLE_FIELD_INVALID', changed((b) => (entryOf(b)['logIndex'] = '01'))],
    ['url-safe base64', 'BUNDLE_FIELD_INVALID', changed((b) => (b['messageSignature'].signature = 'MEQ-_w=='))],
    ['base64 without padding', 'BUNDLE_FIELD_INVALID', changed((b) => (b['messageSignature'].signature = 'MEQ'))],
    ['an empty signature', 'BUNDLE_FIELD_MISSING', changed((b) => (b['messageSignature'].signature = ''))],
    ['a signature that is a number', 'BUNDLE_FIELD_INVALID', changed((b) => (b['messageSignature'].signature = 5))],
    [
      'an unknown digest algorithm',
      'BUNDLE_FIELD_INVALID',
      changed((b) => (b['messageSignature'].messageDigest.algorithm = 'SHA1')),
    ],
    ['no content', 'BUNDLE_FIELD_MISSING', changed((b) => delete b['messageSignature'])],
    [
      'two contents',
      'BUNDLE_FIELD_INVALID',
      changed((b) => (b['messageSignature'] = sample()['messageSignature']), attestation),
    ],
    [
      'an envelope without signatures',
      'BUNDLE_FIELD_MISSING',
      changed((b) => (b['dsseEnvelope'].signatures = []), attestation),
    ],
    [
      'an envelope with two signatures',
      'BUNDLE_LIMIT_EXCEEDED',
      changed((b) => b['dsseEnvelope'].signatures.push({ sig: 'AAAA' }), attestation),
    ],
    ['entries that are no list', 'BUNDLE_FIELD_INVALID', changed((b) => (b['verificationMaterial'].tlogEntries = {}))],
    [
      '33 entries',
      'BUNDLE_LIMIT_EXCEEDED',
      changed((b) => (b['verificationMaterial'].tlogEntries = new Array(33).fill({}))),
    ],
    [
      '33 timestamps',
      'BUNDLE_LIMIT_EXCEEDED',
      changed((b) => (b['verificationMaterial'].timestampVerificationData.rfc3161Timestamps = new Array(33).fill({}))),
    ],
    [
      '65 proof hashes',
      'BUNDLE_LIMIT_EXCEEDED',
      changed((b) => (entryOf(b)['inclusionProof'].hashes = new Array(65).fill(base64Encode(new Uint8Array(32))))),
    ],
    [
      'a certificate over 64 KiB',
      'BUNDLE_LIMIT_EXCEEDED',
      changed((b) => (b['verificationMaterial'].certificate.rawBytes = 'A'.repeat(90_000))),
    ],
    ['a deep nest', 'BUNDLE_JSON_INVALID', new TextEncoder().encode('['.repeat(5000) + ']'.repeat(5000))],
    [
      'one entry twice',
      'BUNDLE_DUPLICATE',
      changed((b) => b['verificationMaterial'].tlogEntries.push(structuredClone(entryOf(b)))),
    ],
    [
      'one timestamp twice',
      'BUNDLE_DUPLICATE',
      changed((b) => {
        const stamps = b['verificationMaterial'].timestampVerificationData.rfc3161Timestamps as unknown[]
        stamps.push(stamps[0])
      }),
    ],
  ]
  it.each(cases)('%s: %s', (_name, code, bytes) => {
    expect(() => parseBundle(bytes)).toThrowCode(code)
  })

  it('a file over the limit, before it is read', () => {
    expect(() => parseBundle(new Uint8Array(11), { maxBytes: 10 })).toThrowCode('BUNDLE_TOO_LARGE')
    expect(() => parseBundle(new Uint8Array(BUNDLE_LIMITS.bundleBytes + 1))).toThrowCode('BUNDLE_TOO_LARGE')
  })

  it('says what to do, each time', () => {
    for (const [, , bytes] of cases) {
      try {
        parseBundle(bytes)
      } catch (error) {
        expect(isCodedError(error) && error.details.hint).toBeTruthy()
      }
    }
  })
})

describe('parseBundle on any bytes', () => {
  const check = (bytes: Uint8Array): void => {
    try {
      const bundle = parseBundle(bytes)
      expect(parseBundle(new TextEncoder().encode(encodeBundle(bundle)))).toEqual(bundle)
    } catch (error) {
      if (!isCodedError(error)) throw error
    }
  }

  it('gives a coded error or a bundle that it writes and reads again', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), check), { numRuns: 300 })
    fc.assert(
      fc.property(fc.json(), (text) => check(new TextEncoder().encode(text))),
      { numRuns: 300 },
    )
  })

  it('holds for real bundles with one member replaced by anything', () => {
    const paths = (value: unknown, path: (string | number)[] = []): (string | number)[][] =>
      typeof value === 'object' && value !== null
        ? [path, ...Object.entries(value).flatMap(([name, inner]) => paths(inner, [...path, name]))]
        : [path]
    const all = [sample, attestation].flatMap((base) => paths(base()).map((path) => ({ base, path })))
    fc.assert(
      fc.property(fc.constantFrom(...all), fc.jsonValue(), ({ base, path }, value) => {
        const bundle = { top: base() } as Json
        let at: Json = bundle
        const steps = ['top', ...path]
        for (const step of steps.slice(0, -1)) at = at[step] as Json
        at[steps.at(-1)!] = value
        check(bytesOf(bundle['top']))
      }),
      { numRuns: 500 },
    )
  })

  it('holds for real bundles with bytes changed', () => {
    const raw = read('python.v2.att.json')
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(raw.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }),
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
