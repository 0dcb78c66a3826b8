import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ManualClock } from '@touchmark/clock'
import { nodeCrypto } from '@touchmark/crypto/node'
import { SearchFollower, SearchIndex } from '@touchmark/ledger'
import { verifyConsistency } from '@touchmark/merkle'
import { testDatabase, type TestDatabase } from '@touchmark/testkit'
import { parseCheckpoint, parseSignedNote } from '@touchmark/tlog'
import { serveLogV1, type Answer, type LogServer } from '../../apps/log/src/testing/serve.js'
import {
  checkEntry,
  entryOf,
  openV1Tree,
  readVectors,
  type EntryObject,
  type TestV1Tree,
  type Vector,
} from './support/v1-log.js'

const clock = new ManualClock('2026-11-22T10:00:00Z')
const JSON_BODY = { 'Content-Type': 'application/json' }
let db: TestDatabase
let tree: TestV1Tree
let server: LogServer
let follower: SearchFollower

const send = ({ request }: Pick<Vector, 'request'>, path = request.path, body = request.body): Promise<Answer> =>
  server.call(path, {
    method: request.method,
    headers: request.headers,
    ...(body === undefined || ['GET', 'HEAD'].includes(request.method) ? {} : { body }),
  })
const post = (path: string, body: object): Promise<Answer> =>
  server.call(path, { method: 'POST', headers: JSON_BODY, body: JSON.stringify(body) })

/** Ids of the recorded tree become those of ours. */
const RECORDED_TREE = '4fa4a39be74eee2a'
const RECORDED_TREE_ID = '5738891715172822570'
const ours = (text: string): string =>
  text
    .replaceAll(RECORDED_TREE, tree.treeId.toString(16).padStart(16, '0'))
    .replaceAll(RECORDED_TREE.toUpperCase(), tree.treeId.toString(16).padStart(16, '0').toUpperCase())
    .replaceAll(RECORDED_TREE_ID, tree.treeId.toString())

const NOT_TAKEN = ['rekord-pgp-armored', 'rekord-pgp-binary', 'rekord-ssh', 'post-member-names-other-case']
const posts = ['hashedrekord', 'dsse', 'intoto', 'rekord', 'rfc3161', 'duplicates']
  .flatMap(readVectors)
  .filter(({ name, response }) => response.status === 201 && !NOT_TAKEN.includes(name) && !name.includes('urlsafe'))

beforeAll(async () => {
  db = await testDatabase()
  tree = await openV1Tree(db, clock)
  const trees = () => [tree.log]
  follower = new SearchFollower({ db, trees, failed: (error) => console.error(error) })
  const search = new SearchIndex({ db, trees })
  server = await serveLogV1({ trees: { trees: () => [tree] }, search, clock, crypto: nodeCrypto })
  await Promise.all(posts.map((vector) => send(vector)))
  follower.start()
}, 60_000)
afterAll(async () => {
  await follower.stop()
  await server.close()
  await tree.log.close()
  await db.drop()
})

describe('headers', () => {
  const reads = [...readVectors('reads'), ...readVectors('errors')].filter(
    ({ name, request, response }) =>
      // ping and paths outside of this API belong to the origin, and the rest needs entries of the recorded log.
      !/ping|unknown-path|unknown-timestamp|api-root|json-escape-path|404-accept/.test(name) &&
      !(response.status === 200 && request.path.includes('entries')) &&
      !/urlsafe|empty-log|index-twice/.test(name) &&
      (request.method !== 'POST' || name.startsWith('cors')),
  )
  it.each(reads.map((vector) => [vector.name, vector] as const))(
    'are those of the reference: %s',
    async (_, vector) => {
      const answer = await send(vector, ours(vector.request.path))
      // Tree 0 is 500 there, and the client's fault.
      const status = vector.name === 'entry-id-tree-zero' ? 400 : vector.response.status
      expect(answer.status).toBe(status)
      const wanted = vector.response.headers
      for (const name of [
        ...['Access-Control-Allow-Headers', 'Access-Control-Allow-Methods', 'Access-Control-Allow-Origin', 'Allow'],
        ...['Cache-Control', 'Content-Type', 'Expires', 'Pragma', 'Vary', 'X-Accel-Expires'],
      ]) {
        expect([name, answer.headers[name.toLowerCase()]]).toEqual([name, wanted[name]])
      }
      expect(answer.headers['etag']).toBeUndefined()
      if (status >= 300 && vector.name !== 'entry-id-tree-zero') expect(answer.text).toBe(vector.response.body)
    },
  )

  const negotiated = readVectors('log').filter(({ name }) => name !== 'loginfo-empty')
  it.each(negotiated.map((vector) => [vector.name, vector] as const))(
    'of the key and the log: %s',
    async (_, vector) => {
      const answer = await send(vector, ours(vector.request.path))
      expect(answer.status).toBe(vector.response.status)
      expect(answer.headers['content-type']).toBe(vector.response.headers['Content-Type'])
      if (answer.status !== 200) return expect(answer.text).toBe(vector.response.body)
      if (!vector.request.path.includes('publicKey')) return
      const pem =
        answer.headers['content-type'] === 'application/json' ? (JSON.parse(answer.text) as string) : answer.text
      expect(Buffer.from(pem.split('\n').slice(1, -2).join(''), 'base64')).toEqual(Buffer.from(tree.log.publicKey.spki))
      expect([pem.length, answer.text.endsWith('"\n')]).toEqual([
        178,
        answer.headers['content-type'] === 'application/json',
      ])
    },
  )
})

describe('GET /api/v1/log/entries', () => {
  it('finds an entry by both ids in either letter case, by its index, and under needless slashes', async () => {
    const { entryId, entry } = entryOf(await server.call('/api/v1/log/entries?logIndex=3'), [tree])
    expect([entry.logIndex, entry.verification.inclusionProof.logIndex]).toEqual([3, 3])
    for (const path of [
      `/api/v1/log/entries/${entryId}`,
      `/api/v1/log/entries/${entryId.toUpperCase()}`,
      `/api/v1/log/entries/${entryId.slice(16)}`,
      `/api/v1/log/entries/${entryId}/`,
      `//api/v1/log//entries///${entryId}`,
      '/api/v1/log/entries/?logIndex=3',
      '/api/v1/log/entries?logIndex=1&logIndex=3',
    ]) {
      const again = entryOf(await server.call(path), [tree])
      expect([again.entryId, again.entry.body]).toEqual([entryId, entry.body])
    }
  })

  it('begins with an entry of the log itself, whose proof is empty in a tree of one', async () => {
    const other = await openV1Tree(db, clock, 'other.example.com')
    const alone = await serveLogV1({ trees: { trees: () => [other] }, clock, crypto: nodeCrypto })
    try {
      const { entry } = entryOf(await alone.call('/api/v1/log/entries?logIndex=0'), [other])
      expect(entry.verification.inclusionProof).toMatchObject({ hashes: [], treeSize: 1 })
    } finally {
      await alone.close()
      await other.log.close()
    }
  })
})

describe('POST /api/v1/log/entries/retrieve', () => {
  const queries = readVectors('retrieve').filter(({ name }) => !/empty-log|limits/.test(name))
  it.each(queries.map((vector) => [vector.name, vector] as const))('as recorded: %s', async (_, vector) => {
    const answer = await send(vector, undefined, ours(vector.request.body ?? ''))
    expect(answer.status).toBe(vector.response.status)
    expect(answer.headers['cache-control']).toBeUndefined()
    if (answer.status !== 200) {
      if (!/json:|unexpected EOF/.test(vector.response.body)) expect(answer.text).toBe(ours(vector.response.body))
      return
    }
    const maps = JSON.parse(answer.text) as Record<string, EntryObject>[]
    for (const map of maps) for (const [id, entry] of Object.entries(map)) checkEntry(id, entry, [tree])
    // Which entry has an index differs between the two logs.
    if (vector.request.body?.includes('logIndexes')) return expect(maps.length).toBe(vector.decoded?.length ?? 0)
    const wanted = (vector.decoded ?? []).map(({ entryId }) => ours(entryId))
    expect(maps.map((map) => Object.keys(map)[0])).toEqual(wanted)
  })
})

describe('POST /api/v1/index/retrieve', () => {
  const queries = readVectors('index')
  const known = new Set(posts.map(({ decoded }) => decoded![0]!.entryId))
  // What the payload of an envelope says is not in the entry; keys of PGP are not taken; and a key finds every entry that it signed, where the reference
  // writes it in two forms and asks for one.
  const different = /subject-digest|pgp/
  const more = /public-key|key-as-hash|operator|and-|index-or/
  it.each(queries.filter(({ name }) => !different.test(name)).map((vector) => [vector.name, vector] as const))(
    'as recorded: %s',
    async (_, vector) => {
      let answer = await send(vector)
      if (vector.response.status !== 200) {
        expect(answer.status).toBe(vector.response.status)
        if (!/json:|unexpected EOF/.test(vector.response.body)) expect(answer.text).toBe(vector.response.body)
        return
      }
      const wanted = (JSON.parse(vector.response.body) as string[]).filter((id) => known.has(id)).map(ours)
      // The index follows by itself.
      for (let left = 100; left > 0 && (JSON.parse(answer.text) as string[]).length < wanted.length; left--) {
        await new Promise((resolve) => setTimeout(resolve, 50))
        answer = await send(vector)
      }
      expect([answer.status, answer.text.endsWith(']\n')]).toEqual([200, true])
      const ids = JSON.parse(answer.text) as string[]
      expect(new Set(ids).size).toBe(ids.length)
      if (more.test(vector.name)) expect(ids).toEqual(expect.arrayContaining(wanted))
      else expect(ids.sort()).toEqual(wanted.sort())
    },
  )

  it('is switched off where there is no index', async () => {
    const without = await serveLogV1({ trees: { trees: () => [tree] }, clock, crypto: nodeCrypto })
    const body = JSON.stringify({ email: 'a@example.org' })
    const answer = await without.call('/api/v1/index/retrieve', { method: 'POST', headers: JSON_BODY, body })
    await without.close()
    expect([answer.status, answer.text]).toEqual([
      501,
      '{"code":501,"message":"Search Index API not enabled in this Rekor instance"}\n',
    ])
  })
})

describe('GET /api/v1/log and /api/v1/log/proof', () => {
  it('says how large the tree is, and signs for it', async () => {
    const info = JSON.parse((await server.call('/api/v1/log')).text) as Record<string, unknown>
    const { size, root } = await tree.log.checkpoint()
    expect(info).toEqual({
      inactiveShards: null,
      rootHash: Buffer.from(root).toString('hex'),
      signedTreeHead: expect.any(String),
      treeID: tree.treeId.toString(),
      treeSize: Number(size),
    })
    const { origin } = parseCheckpoint(parseSignedNote(info['signedTreeHead'] as string).text)
    expect(origin).toBe(`log.example.com - ${tree.treeId}`)
  })

  const refused = readVectors('proofs').filter(({ response }) => response.status !== 200)
  it.each(refused.map((vector) => [vector.name, vector] as const))('refuses: %s', async (_, vector) => {
    const answer = await send(vector)
    expect(answer.status).toBe(vector.response.status)
    const { size } = await tree.log.checkpoint()
    expect(answer.text).toBe(vector.response.body.replace('observable(84)', `observable(${size})`))
  })

  it('proves one size from another, under the root of now', async () => {
    const { size, root } = await tree.log.checkpoint()
    const id = tree.treeId.toString()
    for (const first of [1n, 2n, 3n, size - 1n, size]) {
      const answer = await server.call(`/api/v1/log/proof?firstSize=${first}&lastSize=${size}&treeID=${id}`)
      const { hashes, rootHash } = JSON.parse(answer.text) as { hashes: string[]; rootHash: string }
      expect(rootHash).toBe(Buffer.from(root).toString('hex'))
      const roots = await rootOf(first)
      verifyConsistency({
        firstSize: first,
        secondSize: size,
        firstRoot: roots,
        secondRoot: root,
        proof: hashes.map((hash) => new Uint8Array(Buffer.from(hash, 'hex'))),
      })
    }
  })

  it('takes empty parameters for absent ones', async () => {
    const one = await server.call('/api/v1/log/proof?lastSize=2')
    for (const query of ['firstSize=&lastSize=2', 'lastSize=2&treeID=', 'firstSize=1&lastSize=2'])
      expect((await server.call(`/api/v1/log/proof?${query}`)).text).toBe(one.text)
  })

  async function rootOf(size: bigint): Promise<Uint8Array> {
    const leaves = (await tree.log.entries(0n, size)).map(({ leafHash: hash }) => hash)
    const hashPair = (left: Uint8Array, right: Uint8Array) => nodeCrypto.hash('SHA2_256', Uint8Array.of(1), left, right)
    const fold = (nodes: readonly Uint8Array[]): Uint8Array => {
      if (nodes.length === 1) return nodes[0]!
      let split = 1
      while (split * 2 < nodes.length) split *= 2
      return hashPair(fold(nodes.slice(0, split)), fold(nodes.slice(split)))
    }
    return fold(leaves)
  }
})

describe('everything else', () => {
  it('answers a search for nothing', async () => {
    expect((await post('/api/v1/index/retrieve', {})).text).toBe('[]\n')
  })
})
