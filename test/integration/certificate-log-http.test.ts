import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { systemClock } from '@touchmark/clock'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { openLog, type Log } from '@touchmark/ledger'
import { leafHash, rootFromInclusionProof, verifyConsistency } from '@touchmark/merkle'
import { testDatabase, type TestDatabase } from '@touchmark/testkit'
import { decodeEntryBundle, verifyCheckpoint } from '@touchmark/tlog'
import {
  buildPrecertLeaf,
  buildX509Leaf,
  encodeCertificateChain,
  encodePrecertChainEntry,
  parseCertificateChain,
  parseMerkleTreeLeaf,
  parsePrecertChainEntry,
} from '@touchmark/x509'
import { serveLog, type Answer, type LogServer } from '../../apps/log/src/testing/serve.js'

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const unbase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'))
const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
const origin = 'ct.example.com'
const count = 20
const time = 1_700_000_000_000

const pem = readFileSync(join(process.cwd(), 'test/vectors/fulcio/certificates/ephemeral-root.pem'), 'utf8')
const root = unbase64(/-----BEGIN CERTIFICATE-----([^-]*)-----/.exec(pem)![1]!)

let db: TestDatabase
let signatures: Log
let log: Log
let server: LogServer

beforeAll(async () => {
  db = await testDatabase()
  const common = { db, clock: systemClock }
  const other = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
  signatures = await openLog({ ...common, kind: 'signature-v2', origin: 'log.example.com', signer: other })
  log = await openLog({
    ...common,
    kind: 'certificate',
    origin,
    signer,
    genesis: { body: buildX509Leaf({ timestampMs: time, certificate: root }), extra: encodeCertificateChain([]) },
  })
  for (let i = 1; i < count; i++) {
    const tbs = Buffer.from(`tbs ${i}`)
    const issuerKeyHash = new Uint8Array(32).fill(7)
    await log.append({
      body: buildPrecertLeaf({ timestampMs: time + i, issuerKeyHash, tbs }),
      extra: encodePrecertChainEntry(Buffer.from(`precertificate ${i}`), [root]),
    })
  }
  server = await serveLog({ log: signatures, certificateLog: { log, roots: [root] } })
}, 60_000)
afterAll(async () => {
  await server.close()
  await Promise.all([signatures.close(), log.close()])
  await db.drop()
})

const get = (path: string): Promise<Answer> => server.call(`/ct/${path}`)

interface TreeHead {
  tree_size: number
  timestamp: number
  sha256_root_hash: string
  tree_head_signature: string
}
interface Entry {
  leaf_input: string
  extra_data: string
}
const treeHead = async (): Promise<TreeHead> => (await get('v1/get-sth')).json<TreeHead>()
const entries = async (start: number, end: number): Promise<Entry[]> =>
  (await get(`v1/get-entries?start=${start}&end=${end}`)).json<{ entries: Entry[] }>().entries

describe('certificate log, RFC 6962 §4', () => {
  it('signs its tree head', async () => {
    const head = await treeHead()
    expect(head.tree_size).toBe(count)
    const signed = Buffer.alloc(18 + 32)
    signed[1] = 1
    signed.writeBigUInt64BE(BigInt(head.timestamp), 2)
    signed.writeBigUInt64BE(BigInt(head.tree_size), 10)
    signed.set(unbase64(head.sha256_root_hash), 18)
    const signature = unbase64(head.tree_head_signature)
    expect([...signature.subarray(0, 2)]).toEqual([4, 3])
    expect((signature[2]! << 8) | signature[3]!).toBe(signature.length - 4)
    const scheme = { kind: 'ecdsa', hash: 'SHA2_256' } as const
    expect(nodeCrypto.verify(signer.publicKey, scheme, signed, signature.subarray(4))).toBe(true)
  })

  it('gives entries with both ends, bounded by the tree', async () => {
    const all = await entries(0, count - 1)
    expect(all).toHaveLength(count)
    expect(await entries(0, 1_000_000)).toEqual(all)
    expect(await entries(3, 3)).toEqual([all[3]])
    expect(parseMerkleTreeLeaf(unbase64(all[0]!.leaf_input)).entry).toEqual({ type: 'x509', certificate: root })
    expect(parseCertificateChain(unbase64(all[0]!.extra_data))).toEqual([])
    const { timestampMs, entry } = parseMerkleTreeLeaf(unbase64(all[5]!.leaf_input))
    expect([timestampMs, entry.type]).toEqual([time + 5, 'precert'])
    const chain = parsePrecertChainEntry(unbase64(all[5]!.extra_data))
    expect([Buffer.from(chain.precertificate).toString(), chain.chain]).toEqual(['precertificate 5', [root]])
  })

  it('proves every entry by its hash, and with the entry', async () => {
    const head = await treeHead()
    for (const [index, { leaf_input }] of (await entries(0, count - 1)).entries()) {
      const hash = leafHash(unbase64(leaf_input))
      const byHash = await get(`v1/get-proof-by-hash?hash=${encodeURIComponent(base64(hash))}&tree_size=${count}`)
      const proof = byHash.json<{ leaf_index: number; audit_path: string[] }>()
      expect(proof.leaf_index).toBe(index)
      const claim = { leafHash: hash, index: BigInt(index), size: BigInt(count), proof: proof.audit_path.map(unbase64) }
      expect(base64(rootFromInclusionProof(claim))).toBe(head.sha256_root_hash)
      const both = await get(`v1/get-entry-and-proof?leaf_index=${index}&tree_size=${count}`)
      expect(both.json()).toMatchObject({ leaf_input, audit_path: proof.audit_path })
    }
  })

  it('takes a hash whose plus signs were not escaped', async () => {
    const withPlus = (await entries(0, count - 1))
      .map(({ leaf_input }) => base64(leafHash(unbase64(leaf_input))))
      .find((hash) => hash.includes('+'))
    if (withPlus === undefined) return
    expect((await get(`v1/get-proof-by-hash?hash=${withPlus}&tree_size=${count}`)).status).toBe(200)
  })

  it('proves consistency between all sizes', async () => {
    const leaves = (await entries(0, count - 1)).map(({ leaf_input }) => leafHash(unbase64(leaf_input)))
    const rootOf = (hashes: Uint8Array[]): Uint8Array => {
      if (hashes.length === 1) return hashes[0]!
      let split = 1
      while (split * 2 < hashes.length) split *= 2
      const [left, right] = [rootOf(hashes.slice(0, split)), rootOf(hashes.slice(split))]
      return nodeCrypto.hash('SHA2_256', Uint8Array.of(1), left, right)
    }
    const consistency = async (first: number, second: number): Promise<Uint8Array[]> => {
      const answer = await get(`v1/get-sth-consistency?first=${first}&second=${second}`)
      return answer.json<{ consistency: string[] }>().consistency.map(unbase64)
    }
    for (const [first, second] of [
      [1, 2],
      [3, 7],
      [8, count],
      [13, 19],
    ] as const) {
      verifyConsistency({
        firstSize: BigInt(first),
        firstRoot: rootOf(leaves.slice(0, first)),
        secondSize: BigInt(second),
        secondRoot: rootOf(leaves.slice(0, second)),
        proof: await consistency(first, second),
      })
    }
    expect(await consistency(5, 5)).toEqual([])
    expect(await consistency(0, 5)).toEqual([])
  })

  it('names its roots', async () => {
    expect((await get('v1/get-roots')).json()).toEqual({ certificates: [base64(root)] })
  })

  const hash = encodeURIComponent(base64(new Uint8Array(32)))
  it.each([
    ['get-entries', 400],
    ['get-entries?start=0', 400],
    ['get-entries?start=2&end=1', 400],
    [`get-entries?start=${count}&end=${count + 5}`, 400],
    ['get-entries?start=-1&end=1', 400],
    ['get-entries?start=0x1&end=1', 400],
    ['get-entries?start=01&end=1', 400],
    ['get-entries?start=9223372036854775808&end=9223372036854775809', 400],
    [`get-entries?start=0&end=${'9'.repeat(1000)}`, 400],
    ['get-sth-consistency?first=3', 400],
    ['get-sth-consistency?first=3&second=2', 400],
    [`get-sth-consistency?first=0&second=${count + 1}`, 400],
    [`get-sth-consistency?first=3&second=${count + 1}`, 400],
    [`get-proof-by-hash?tree_size=${count}`, 400],
    [`get-proof-by-hash?hash=!&tree_size=${count}`, 400],
    [`get-proof-by-hash?hash=AAAA&tree_size=${count}`, 400],
    [`get-proof-by-hash?hash=${hash}&tree_size=0`, 400],
    [`get-proof-by-hash?hash=${hash}&tree_size=${count + 1}`, 400],
    [`get-proof-by-hash?hash=${hash}&tree_size=${count}`, 404],
    [`get-entry-and-proof?leaf_index=0&tree_size=${count + 1}`, 400],
    [`get-entry-and-proof?leaf_index=${count}&tree_size=${count}`, 404],
    ['get-entry-and-proof?leaf_index=5&tree_size=5', 404],
  ])('refuses %s with %i and a problem', async (path, status) => {
    const answer = await get(`v1/${path}`)
    expect(answer.status).toBe(status)
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(answer.json()).toMatchObject({ status, code: expect.stringMatching(/^LOG_/) as unknown })
  })

  it('does not prove an entry in a tree that was smaller', async () => {
    const [entry] = await entries(9, 9)
    const nine = encodeURIComponent(base64(leafHash(unbase64(entry!.leaf_input))))
    expect((await get(`v1/get-proof-by-hash?hash=${nine}&tree_size=9`)).status).toBe(404)
    expect((await get(`v1/get-proof-by-hash?hash=${nine}&tree_size=10`)).status).toBe(200)
  })
})

describe('certificate log, tiles', () => {
  it('is the same tree: checkpoint, hash tile and entry bundle', async () => {
    const head = await treeHead()
    const checkpoint = verifyCheckpoint(
      (await get('checkpoint')).text,
      { origin, key: signer.publicKey, logId: log.logId },
      nodeCrypto,
    )
    expect([Number(checkpoint.size), base64(checkpoint.root)]).toEqual([count, head.sha256_root_hash])
    const bodies = decodeEntryBundle((await get(`tile/entries/000.p/${count}`)).bytes)
    expect(bodies.map(base64)).toEqual((await entries(0, count - 1)).map(({ leaf_input }) => leaf_input))
    const tile = await get(`tile/0/000.p/${count}`)
    expect(tile.bytes).toEqual(Buffer.concat(bodies.map((body) => leafHash(body))))
    expect(tile.headers['cache-control']).toBe('max-age=604800,immutable')
  })

  it.each([
    'tile/0/000',
    'tile/0/001',
    'tile/a/000',
    'tile/data/000',
    'tile/0/0',
    'nope',
    'v1',
    'v1/get-nothing',
    'v1/get-sth/',
  ])('has no %s', async (path) => {
    const answer = await get(path)
    expect([answer.status, answer.headers['content-type']]).toEqual([404, 'application/problem+json'])
  })
})

describe('certificate log, writing', () => {
  it.each(['GET', 'POST', 'PUT'])('takes no certificates from outside (%s)', async (method) => {
    for (const path of ['/ct/v1/add-chain', '/ct/v1/add-pre-chain']) {
      const answer = await server.call(path, { method, ...(method === 'GET' ? {} : { body: '{"chain":[]}' }) })
      expect([answer.status, answer.headers.allow]).toEqual([405, ''])
      expect(answer.json()).toMatchObject({ code: 'LOG_SUBMISSION_NOT_OFFERED' })
    }
    expect((await treeHead()).tree_size).toBe(count)
  })

  it('is read with GET and HEAD alone', async () => {
    const answer = await server.call('/ct/v1/get-sth', { method: 'POST', body: '' })
    expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, HEAD'])
    const head = await server.call('/ct/v1/get-sth', { method: 'HEAD' })
    expect([head.status, head.bytes.length]).toEqual([200, 0])
  })
})
