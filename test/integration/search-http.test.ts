import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { systemClock } from '@touchmark/clock'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { hexEncode } from '@touchmark/encoding'
import { openLog, SearchIndex, type Log } from '@touchmark/ledger'
import { leafHash, verifyInclusion } from '@touchmark/merkle'
import { testDatabase, type TestDatabase } from '@touchmark/testkit'
import { verifyCheckpoint } from '@touchmark/tlog'
import { serveSearch, type LogServer } from '../../apps/log/src/testing/serve.js'
import { indexStep } from '../../libs/ledger/src/search/index-step.js'
import { digestOf, signedBody } from './support/search-bodies.js'

interface SearchAnswer {
  logs: {
    origin: string
    logId: string
    kind: string
    indexedSize: string
    treeSize: string
    rootHash: string
    checkpoint: string
  }[]
  hits: {
    origin: string
    logIndex: string
    leafHash: string
    body: string
    inclusionProof: { treeSize: string; rootHash: string; hashes: string[] }
  }[]
  next?: string
}

const PATH = '/api/touchmark/v1/search'
const ENTRIES = 30
const HOSTILE = [
  `x' or 1=1; drop table log_search; --`,
  `\u001b[31mred\u0007`,
  `<img src=x onerror=alert(1)>`,
  `"quoted"\\`,
]
const unbase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'))
let db: TestDatabase
let log: Log
let server: LogServer

beforeAll(async () => {
  db = await testDatabase()
  const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
  log = await openLog({ db, kind: 'signature-v2', origin: 'search.example.com', signer, clock: systemClock })
  const logs = () => [log]
  server = await serveSearch({ index: new SearchIndex({ db, trees: logs }), logs, crypto: nodeCrypto })
  for (let i = 0; i < ENTRIES; i++)
    await log.append({ body: signedBody(`artifact ${i}`, { identity: i % 2 === 0 ? 'even@s.test' : 'odd@s.test', issuer: 'https://i.test', serial: 1000 + i }) }) // prettier-ignore
  for (const identity of HOSTILE) await log.append({ body: signedBody(`hostile ${identity}`, { identity }) })
  while ((await indexStep(db, log.origin)) !== 'current');
}, 60_000)
afterAll(async () => {
  await server.close()
  await log.close()
  await db.drop()
})

async function search(query: string): Promise<SearchAnswer> {
  const answer = await server.call(`${PATH}?${query}`)
  expect(answer.status).toBe(200)
  expect(answer.headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store' })
  return answer.json<SearchAnswer>()
}

/** As a client does: one checkpoint, verified, and every hit proven under it. */
function verify({ logs, hits }: SearchAnswer): void {
  const [tree] = logs
  const { origin, publicKey: key, logId } = log
  const checkpoint = verifyCheckpoint(tree!.checkpoint, { origin, key, logId }, nodeCrypto)
  expect(tree).toMatchObject({ origin, kind: 'signature-v2', treeSize: String(checkpoint.size) })
  for (const { body, logIndex, inclusionProof, leafHash: hash } of hits) {
    expect(hexEncode(leafHash(unbase64(body)))).toBe(hexEncode(unbase64(hash)))
    verifyInclusion({
      leafHash: leafHash(unbase64(body)),
      index: BigInt(logIndex),
      size: checkpoint.size,
      root: checkpoint.root,
      proof: inclusionProof.hashes.map(unbase64),
    })
  }
}

describe('GET /api/touchmark/v1/search', () => {
  it('answers with proven entries, one checkpoint, and how far it is complete', async () => {
    await log.append({ body: signedBody('not indexed yet', { identity: 'even@s.test' }) })
    const answer = await search('identity=EVEN%40s.test&limit=100')
    verify(answer)
    expect(answer.hits).toHaveLength(ENTRIES / 2)
    expect(answer.logs).toHaveLength(1)
    expect(BigInt(answer.logs[0]!.treeSize) - BigInt(answer.logs[0]!.indexedSize)).toBe(1n)
    expect(answer.next).toBeUndefined()
  })

  it('finds by each parameter, and by several with and and or', async () => {
    const hex = hexEncode(digestOf('artifact 4'))
    for (const query of [
      `digest=sha256:${hex}`,
      `digest=${hex.toUpperCase()}`,
      'serial=03:EC',
      `identity=even%40s.test&digest=${hex}`,
    ]) {
      const answer = await search(query)
      verify(answer)
      expect(answer.hits.map(({ logIndex }) => logIndex)).toEqual(['5'])
    }
    expect((await search('issuer=https://i.test&limit=100')).hits).toHaveLength(ENTRIES)
    expect((await search(`identity=odd%40s.test&digest=${hex}`)).hits).toEqual([])
    const either = await search(`identity=odd%40s.test&digest=${hex}&operator=or&limit=100`)
    verify(either)
    expect(either.hits).toHaveLength(ENTRIES / 2 + 1)
  })

  it('pages', async () => {
    const indexes: string[] = []
    let answer = await search('issuer=https://i.test&limit=7')
    for (;;) {
      verify(answer)
      indexes.push(...answer.hits.map(({ logIndex }) => logIndex))
      if (answer.next === undefined) break
      answer = await search(`issuer=https://i.test&limit=7&after=${answer.next}`)
    }
    expect(indexes).toEqual(Array.from({ length: ENTRIES }, (_, i) => String(i + 1)))
  })

  it.each(HOSTILE)('takes %j for a value, and answers with nothing that is not JSON', async (identity) => {
    const raw = await server.call(`${PATH}?identity=${encodeURIComponent(identity)}`)
    expect(raw.status).toBe(200)
    // eslint-disable-next-line no-control-regex
    expect(raw.text).not.toMatch(/[\u0000-\u001f<>]/)
    const answer = raw.json<SearchAnswer>()
    verify(answer)
    expect(answer.hits).toHaveLength(1)
    expect(Buffer.from(answer.hits[0]!.body, 'base64').toString()).not.toBe('')
  })

  it.each(
    [
      ['', 'LOG_PARAMETER_INVALID'],
      ['limit=5', 'LOG_PARAMETER_INVALID'],
      ['identity=', 'LOG_PARAMETER_INVALID'],
      ['identity', 'LOG_PARAMETER_INVALID'],
      ['identity=a&identity=b', 'LOG_PARAMETER_INVALID'],
      ['Identity=a', 'LOG_PARAMETER_INVALID'],
      ['identity=a&x=1', 'LOG_PARAMETER_INVALID'],
      ['identity=a&__proto__=1', 'LOG_PARAMETER_INVALID'],
      ['identity=%ff', 'LOG_PARAMETER_INVALID'],
      ['identity=%', 'LOG_PARAMETER_INVALID'],
      [`identity=${'a'.repeat(2049)}`, 'LOG_PARAMETER_INVALID'],
      ['identity=a&limit=0', 'LOG_PARAMETER_INVALID'],
      ['identity=a&limit=101', 'LOG_PARAMETER_INVALID'],
      ['identity=a&limit=1e1', 'LOG_PARAMETER_INVALID'],
      ['identity=a&operator=xor', 'LOG_PARAMETER_INVALID'],
      ['digest=abc', 'ENTRY_SEARCH_INVALID'],
      [`digest=sha512:${'0'.repeat(64)}`, 'ENTRY_SEARCH_INVALID'],
      ['digest=md5:00', 'ENTRY_SEARCH_INVALID'],
      ['publicKey=AAAA', 'ENTRY_SEARCH_INVALID'],
      ['serial=xyz', 'ENTRY_SEARCH_INVALID'],
      ['identity=a&after=1', 'LEDGER_SEARCH_INVALID'],
      ["identity=a&after=1.1_1.1'--", 'LEDGER_SEARCH_INVALID'],
    ].map(([query, code]) => [query!.slice(0, 40), code!, query!]),
  )('refuses %j with %s', async (_title, code, query) => {
    const answer = await server.call(`${PATH}?${query}`)
    expect(answer.status).toBe(400)
    expect(answer.headers).toMatchObject({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' })
    expect(answer.json()).toMatchObject({ status: 400, code })
    expect(server.reports.at(-1)).toEqual({ code, ours: false })
  })

  it('serves HEAD, and refuses other methods and paths', async () => {
    expect(await server.call(`${PATH}?identity=a`, { method: 'HEAD' })).toMatchObject({ status: 200, text: '' })
    const post = await server.call(PATH, { method: 'POST', body: '{}' })
    expect(post).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } })
    expect(post.json()).toMatchObject({ code: 'METHOD_NOT_ALLOWED' })
    expect((await server.call(`${PATH}/x`)).json()).toMatchObject({ status: 404, code: 'NOT_FOUND' })
  })

  it('gives no entry away that the tree does not prove', async () => {
    const [row] = await db.query<{ id: string }>('select id from logs where origin = $1', [log.origin])
    await db.query('alter table log_entries disable trigger log_entries_are_final')
    const forged = signedBody('forged', { identity: 'forged@s.test' })
    await db.query('update log_entries set body = $2, leaf_hash = $3 where log_id = $1 and index = 3', [row!.id, forged, leafHash(forged)]) // prettier-ignore
    await db.query('update log_search_progress set extractor = 0 where log_id = $1', [row!.id])
    while ((await indexStep(db, log.origin)) !== 'current');
    const answer = await server.call(`${PATH}?identity=forged%40s.test`)
    expect(answer.status).toBe(500)
    expect(answer.json()).toMatchObject({ code: 'INTERNAL' })
    expect(server.reports.at(-1)).toEqual({ code: 'LEDGER_CORRUPT', ours: true })
  })
})
