import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { nodeCrypto } from '@touchmark/crypto/node'
import {
  base64Decode,
  base64Encode,
  hexEncode,
  pemDecodeAll,
  pemEncode,
  utf8Decode,
  utf8Encode,
} from '@touchmark/encoding'
import { parseCertificate } from '@touchmark/x509'
import fc from 'fast-check'
import { canonicalise, parseEntryBody, parseEntryRequest } from '../index.js'
import { extractSearchKeys } from './extract.js'
import { MAX_SEARCH_KEYS, MAX_SEARCH_VALUE, SEARCH_KINDS, searchKey } from './search-key.js'

interface Recorded {
  name: string
  request: { path: string; body?: string }
  response: { status: number; body: string }
  decoded?: { entryId: string; body: unknown }[]
}

const vectors = join(process.cwd(), 'test/vectors')
const read = <T>(file: string): T => JSON.parse(readFileSync(join(vectors, file), 'utf8')) as T
const sha256 = (bytes: Uint8Array): Uint8Array => nodeCrypto.hash('SHA2_256', bytes)
const hashHex = (bytes: Uint8Array): string => hexEncode(sha256(bytes))

/** The stored bodies of API v1, by entry id, as they stand in the replies. */
function storedV1(): Map<string, Uint8Array> {
  const bodies = new Map<string, Uint8Array>()
  for (const file of ['hashedrekord', 'dsse', 'intoto', 'rekord', 'rfc3161', 'duplicates', 'reads', 'retrieve'])
    for (const { response } of read<Recorded[]>(`rekor-v1/${file}.json`)) collect(response.body, bodies)
  return bodies
}

function collect(reply: string, into: Map<string, Uint8Array>): void {
  for (const [, id, body] of reply.matchAll(
    /"([0-9a-f]{80})":\{(?:"attestation":\{[^}]*\},)?"body":"([A-Za-z0-9+/=]+)"/g,
  ))
    into.set(id!, base64Decode(body!))
}

const v1 = storedV1()

function keysOf(body: Uint8Array): Set<string> {
  return new Set(extractSearchKeys(body, sha256).keys.map(({ kind, value }) => `${kind} ${value}`))
}

/** The keys of a recorded question to index/retrieve. */
function askedKeys(text: string): string[] {
  const query = JSON.parse(text) as {
    hash?: string
    email?: string
    subject?: string
    publicKey?: { format: string; content: string }
  }
  const keys: string[] = []
  if (query.hash)
    keys.push(`digest ${query.hash.includes(':') ? query.hash.toLowerCase() : `sha256:${query.hash.toLowerCase()}`}`)
  for (const name of [query.email, query.subject]) if (name) keys.push(`identity ${name.toLowerCase()}`)
  if (query.publicKey) {
    const blocks = pemDecodeAll(utf8Decode(base64Decode(query.publicKey.content)))
    keys.push(`publicKey ${hashHex(utf8Encode(blocks.map(({ label, bytes }) => pemEncode(label, bytes)).join('')))}`)
  }
  return keys
}

describe('keys of API v1 bodies', () => {
  it('are read from every kind of stored body', () => {
    expect(v1.size).toBeGreaterThan(60)
    const kinds = new Set<string>()
    for (const body of v1.values()) {
      const { kind, apiVersion } = JSON.parse(utf8Decode(body)) as { kind: string; apiVersion: string }
      kinds.add(`${kind} ${apiVersion}`)
      const { keys, complete } = extractSearchKeys(body, sha256)
      expect(complete).toBe(true)
      expect(keys.length).toBeGreaterThan(0)
    }
    expect([...kinds].sort()).toEqual([
      'dsse 0.0.1',
      'hashedrekord 0.0.1',
      'intoto 0.0.1',
      'intoto 0.0.2',
      'rekord 0.0.1',
      'rfc3161 0.0.1',
    ])
  })

  // In-toto subjects are lost with the envelope. A key finds more here than in the reference, which writes it in two forms and asks for one, and does not
  // write it for every entry whose payload it cannot read.
  const recorded = read<Recorded[]>('rekor-v1/index.json').filter(
    ({ response, name }) =>
      response.status === 200 && response.body.trim() !== '[]' && !name.includes('subject-digest'),
  )

  it.each(recorded.map((record) => [record.name, record] as const))(
    'find what the reference finds: %s',
    (name, record) => {
      const asked = askedKeys(record.request.body!)
      const and = record.request.body!.includes('"operator":"and"')
      const found = [...v1].filter(([, body]) => {
        const has = keysOf(body)
        return and ? asked.every((key) => has.has(key)) : asked.some((key) => has.has(key))
      })
      const reference = (JSON.parse(record.response.body) as string[]).filter((id) => v1.has(id))
      expect(reference.length).toBeGreaterThan(0)
      const ids = found.map(([id]) => id)
      if (/public-key|key-as-hash|operator|and-/.test(name)) expect(ids).toEqual(expect.arrayContaining(reference))
      else expect(ids.sort()).toEqual(reference.sort())
    },
  )

  it('find a key by its hash in every kind of entry', () => {
    const record = read<Recorded[]>('rekor-v1/index.json').find(({ name }) => name === 'index-public-key-cert')!
    const asked = askedKeys(record.request.body!)
    const found = [...v1.values()].filter((body) => asked.every((key) => keysOf(body).has(key)))
    const kinds = new Set(found.map((body) => (JSON.parse(utf8Decode(body)) as { kind: string }).kind))
    expect([...kinds].sort()).toEqual(['dsse', 'hashedrekord', 'intoto', 'rekord'])
  })
})

describe('keys of API v2 bodies', () => {
  const accepted = read<Recorded[]>('rekor-v2/accepted.json')
    .concat(read<Recorded[]>('rekor-v2/dsse.json'))
    .filter(({ response }) => response.status === 201)
    .map(
      ({ name, response }) =>
        [name, base64Decode((JSON.parse(response.body) as { canonicalizedBody: string }).canonicalizedBody)] as const,
    )

  it.each(accepted)('are those of its parts: %s', (_name, bytes) => {
    const body = parseEntryBody(bytes)
    const digest = body.kind === 'hashedrekord' ? body.data : body.payloadHash
    const signatures = body.kind === 'hashedrekord' ? [body.signature] : body.signatures
    const has = keysOf(bytes)
    expect(extractSearchKeys(bytes, sha256).complete).toBe(true)
    expect(has).toContain(`digest ${digest.algorithm.replace('SHA2_', 'sha')}:${hexEncode(digest.digest)}`)
    for (const { verifier } of signatures) {
      const spki = verifier.publicKey ?? parseCertificate(verifier.x509Certificate!).spki
      expect(has).toContain(`publicKey ${hashHex(spki)}`)
    }
  })

  it('name the signer, the issuer and the serial number of a Fulcio certificate', () => {
    const client = read<{ request: { body: string } }[]>('rekor-v2/clients.json').find(({ request }) =>
      request.body.includes('x509Certificate'),
    )!
    const { body } = canonicalise(parseEntryRequest(utf8Encode(client.request.body)), nodeCrypto)
    const entry = parseEntryBody(body)
    const { verifier } = entry.kind === 'hashedrekord' ? entry.signature : entry.signatures[0]!
    const certificate = parseCertificate(verifier.x509Certificate!)
    expect(keysOf(body)).toContain(`identity ${certificate.san[0]!.value.toLowerCase()}`)
    expect([...keysOf(body)].filter((key) => key.startsWith('issuer http'))).toHaveLength(1)
    expect(keysOf(body)).toContain(`serial ${searchKey('serial', certificate.serialHex, sha256).value}`)
  })
})

describe('what cannot be read', () => {
  const json = (value: object): Uint8Array => utf8Encode(JSON.stringify(value))

  it('gives no keys, and is told', () => {
    for (const body of [
      utf8Encode(''),
      utf8Encode('{'),
      utf8Encode('[]'),
      utf8Encode('null'),
      json({}),
      json({ kind: 'constructor', apiVersion: '0.0.1' }),
      json({ kind: 'rpm', apiVersion: '0.0.1', spec: {} }),
      json({ kind: ['hashedrekord'], apiVersion: '0.0.1', spec: {} }),
      utf8Encode('{"a":'.repeat(13_000)),
      Uint8Array.of(0x7b, 0xff, 0x7d),
    ]) {
      expect(extractSearchKeys(body, sha256)).toEqual({ keys: [], complete: false })
    }
  })

  it('keeps what was read beside it', () => {
    const body = json({
      apiVersion: '0.0.2',
      kind: 'hashedrekord',
      spec: {
        hashedRekordV002: {
          data: { algorithm: 'SHA2_256', digest: base64Encode(new Uint8Array(32)) },
          signature: { verifier: { x509Certificate: { rawBytes: base64Encode(Uint8Array.of(0x30, 0)) } } },
        },
      },
    })
    expect(extractSearchKeys(body, sha256)).toEqual({
      keys: [{ kind: 'digest', value: `sha256:${'00'.repeat(32)}` }],
      complete: false,
    })
  })

  it('does not read members that an object inherits', () => {
    const body = utf8Encode('{"apiVersion":"0.0.1","kind":"rfc3161","spec":{"__proto__":{"tsr":{"content":"AAAA"}}}}')
    expect(extractSearchKeys(body, sha256)).toEqual({ keys: [], complete: false })
  })

  it('is bounded in number', () => {
    const verifiers = [...v1.values()].map(utf8Decode).filter((text) => text.includes('"kind":"dsse"'))
    const one = JSON.parse(verifiers[0]!) as { spec: { signatures: object[] } }
    const many = json({
      ...one,
      spec: { ...one.spec, signatures: Array.from({ length: 33 }, () => one.spec.signatures[0]!) },
    })
    const { keys, complete } = extractSearchKeys(many, sha256)
    expect(complete).toBe(false)
    expect(keys.length).toBeLessThanOrEqual(MAX_SEARCH_KEYS)
  })

  it('is never thrown for, whatever the bytes are', () => {
    const bodies = [...v1.values()]
    const damaged = fc
      .tuple(fc.nat(bodies.length - 1), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }), fc.nat())
      .map(([i, changes, cut]) => {
        const bytes = bodies[i]!.slice()
        for (const [at, value] of changes) bytes[at % bytes.length] = value
        return cut % 4 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes
      })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 500 }), damaged), (bytes) => {
        const { keys } = extractSearchKeys(bytes, sha256)
        expect(keys.length).toBeLessThanOrEqual(MAX_SEARCH_KEYS)
        for (const { kind, value } of keys) {
          expect(SEARCH_KINDS).toContain(kind)
          expect(searchKey(kind, value, sha256)).toEqual({ kind, value })
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('searchKey', () => {
  it('is one spelling of a value', () => {
    expect(searchKey('identity', 'Dev@Example.COM', sha256).value).toBe('dev@example.com')
    for (const text of ['00:0a:FF', '0AFF', 'aff', '000aff'])
      expect(searchKey('serial', text, sha256).value).toBe('0aff')
    for (const text of ['0', '00', '0000']) expect(searchKey('serial', text, sha256).value).toBe('00')
  })

  it('replaces what is too long by its hash', () => {
    const text = 'A'.repeat(MAX_SEARCH_VALUE + 1)
    expect(searchKey('identity', text.slice(1), sha256).value).toBe('a'.repeat(MAX_SEARCH_VALUE))
    expect(searchKey('identity', text, sha256).value).toBe(`sha256~${hashHex(utf8Encode(text.toLowerCase()))}`)
  })
})
