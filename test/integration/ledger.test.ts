import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { checkLog } from '@touchmark/ledger'
import { testDatabase } from '@touchmark/testkit'
import { TestTree, appendAll, bodies, body, checkAnswer } from './support/ledger.js'

let db: Awaited<ReturnType<typeof testDatabase>>
beforeAll(async () => {
  db = await testDatabase()
})
afterAll(async () => {
  await db.drop()
})

describe('the ledger', () => {
  it('begins with a genesis entry, and no entry has an empty proof', async () => {
    const log = await new TestTree(db).open()
    const genesis = (await log.entries(0n, 1n))[0]!
    expect(JSON.parse(new TextDecoder().decode(genesis.body))).toMatchObject({ kind: 'hashedrekord' })
    const first = await log.append({ body: body('first') })
    expect(first).toMatchObject({ index: 1n, duplicate: false })
    expect(first.proof.size).toBe(2n)
    checkAnswer(log, body('first'), first)
    await checkLog(log)
    await log.close()
  })

  it('proves every entry of a batch under one checkpoint', async () => {
    const log = await new TestTree(db).open()
    const answers = await appendAll(log, bodies('batch', 300))
    expect(answers.map((answer) => answer.index)).toEqual(answers.map((_, i) => BigInt(i + 1)))
    expect(await checkLog(log)).toMatchObject({ size: 301n })
    await log.close()
  })
})
