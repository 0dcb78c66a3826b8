import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { reindexSearch } from '@touchmark/app-standalone'
import { createHash, randomBytes } from 'node:crypto'
import { entryRequest, writeEntry } from '../support/log-writer.js'
import { send } from './support/http.js'
import { startInProcess, type InProcess } from './support/standalone.js'

jest.setTimeout(60_000)

interface Answer {
  logs: { origin: string; kind: string; indexedSize: string; treeSize: string }[]
  hits: { logIndex: string }[]
}

describe('search in a running stack', () => {
  let stack: InProcess
  beforeAll(async () => {
    stack = await startInProcess()
  })
  afterAll(() => stack.close())

  const search = async (query: string): Promise<Answer> => {
    const answer = await send(stack.url, `/api/touchmark/v1/search?${query}`)
    expect(answer.status).toBe(200)
    return JSON.parse(answer.text) as Answer
  }
  /** Asks until the index has followed. */
  const found = async (data: Buffer): Promise<Answer> => {
    for (;;) {
      const answer = await search(`digest=${createHash('sha256').update(data).digest('hex')}`)
      if (answer.hits.length > 0) return answer
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  it('finds what was logged, in every signature log', async () => {
    const data = randomBytes(20)
    const written = await writeEntry(stack.url, entryRequest(data))
    const answer = await found(data)
    expect(answer.hits.map(({ logIndex }) => logIndex)).toEqual([String(written!.index)])
    expect(answer.logs.map(({ kind }) => kind)).not.toContain('certificate')
    expect(answer.logs.map(({ origin }) => origin)).toContain('localhost')
    const { origin, pathname } = new URL(stack.standalone.greeting.metricsUrl)
    // The gauge is of the end of a round: what it shows may be found already.
    while (!/^touchmark_search_lag_entries 0$/m.test((await send(origin, pathname)).text))
      await new Promise((resolve) => setTimeout(resolve, 50))
  })

  it('is made anew by the operator while the stack runs', async () => {
    const data = randomBytes(20)
    await writeEntry(stack.url, entryRequest(data))
    await stack.db.query('delete from log_search')
    const before = process.env['TOUCHMARK_PASSPHRASE']
    const done = await reindexSearch({ data: stack.data, databaseUrl: stack.db.url })
    expect(process.env['TOUCHMARK_PASSPHRASE']).toBe(before)
    expect(done.map(({ origin }) => origin)).toContain('localhost')
    expect((await found(data)).hits).toHaveLength(1)
  })

  it('neither stops the logs nor makes the stack unready when its index is gone', async () => {
    await stack.db.query('alter table log_search rename to log_search_gone')
    try {
      expect(await writeEntry(stack.url)).toBeDefined()
      const refused = await send(stack.url, '/api/touchmark/v1/search?identity=a')
      expect(refused.status).toBe(500)
      expect(JSON.parse(refused.text)).toMatchObject({ code: 'INTERNAL' })
      await new Promise((resolve) => setTimeout(resolve, 600))
      expect((await send(stack.url, '/readyz')).status).toBe(200)
    } finally {
      await stack.db.query('alter table log_search_gone rename to log_search')
    }
    const data = randomBytes(20)
    expect(await writeEntry(stack.url, entryRequest(data))).toBeDefined()
    expect((await found(data)).hits).toHaveLength(1)
  })
})
