import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { generateSigner, nodeCrypto } from '@touchmark/crypto/node'
import { checkLog, type Log, type OpenLogOptions } from '@touchmark/ledger'
import { leafHash, verifyConsistency } from '@touchmark/merkle'
import { openDatabase } from '@touchmark/postgres'
import { testDatabase } from '@touchmark/testkit'
import { decodeEntryBundle } from '@touchmark/tlog'
import { START, TestTree, appendAll, bodies, body, certificateLeaf, checkAnswer, slowSigner } from './support/ledger.js'

jest.setTimeout(120_000)
let db: Awaited<ReturnType<typeof testDatabase>>
const opened: Log[] = []
beforeAll(async () => {
  db = await testDatabase()
})
afterAll(async () => {
  await Promise.all(opened.map((log) => log.close()))
  await db.drop()
})

async function newLog(options: Partial<OpenLogOptions> = {}): Promise<Log> {
  const log = await new TestTree(db, options).open()
  opened.push(log)
  return log
}

/** Rows of a table that this database's ended sessions read, by scans and through all its indexes. */
async function statistics(table: string): Promise<{ byScan: number; byIndex: number }> {
  for (let attempt = 0; ; attempt++) {
    const [row] = await db.query<{ seq: string; idx: string }>(
      `select seq_tup_read as seq, coalesce((select sum(idx_tup_read) from pg_stat_user_indexes where relname = $1), 0) as idx
       from pg_stat_user_tables where relname = $1 and n_tup_ins > 10000`,
      [table],
    )
    if (row) return { byScan: Number(row.seq), byIndex: Number(row.idx) }
    if (attempt === 100) throw new Error('the server counts no statistics')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

describe('a new tree', () => {
  it('begins with a genesis entry, and no entry has an empty proof', async () => {
    const log = await newLog()
    const genesis = (await log.entries(0n, 1n))[0]!
    expect(JSON.parse(new TextDecoder().decode(genesis.body))).toMatchObject({ kind: 'hashedrekord' })
    const first = await log.append({ body: body('first') })
    expect(first).toMatchObject({ index: 1n, duplicate: false })
    expect(first.proof.size).toBe(2n)
    checkAnswer(log, body('first'), first)
    await checkLog(log)
  })

  it('is made once when many processes start at the same moment', async () => {
    const tree = new TestTree(db)
    const logs = await Promise.all(Array.from({ length: 6 }, () => tree.open()))
    opened.push(...logs)
    const heads = await Promise.all(logs.map((log) => log.checkpoint()))
    expect(new Set(heads.map((head) => head.note)).size).toBe(1)
    expect(heads[0]!.size).toBe(1n)
  })

  it('takes any key that can sign its genesis entry, or is given one', async () => {
    const p384 = await newLog({ signer: generateSigner({ kind: 'ecdsa', curve: 'P-384' }) })
    await appendAll(p384, bodies('p384', 2))
    await checkLog(p384)
    const ed25519 = await newLog({ signer: generateSigner({ kind: 'ed25519' }), genesis: { body: body('genesis') } })
    await appendAll(ed25519, bodies('ed25519', 2))
    await checkLog(ed25519)
  })

  it('goes on where it was after a restart', async () => {
    const tree = new TestTree(db)
    const before = await tree.open()
    await appendAll(before, bodies('before', 300))
    await before.close()
    const after = await tree.open()
    opened.push(after)
    const [answer] = await appendAll(after, bodies('after', 1))
    expect(answer!.index).toBe(301n)
    expect(await checkLog(after)).toMatchObject({ size: 302n })
  })
})

describe('appending', () => {
  it('proves every entry of a batch under one checkpoint', async () => {
    const log = await newLog()
    const answers = await appendAll(log, bodies('batch', 300))
    expect(answers.map((answer) => answer.index)).toEqual(answers.map((_, i) => BigInt(i + 1)))
    expect(await checkLog(log)).toMatchObject({ size: 301n })
  })

  it('answers an equal entry with the first one’s index and a fresh proof', async () => {
    const log = await newLog()
    const first = await log.append({ body: body('same') })
    await appendAll(log, bodies('between', 600))
    const again = await log.append({ body: body('same') })
    checkAnswer(log, body('same'), again)
    expect(again).toMatchObject({ index: first.index, duplicate: true })
    expect(again.proof.size).toBe(602n)
    expect((await log.checkpoint()).size).toBe(602n)
  })

  it('gives equal entries of one batch one index', async () => {
    const log = await newLog()
    const answers = await appendAll(log, [body('twin'), body('other'), body('twin'), body('twin')])
    expect(answers.map((answer) => answer.index)).toEqual([1n, 2n, 1n, 1n])
    expect(answers.map((answer) => answer.duplicate)).toEqual([false, false, true, true])
    expect((await log.checkpoint()).size).toBe(3n)
  })

  it('stores entries of 1 and of 65,535 bytes, and refuses one more byte', async () => {
    const log = await newLog()
    const longest = new Uint8Array(65_535).fill(7)
    await appendAll(log, [Uint8Array.of(1), longest])
    await expect(log.append({ body: new Uint8Array(65_536) })).rejects.toThrowCode('LEDGER_ENTRY_TOO_LARGE')
    await expect(log.append({ body: new Uint8Array(0) })).rejects.toThrowCode('LEDGER_ENTRY_INVALID')
    expect(await checkLog(log)).toMatchObject({ size: 3n })
  })

  it('keeps one caller’s cancellation to itself', async () => {
    const slow = slowSigner()
    const log = await newLog({ signer: slow.signer, batch: { maxEntries: 2 } })
    slow.pause()
    const inBatch = new AbortController()
    const waiting = new AbortController()
    const first = log.append({ body: body('in batch') }, { signal: inBatch.signal })
    const second = log.append({ body: body('in batch too') })
    await slow.asked()
    const third = log.append({ body: body('leaves') }, { signal: waiting.signal })
    const fourth = log.append({ body: body('stays') })
    inBatch.abort()
    waiting.abort()
    await expect(third).rejects.toThrowCode('LEDGER_CANCELLED')
    slow.resume()
    // What was in the batch is appended, its caller gone or not.
    expect([(await first).index, (await second).index, (await fourth).index]).toEqual([1n, 2n, 3n])
    await expect(log.append({ body: body('late') }, { signal: AbortSignal.abort() })).rejects.toThrowCode(
      'LEDGER_CANCELLED',
    )
    expect(await log.indexOf(leafHash(body('leaves')))).toBeUndefined()
    await checkLog(log)
  })

  it('F8: turns callers away past its bound, with a time to come again, and serves them later', async () => {
    const slow = slowSigner()
    const refused: string[] = []
    const observe = { refused: (code: string) => void refused.push(code) }
    const log = await newLog({ signer: slow.signer, maxWaiting: 3, batch: { maxEntries: 2 }, observe })
    slow.pause()
    const accepted = bodies('accepted', 3).map((one) => log.append({ body: one }))
    const error: unknown = await log.append({ body: body('too many') }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'LEDGER_PUSHBACK' })
    expect((error as { details: { retryAfterSeconds: number } }).details.retryAfterSeconds).toBeGreaterThanOrEqual(1)
    expect(refused).toEqual(['LEDGER_PUSHBACK'])
    slow.resume()
    await Promise.all(accepted)
    const later = await log.append({ body: body('too many') })
    expect(later).toMatchObject({ index: 4n, duplicate: false })
    await checkLog(log)
  })

  it.each([0, 1, 40])('F4: answers the %d entries it accepted before it closes, and takes no more', async (count) => {
    const tree = new TestTree(db)
    const log = await tree.open({ batch: { maxEntries: 16 } })
    const answers = bodies('pending', count).map((one) => log.append({ body: one }))
    const closing = log.close()
    await expect(log.append({ body: body('late') })).rejects.toThrowCode('LEDGER_CLOSED')
    await closing
    expect((await Promise.all(answers)).map((answer) => answer.index)).toEqual(answers.map((_, i) => BigInt(i + 1)))
    const again = await tree.open()
    opened.push(again)
    expect(await checkLog(again)).toMatchObject({ size: BigInt(count + 1) })
  })

  it('tells of every refusal, also of one that comes when the entry was taken long ago', async () => {
    const refused: string[] = []
    const tree = new TestTree(db)
    const log = await tree.open({ observe: { refused: (code) => void refused.push(code) } })
    opened.push(log)
    await db.query(`update logs set state = 'frozen', frozen_at = now() where origin = $1`, [tree.origin])
    for (const options of [{}, { signal: new AbortController().signal }]) {
      await expect(log.append({ body: body('late') }, options)).rejects.toThrowCode('LEDGER_FROZEN')
    }
    expect(refused).toEqual(['LEDGER_FROZEN', 'LEDGER_FROZEN'])
  })

  it('appends nothing to a frozen tree, and goes on serving it', async () => {
    const tree = new TestTree(db)
    const log = await tree.open()
    opened.push(log)
    await appendAll(log, bodies('before', 5))
    await db.query(`update logs set state = 'frozen' where origin = $1`, [tree.origin])
    await expect(log.append({ body: body('late') })).rejects.toThrowCode('LEDGER_FROZEN')
    await expect(log.resign()).rejects.toThrowCode('LEDGER_FROZEN')
    expect(log.state).toBe('frozen')
    expect(log.failure).toBeUndefined()
    expect(await checkLog(log)).toMatchObject({ size: 6n })
    const again = await tree.open()
    opened.push(again)
    expect(again.state).toBe('frozen')
  })

  it('tells what each batch cost', async () => {
    const reports: unknown[] = []
    const log = await newLog({ observe: { batch: (report) => void reports.push(report) } })
    await appendAll(log, [body('one'), body('two'), body('one')])
    await log.append({ body: body('two') })
    await log.close()
    // The equal one was in no batch, nor was the known one.
    expect(reports).toMatchObject([{ outcome: 'committed', entries: 2, added: 2, bytes: 6 }])
  })
})

describe('signing the head again', () => {
  it('keeps size and root, and gives it the time of now', async () => {
    const tree = new TestTree(db)
    const log = await tree.open()
    opened.push(log)
    await appendAll(log, bodies('entry', 3))
    const before = await log.checkpoint()
    tree.clock.advance(60_000)
    const after = await log.resign()
    expect(after).toMatchObject({ size: before.size, at: tree.clock.now() })
    expect(after.root).toEqual(before.root)
    expect((await log.checkpoint()).note).toBe(after.note)
    await appendAll(log, bodies('more', 3))
    await checkLog(log)
  })
})

describe('reading', () => {
  it('serves tiles, partial ones as prefixes, and nothing beyond the tree', async () => {
    const log = await newLog()
    await appendAll(log, bodies('tile', 299))
    const full = (await log.tile(0, 0n, 256))!
    expect(full).toHaveLength(8192)
    for (const width of [1, 100, 255]) {
      expect(Buffer.compare((await log.tile(0, 0n, width))!, full.subarray(0, width * 32))).toBe(0)
    }
    expect(await log.tile(0, 1n, 44)).toHaveLength(44 * 32)
    for (const [level, index, width] of [
      [0, 1n, 45],
      [0, 1n, 256],
      [0, 2n, 1],
      [1, 0n, 2],
      [2, 0n, 1],
      [64, 0n, 1],
      [-1, 0n, 1],
      [0.5, 0n, 1],
      [0, -1n, 1],
      [0, 1n << 60n, 1],
      [0, 0n, 0],
      [0, 0n, 257],
    ] as const) {
      expect(await log.tile(level, index, width)).toBeUndefined()
      if (level === 0) expect(await log.entryBundle(index, width)).toBeUndefined()
    }
    expect(decodeEntryBundle((await log.entryBundle(1n, 44))!)).toHaveLength(44)
    expect(decodeEntryBundle((await log.entryBundle(0n, 256))!)).toHaveLength(256)
  })

  it('gives entries in order, up to its limits of count and bytes', async () => {
    const log = await newLog()
    await appendAll(log, bodies('small', 1200))
    expect(await log.entries(0n, 5000n)).toHaveLength(1000)
    expect((await log.entries(1195n, 5000n)).map((entry) => entry.index)).toEqual([
      1195n,
      1196n,
      1197n,
      1198n,
      1199n,
      1200n,
    ])
    expect(await log.entries(1201n, 1300n)).toEqual([])
    expect(await log.entries(7n, 7n)).toEqual([])
    expect(await log.entries(1n << 63n, (1n << 63n) + 5n)).toEqual([])
    await expect(log.entries(-1n, 3n)).rejects.toThrowCode('LEDGER_RANGE_INVALID')
    await expect(log.entries(3n, 2n)).rejects.toThrowCode('LEDGER_RANGE_INVALID')
    const large = Array.from({ length: 150 }, (_, i) => new Uint8Array(65_000).fill(i))
    await appendAll(log, large)
    const some = await log.entries(1201n, 1351n)
    expect(some.length).toBeGreaterThan(100)
    expect(some.length).toBeLessThan(150)
  })

  it('proves between any two sizes it has had, and refuses others', async () => {
    const log = await newLog()
    const heads = [await log.checkpoint()]
    for (let i = 0; i < 6; i++) {
      await appendAll(log, bodies(`step ${i}`, 60))
      heads.push(await log.checkpoint())
    }
    for (const [i, first] of heads.entries()) {
      for (const second of heads.slice(i)) {
        const proof = await log.consistencyProof(first.size, second.size)
        verifyConsistency({
          firstSize: first.size,
          firstRoot: first.root,
          secondSize: second.size,
          secondRoot: second.root,
          proof,
        })
      }
    }
    await expect(log.consistencyProof(1n, 362n)).rejects.toThrowCode('LEDGER_RANGE_INVALID')
    await expect(log.consistencyProof(5n, 4n)).rejects.toThrowCode('LEDGER_RANGE_INVALID')
    await expect(log.consistencyProof(-1n, 4n)).rejects.toThrowCode('LEDGER_RANGE_INVALID')
    await expect(log.inclusionProof(361n, 361n)).rejects.toThrowCode('LEDGER_RANGE_INVALID')
    await expect(log.inclusionProof(-1n, 4n)).rejects.toThrowCode('LEDGER_RANGE_INVALID')
    await expect(log.inclusionProof(0n, 362n)).rejects.toThrowCode('LEDGER_RANGE_INVALID')
    expect(await log.indexOf(new Uint8Array(32))).toBeUndefined()
  })

  it('reads a tile from the database once', async () => {
    const tree = new TestTree(db)
    const writer = await tree.open()
    await appendAll(writer, bodies('entry', 700))
    await writer.close()
    const own = await openDatabase({ url: db.url, poolSize: 2 })
    const log = await tree.open({ db: own })
    const first = await log.inclusionProof(3n, 701n)
    await log.entryBundle(0n, 256)
    await own.close()
    // The pool is gone: what is served now comes from memory.
    expect(await log.inclusionProof(3n, 701n)).toEqual(first)
    expect(await log.tile(0, 0n, 256)).toHaveLength(8192)
    expect(await log.tile(0, 0n, 17)).toHaveLength(17 * 32)
    expect(await log.tile(0, 2n, 189)).toHaveLength(189 * 32)
    expect(decodeEntryBundle((await log.entryBundle(0n, 256))!)).toHaveLength(256)
    expect((await log.checkpoint()).size).toBe(701n)
    await log.close()
  })
})

describe('look-ups while the tree grows', () => {
  it('use the index of hashes, whatever was planned when the tree was small', async () => {
    const own = await openDatabase({ url: db.url, poolSize: 2 })
    const log = await new TestTree(db).open({ db: own, maxWaiting: 20_000, batch: { maxEntries: 500 } })
    for (let i = 0; i < 10; i++) await log.append({ body: body(`plan ${i}`) })
    await Promise.all(bodies('grow', 10_000).map((one) => log.append({ body: one })))
    await log.close()
    // What a session read is counted when it ends.
    await own.close()
    const read = await statistics('log_entries')
    expect(read.byScan).toBeLessThan(10_000)
    // A plan that reads the tree for each entry reads fifty million rows here.
    expect(read.byIndex).toBeLessThan(1_000_000)
  })
})

describe('tile edges', () => {
  it.each([255, 256, 257])('of a tree of %d entries are right, reached one by one', async (size) => {
    const tree = new TestTree(db)
    const log = await tree.open()
    await appendAll(log, bodies('entry', size - 3))
    for (const one of bodies('last', 2)) checkAnswer(log, one, await log.append({ body: one }))
    expect(await checkLog(log)).toMatchObject({ size: BigInt(size) })
    await log.close()
    const again = await tree.open()
    opened.push(again)
    await appendAll(again, bodies('after', 3))
    await checkLog(again)
  })

  it('C6: of trees of 65,535 to 65,537 entries are right, over restarts', async () => {
    const tree = new TestTree(db, { maxWaiting: 100_000, batch: { maxEntries: 4096 } })
    let log = await tree.open()
    await Promise.all(bodies('fill', 65_533).map((one) => log.append({ body: one })))
    for (const size of [65_535n, 65_536n, 65_537n]) {
      const [answer] = await appendAll(log, [body(`size ${size}`)])
      expect(answer!.proof.size).toBe(size)
      await log.close()
      log = await tree.open()
      const tiles = [
        await log.tile(2, 0n, 1),
        await log.tile(1, 0n, 256),
        await log.tile(0, 255n, 256),
        await log.tile(0, 256n, 1),
      ]
      expect(tiles.map((tile) => tile !== undefined)).toEqual([
        size >= 65_536n,
        size >= 65_536n,
        size >= 65_536n,
        size >= 65_537n,
      ])
    }
    opened.push(log)
    expect(await checkLog(log, { proofs: 60 })).toMatchObject({ size: 65_537n })
    const old = await log.append({ body: body('fill 40000') })
    checkAnswer(log, body('fill 40000'), old)
    expect(old.duplicate).toBe(true)
  })
})

describe('a certificate log', () => {
  const genesis = { body: certificateLeaf('issuing CA', START), extra: body('chain') }

  it('keeps chains beside its leaves', async () => {
    const log = await newLog({ kind: 'certificate', genesis })
    const leaf = certificateLeaf('one', START)
    await log.append({ body: leaf, extra: body('chain of one') })
    await log.append({ body: certificateLeaf('two', START) })
    const entries = await log.entries(0n, 3n)
    expect(entries.map((entry) => entry.extra && new TextDecoder().decode(entry.extra))).toEqual([
      'chain',
      'chain of one',
      undefined,
    ])
    expect(entries[1]!.leafHash).toEqual(Buffer.from(leafHash(leaf)))
    await checkLog(log)
  })

  it('C3: signs a tree head with every checkpoint, whose time never goes back and covers each SCT', async () => {
    const tree = new TestTree(db, { kind: 'certificate', genesis })
    const log = await tree.open()
    opened.push(log)
    let last = 0n
    for (const step of [1000, -5000, 0, 7000]) {
      tree.clock.advance(step)
      const sct = new Date(tree.clock.now().getTime() + 250).toISOString()
      await log.append({ body: certificateLeaf(`step ${step}`, sct) })
      const { treeHead, size, root } = await log.checkpoint()
      expect(treeHead!.timestamp).toBeGreaterThan(last)
      expect(treeHead!.timestamp).toBeGreaterThanOrEqual(BigInt(new Date(sct).getTime()))
      last = treeHead!.timestamp
      const message = Buffer.alloc(18)
      message[1] = 1
      message.writeBigUInt64BE(treeHead!.timestamp, 2)
      message.writeBigUInt64BE(size, 10)
      const signature = treeHead!.signature.subarray(4)
      const scheme = { kind: 'ecdsa', hash: 'SHA2_256' } as const
      expect(nodeCrypto.verify(log.publicKey, scheme, Buffer.concat([message, root]), signature)).toBe(true)
    }
    const again = await tree.open()
    opened.push(again)
    expect((await again.resign()).treeHead!.timestamp).toBeGreaterThan(last)
  })

  it('refuses what is no leaf of RFC 6962, and what is too large', async () => {
    const log = await newLog({ kind: 'certificate', genesis })
    await expect(log.append({ body: body('no leaf') })).rejects.toThrowCode('LEDGER_ENTRY_INVALID')
    const large = new Uint8Array(256 * 1024 + 1)
    await expect(log.append({ body: large })).rejects.toThrowCode('LEDGER_ENTRY_TOO_LARGE')
  })

  it('must have a P-256 key', async () => {
    const signer = generateSigner({ kind: 'ed25519' })
    await expect(newLog({ kind: 'certificate', genesis, signer })).rejects.toThrowCode('LEDGER_KEY_UNSUPPORTED')
  })
})

describe('opening', () => {
  it('refuses another key than the tree was begun with, and says what to do', async () => {
    const tree = new TestTree(db)
    await (await tree.open()).close()
    const signer = generateSigner({ kind: 'ecdsa', curve: 'P-256' })
    const error: unknown = await tree.open({ signer }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'LEDGER_KEY_MISMATCH' })
    expect((error as { details: { hint: string } }).details.hint).toContain('key')
  })

  it('refuses a tree of another kind', async () => {
    const tree = new TestTree(db)
    await (await tree.open()).close()
    const genesis = { body: certificateLeaf('issuing CA', START) }
    await expect(tree.open({ kind: 'certificate', genesis })).rejects.toThrowCode('LEDGER_KIND_MISMATCH')
  })
})
