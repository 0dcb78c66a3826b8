import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ManualClock } from '@touchmark/clock'
import { nodeCrypto } from '@touchmark/crypto/node'
import { freezeLog } from '@touchmark/ledger'
import { testDatabase, type TestDatabase } from '@touchmark/testkit'
import { serveLogV1, type Answer, type LogServer } from '../../apps/log/src/testing/serve.js'
import { checkEntry, entryOf, openV1Tree, readVectors, type EntryObject, type TestV1Tree } from './support/v1-log.js'

const clock = new ManualClock('2026-11-22T10:00:00Z')
const bodies = readVectors('hashedrekord')
  .filter(({ name, response }) => response.status === 201 && !name.includes('other-case'))
  .map(({ request }) => request.body!)
let db: TestDatabase
let trees: TestV1Tree[]
let server: LogServer

const post = (path: string, body: string): Promise<Answer> =>
  server.call(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })
const submit = (body: string): Promise<Answer> => post('/api/v1/log/entries', body)
const listOf = (answer: Answer): { entryId: string; entry: EntryObject }[] =>
  (JSON.parse(answer.text) as Record<string, EntryObject>[]).map((map) => {
    const [entryId] = Object.keys(map)
    checkEntry(entryId!, map[entryId!]!, trees)
    return { entryId: entryId!, entry: map[entryId!]! }
  })
const idOf = (tree: TestV1Tree): string => tree.treeId.toString(16).padStart(16, '0')

beforeAll(async () => {
  db = await testDatabase()
  trees = [await openV1Tree(db, clock)]
  server = await serveLogV1({ trees: { trees: () => trees }, clock, crypto: nodeCrypto })
  for (const body of bodies.slice(0, 3)) await submit(body)
  // A new tree takes over: the old one is read only from now on.
  trees = [...trees, await openV1Tree(db, clock)]
  await freeze(trees[0]!)
}, 60_000)
afterAll(async () => {
  await server.close()
  await Promise.all(trees.map(({ log }) => log.close()))
  await db.drop()
})

async function freeze(tree: TestV1Tree): Promise<void> {
  const { signer, log } = tree
  await db.transaction(({ client }) => freezeLog(client, { origin: log.origin, signer, clock }))
  await tree.log.checkpoint()
  expect(tree.log.state).toBe('frozen')
}

describe('two trees', () => {
  it('count on where the first one ended', async () => {
    const [old, active] = trees as [TestV1Tree, TestV1Tree]
    const { entryId, entry } = entryOf(await submit(bodies[3]!), trees)
    expect(entryId.startsWith(idOf(active))).toBe(true)
    // The genesis entries of both, and three in the first.
    expect([entry.logIndex, entry.verification.inclusionProof.logIndex]).toEqual([5, 1])
    expect(entryOf(await server.call('/api/v1/log/entries?logIndex=5'), trees).entryId).toBe(entryId)
    const last = entryOf(await server.call('/api/v1/log/entries?logIndex=3'), trees)
    expect([last.entryId.startsWith(idOf(old)), last.entry.verification.inclusionProof.logIndex]).toEqual([true, 3])
    expect((await server.call('/api/v1/log/entries?logIndex=6')).status).toBe(404)
  })

  it('both take an entry, and the newer one is found first', async () => {
    const [old, active] = trees as [TestV1Tree, TestV1Tree]
    const answer = await submit(bodies[0]!)
    expect(answer.status).toBe(201)
    const { entryId } = entryOf(answer, trees)
    expect((await submit(bodies[0]!)).status).toBe(409)
    const leaf = entryId.slice(16)
    expect(entryOf(await server.call(`/api/v1/log/entries/${leaf}`), trees).entryId).toBe(entryId)
    expect(entryOf(await server.call(`/api/v1/log/entries/${idOf(old)}${leaf}`), trees).entryId).toBe(
      `${idOf(old)}${leaf}`,
    )
    expect((await server.call(`/api/v1/log/entries/00000000000000ff${leaf}`)).status).toBe(404)
    const both = [`${idOf(active)}${leaf}`, `${idOf(old)}${leaf}`]
    const byId = await post('/api/v1/log/entries/retrieve', JSON.stringify({ entryUUIDs: [leaf] }))
    expect(listOf(byId).map((hit) => hit.entryId)).toEqual(both)
    const byEntry = await post('/api/v1/log/entries/retrieve', `{"entries":[${bodies[0]!}]}`)
    expect(listOf(byEntry).map((hit) => hit.entryId)).toEqual(both)
  })

  it('each have a key, a size and proofs of their own', async () => {
    const [old, active] = trees as [TestV1Tree, TestV1Tree]
    const info = JSON.parse((await server.call('/api/v1/log')).text) as {
      treeID: string
      inactiveShards: { treeID: string; treeSize: number; signedTreeHead: string }[]
    }
    expect(info.treeID).toBe(active.treeId.toString())
    expect(info.inactiveShards).toHaveLength(1)
    expect(info.inactiveShards[0]).toMatchObject({ treeID: old.treeId.toString(), treeSize: 4 })
    const keyOf = async (query: string): Promise<string> => (await server.call(`/api/v1/log/publicKey${query}`)).text
    expect(await keyOf('')).toBe(await keyOf(`?treeID=${active.treeId}`))
    expect(await keyOf(`?treeID=${old.treeId}`)).not.toBe(await keyOf(''))
    const proof = await server.call(`/api/v1/log/proof?firstSize=2&lastSize=4&treeID=${old.treeId}`)
    expect((JSON.parse(proof.text) as { hashes: string[] }).hashes).toHaveLength(1)
  })

  it('take nothing once the newer one is frozen too, and are read as before', async () => {
    await freeze(trees[1]!)
    const answer = await submit(bodies[4]!)
    expect([answer.status, answer.text]).toEqual([
      501,
      '{"code":501,"message":"Create Entry API not enabled in this Rekor instance"}\n',
    ])
    // What is not valid is still told so.
    expect((await submit('{}')).status).toBe(422)
    entryOf(await server.call('/api/v1/log/entries?logIndex=5'), trees)
  })
})
