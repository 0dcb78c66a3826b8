import { createHash, randomBytes, randomInt } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { checkLog, type Log } from '@touchmark/ledger'
import { CompactRange, leafHash, verifyConsistency } from '@touchmark/merkle'
import { testDatabase } from '@touchmark/testkit'
import { logIdOf, rightEdge, signCheckpoint } from '@touchmark/tlog'
import { NaiveTree, bundleOf } from './support/naive-tree.js'
import { TestTree, appendAll, bodies, body, checkAnswer } from './support/ledger.js'

// Reliability tests C6 (tile boundaries) and C9 (the same entries in a naive tree).

jest.setTimeout(120_000)
let db: Awaited<ReturnType<typeof testDatabase>>
beforeAll(async () => {
  db = await testDatabase()
})
afterAll(() => db.drop())

const same = (found: Uint8Array | undefined, expected: Uint8Array, what: string): void => {
  if (found === undefined || Buffer.compare(found, expected) !== 0) throw new Error(`${what} is another one`)
}

/** Every tile and entry bundle at the right edge of a size, as a reader of that checkpoint asks for them. */
async function assertEdge(log: Log, naive: NaiveTree, entries: readonly Uint8Array[], size: number): Promise<void> {
  for (const { level, index, width } of rightEdge(BigInt(size))) {
    const what = `tile ${level}/${index}.p/${width} at size ${size}`
    same(await log.tile(level, index, width), naive.tile(level, Number(index), width), what)
    if (level > 0) continue
    const start = Number(index) * 256
    same(await log.entryBundle(index, width), bundleOf(entries.slice(start, start + width)), `bundle of ${what}`)
  }
}

describe('C6: tile boundaries', () => {
  it('C6: at every size from 1 to 514, one by one, partial tiles are there, and stay there as the tree grows', async () => {
    const tree = new TestTree(db)
    const log = await tree.open()
    const naive = new NaiveTree()
    const entries = (await log.entries(0n, 1n)).map((entry) => entry.body)
    naive.add(entries[0]!)
    await assertEdge(log, naive, entries, 1)
    for (const next of bodies('one by one', 513)) {
      const answer = await log.append({ body: next })
      checkAnswer(log, next, answer)
      entries.push(next)
      naive.add(next)
      same(answer.proof.root, naive.root(), `the root at ${naive.leaves.length}`)
      if (naive.leaves.length % 16 < 2) await assertEdge(log, naive, entries, naive.leaves.length)
    }
    // Once more, from a process that has nothing in memory: all sizes that were ever published.
    const fresh = await tree.open()
    for (const size of [1, 2, 3, 127, 128, 255, 256, 257, 258, 511, 512, 513, 514])
      await assertEdge(fresh, naive, entries, size)
    // Nothing beyond the tree.
    expect(await fresh.tile(0, 2n, 3)).toBeUndefined()
    expect(await fresh.tile(1, 0n, 3)).toBeUndefined()
    await Promise.all([log.close(), fresh.close()])
  })

  it.each([255, 256, 257])('C6: a batch that ends at %i, one that begins there, and one across', async (size) => {
    for (const cuts of [[size], [size - 1, 1], [size - 3, 6]]) {
      const tree = new TestTree(db)
      const log = await tree.open()
      for (const [i, count] of cuts.entries()) await appendAll(log, bodies(`batch ${i}`, i === 0 ? count - 1 : count))
      const { size: end } = await checkLog(log)
      expect(end).toBe(BigInt(cuts.reduce((sum, count) => sum + count, 0)))
      const again = await tree.open()
      expect(await checkLog(again)).toMatchObject({ size: end })
      await Promise.all([log.close(), again.close()])
    }
  })

  // Sixteen million entries are not written for this: the subtrees left of the last tile are random hashes, as if their entries were there.
  it.each([0, 1, 2, 3])(
    'C6: past 16,777,216 entries, where a fourth level begins, with a batch of %i before',
    async (count) => {
      const tree = new TestTree(db)
      await synthesize(tree, 2 ** 24 - 1)
      const log = await tree.open()
      if (count > 0) await appendAll(log, bodies('first', count))
      const seen: { size: bigint; root: Uint8Array }[] = []
      for (const next of bodies('after', 4)) {
        const answer = await log.append({ body: next })
        checkAnswer(log, next, answer)
        seen.push(answer.proof)
      }
      expect(seen.map(({ size }) => size)).toEqual([0, 1, 2, 3].map((i) => BigInt(2 ** 24 + count + i)))
      const last = seen.at(-1)!
      for (const first of seen.slice(0, -1)) {
        const proof = await log.consistencyProof(first.size, last.size)
        verifyConsistency({
          firstSize: first.size,
          firstRoot: first.root,
          secondSize: last.size,
          secondRoot: last.root,
          proof,
        })
      }
      // The first hash of the fourth level is the root of the first 2^24 entries.
      const top = await log.tile(3, 0n, 1)
      expect(top).toHaveLength(32)
      const again = await tree.open()
      expect(await again.tile(3, 0n, 1)).toEqual(top)
      expect(await again.tile(0, 65_536n, Number(last.size - 2n ** 24n))).toBeDefined()
      checkAnswer(again, body('later'), await again.append({ body: body('later') }))
      await Promise.all([log.close(), again.close()])
    },
  )
})

/** Writes the right edge of a tree of so many entries, of which only the last tile's are there. */
async function synthesize(tree: TestTree, size: number): Promise<void> {
  const { origin, signer } = tree
  const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest())
  const edge = rightEdge(BigInt(size))
  const entries = bodies('last tile', edge[0]!.width)
  const tiles = edge.map(({ level, index, width }) => {
    const hashes =
      level === 0 ? entries.map((entry) => leafHash(entry)) : Array.from({ length: width }, () => randomBytes(32))
    return { level, index, hashes }
  })
  // The frontier has the largest subtrees first: the highest tile's, folded into powers of two.
  const frontier = Buffer.concat(tiles.toReversed().flatMap(({ hashes }) => subtrees(hashes)))
  const root = CompactRange.decode(BigInt(size), frontier).root()
  const logId = logIdOf(signer.publicKey, origin, (bytes) => sha256(bytes as Uint8Array))
  const note = await signCheckpoint({ origin, size: BigInt(size), root, extensions: [] }, logId, signer)
  const [row] = await db.query<{ id: string }>(
    `insert into logs (kind, origin, key_sha256, size, root, frontier, checkpoint, appended_at)
     values ('signature-v2', $1, $2, $3, $4, $5, $6, $7) returning id`,
    [origin, sha256(signer.publicKey.spki), size, root, frontier, note, tree.clock.now()],
  )
  const first = size - entries.length
  for (const [i, entry] of entries.entries())
    await db.query('insert into log_entries (log_id, index, leaf_hash, body) values ($1, $2, $3, $4)', [
      row!.id,
      first + i,
      leafHash(entry),
      entry,
    ])
  for (const { level, index, hashes } of tiles)
    await db.query('insert into log_tiles (log_id, level, index, hashes) values ($1, $2, $3, $4)', [
      row!.id,
      level,
      index.toString(),
      Buffer.concat(hashes),
    ])
}

/** Roots of the largest complete subtrees over these hashes, left to right. */
function subtrees(hashes: readonly Uint8Array[]): Uint8Array[] {
  const range = CompactRange.empty()
  for (const hash of hashes) range.append(hash)
  const bytes = range.encode()
  return Array.from({ length: bytes.length / 32 }, (_, i) => bytes.subarray(i * 32, (i + 1) * 32))
}

describe('C9: the same entries in the log and in a naive tree', () => {
  async function compare(log: Log, naive: NaiveTree, entries: readonly Uint8Array[]): Promise<void> {
    const size = naive.leaves.length
    const head = await log.checkpoint()
    expect(head.size).toBe(BigInt(size))
    same(head.root, naive.root(), `the root at ${size}`)
    await assertEdge(log, naive, entries, size)
    for (let i = 0; i < 12; i++) {
      const at = randomInt(1, size + 1)
      const index = randomInt(0, at)
      const what = `inclusion of ${index} in ${at}`
      const found = await log.inclusionProof(BigInt(index), BigInt(at))
      same(Buffer.concat(found), Buffer.concat(naive.path(index, at)), what)
      const first = randomInt(1, at + 1)
      const proof = await log.consistencyProof(BigInt(first), BigInt(at))
      same(Buffer.concat(proof), Buffer.concat(naive.proof(first, at)), `consistency of ${first} and ${at}`)
    }
  }

  it('C9: give equal roots, proofs, tiles and bundles, in batches of any size, over restarts', async () => {
    const tree = new TestTree(db, { batch: { maxEntries: 700 } })
    let log = await tree.open()
    const naive = new NaiveTree()
    const entries = (await log.entries(0n, 1n)).map((entry) => entry.body)
    naive.add(entries[0]!)
    for (let round = 0; round < 40; round++) {
      const count = [1, randomInt(1, 9), randomInt(1, 300), 256][round % 4]!
      const batch = Array.from({ length: count }, () => new Uint8Array(randomBytes(randomInt(1, 400))))
      const answers = await appendAll(log, batch)
      for (const [i, answer] of answers.entries()) entries[Number(answer.index)] = batch[i]!
      for (let i = naive.leaves.length; i < entries.length; i++) naive.add(entries[i]!)
      for (const { index, proof } of answers.slice(0, 5))
        same(
          Buffer.concat(proof.hashes),
          Buffer.concat(naive.path(Number(index), Number(proof.size))),
          `the proof of ${index}`,
        )
      await compare(log, naive, entries)
      if (round % 7 === 6) {
        await log.close()
        log = await tree.open()
      }
    }
    await log.close()
  })

  it('C9: at 65,535, 65,536 and 65,537 entries too', async () => {
    const tree = new TestTree(db, { maxWaiting: 100_000, batch: { maxEntries: 4096 } })
    const log = await tree.open()
    const naive = new NaiveTree()
    const fill = bodies('fill', 65_534)
    const answers = await Promise.all(fill.map((one) => log.append({ body: one })))
    const entries = (await log.entries(0n, 1n)).map((entry) => entry.body)
    for (const [i, { index }] of answers.entries()) entries[Number(index)] = fill[i]!
    for (const entry of entries) naive.add(entry)
    await compare(log, naive, entries)
    for (const next of bodies('over', 2)) {
      checkAnswer(log, next, await log.append({ body: next }))
      entries.push(next)
      naive.add(next)
      await compare(log, naive, entries)
    }
    expect(entries).toHaveLength(65_537)
    await log.close()
  })
})
