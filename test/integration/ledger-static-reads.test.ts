import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { Log } from '@touchmark/ledger'
import { Database } from '@touchmark/postgres'
import { tilePath } from '@touchmark/tlog'
import { testDatabase } from '@touchmark/testkit'
import { TestTree, appendAll, bodies } from './support/ledger.js'

jest.setTimeout(120_000)
let db: Awaited<ReturnType<typeof testDatabase>>
let log: Log
/** Statements that reads sent, by the start of their text. */
const statements: string[] = []
let tree: TestTree

beforeAll(async () => {
  db = await testDatabase()
  tree = new TestTree(db)
  const writer = await tree.open()
  await appendAll(writer, bodies('entry', 599))
  await writer.close()
  const counting = new Database(db.dataSource, db.url)
  const lend = counting.withClient.bind(counting)
  counting.withClient = (work) =>
    lend((client) => {
      const query = client.query.bind(client) as (...args: unknown[]) => unknown
      const counted = (...args: unknown[]): unknown => {
        const [first] = args as [string | { text: string }]
        statements.push((typeof first === 'string' ? first : first.text).replace(/\s+/g, ' ').slice(0, 40))
        return query(...args)
      }
      return work(
        new Proxy(client, {
          get: (target, name) => (name === 'query' ? counted : (Reflect.get(target, name) as unknown)),
        }),
      )
    })
  log = await new TestTree(counting, { origin: tree.origin, signer: tree.signer }).open()
})
afterAll(async () => {
  await log.close()
  await db.drop()
})

async function counted(work: () => Promise<unknown>): Promise<number> {
  statements.length = 0
  await work()
  return statements.length
}

describe('reads of what never changes', () => {
  it('ask the database once for a full tile, however many want it at once, and never again', async () => {
    const read = () => log.tile(0, 0n, 256)
    expect(await counted(() => Promise.all(Array.from({ length: 50 }, read)))).toBe(1)
    expect(await counted(read)).toBe(0)
    expect(await counted(() => log.tile(0, 0n, 17))).toBe(0)
    expect(await read()).toBe(await read())
  })

  it('ask the database once for a bundle, full or partial', async () => {
    for (const [index, width] of [
      [0n, 256],
      [2n, 88],
    ] as const) {
      const read = () => log.entryBundle(index, width)
      expect(await counted(() => Promise.all(Array.from({ length: 50 }, read)))).toBe(1)
      expect(await counted(read)).toBe(0)
    }
  })

  it('do not ask it for the partial tiles at the edge', async () => {
    expect(await counted(() => Promise.all([log.tile(0, 2n, 88), log.tile(1, 0n, 2)]))).toBe(0)
  })

  it('find what another process has added while they read', async () => {
    const other = await tree.open()
    for (let round = 0; round < 5; round++) {
      const before = (await log.checkpoint()).size
      const early = [
        log.tile(0, before >> 8n, Number(before & 255n) + 1),
        log.entryBundle(before >> 8n, Number(before & 255n) + 1),
      ]
      await appendAll(other, bodies(`round ${round}`, 3))
      const width = Number(before & 255n) + 3
      const name = tilePath(0, before >> 8n, width)
      const [tile, bundle] = await Promise.all([log.tile(0, before >> 8n, width), log.entryBundle(before >> 8n, width)])
      expect([name, tile?.length]).toEqual([name, width * 32])
      expect(bundle).toBeDefined()
      await Promise.all(early)
    }
    await other.close()
  })
})

it('a bundle is the entries as they are stored, each after its length, whatever bytes they are of', async () => {
  const odd = await new TestTree(db).open()
  const wanted = [Buffer.alloc(300), Buffer.from('ff'.repeat(70), 'hex'), Buffer.from('\\x41\n\t\0é')]
  for (const body of wanted) await odd.append({ body })
  const framed = wanted.map((body) => Buffer.concat([Buffer.of(body.length >> 8, body.length & 255), body]))
  // In front of them is the entry that the tree began with.
  const size = (await odd.checkpoint()).size
  const bundle = Buffer.from((await odd.entryBundle(0n, Number(size)))!)
  expect(bundle.subarray(-Buffer.concat(framed).length)).toEqual(Buffer.concat(framed))
  await odd.close()
})
