import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { createHasher } from '@touchmark/audit'
import { testDatabase } from '@touchmark/testkit'
import { serveLog } from '../../apps/log/src/testing/serve.js'
import { checkFiles } from '../../apps/cli/src/fsck/check-files.js'
import { openLogFiles } from '../../apps/cli/src/log-files/log-files.js'
import { testContext } from '../../apps/cli/src/testing/context.js'
import { TestTree, appendAll, bodies, dropDefences } from './support/ledger.js'

jest.setTimeout(120_000)
/** A database whose own defences are gone: what is damaged there is served. */
let db: Awaited<ReturnType<typeof testDatabase>>
beforeAll(async () => {
  db = await testDatabase()
  await dropDefences(db)
})
afterAll(() => db.drop())

const LOG = '(select id from logs where origin = $1)'
const FLIP = (column: string, at: number) => `set_byte(${column}, ${at}, get_byte(${column}, ${at}) # 1)`

const DAMAGE: [what: string, sql: string, found: Record<string, unknown>[]][] = [
  ['nothing', 'select $1::text', []],
  [
    'a byte of a body',
    `update log_entries set body = ${FLIP('body', 2)} where log_id = ${LOG} and index = 300`,
    [{ kind: 'entry', entry: 300n, path: 'tile/0/001', blame: 'entry' }],
  ],
  [
    'a byte of a level-0 tile',
    `update log_tiles set hashes = ${FLIP('hashes', 77)} where log_id = ${LOG} and level = 0 and index = 0`,
    [{ kind: 'entry', entry: 2n, path: 'tile/0/000', blame: 'tile' }],
  ],
  [
    'an entry that is gone',
    `delete from log_entries where log_id = ${LOG} and index = 599`,
    Array.from({ length: 88 }, (_, i) => ({ kind: 'entry', entry: BigInt(512 + i), path: 'tile/entries/002.p/88' })),
  ],
  [
    'a tile that is gone',
    `delete from log_tiles where log_id = ${LOG} and level = 0 and index = 0`,
    [{ kind: 'tile', path: 'tile/0/000' }],
  ],
]

describe('a check over HTTP', () => {
  it.each(DAMAGE)('names %s', async (_, sql, found) => {
    const tree = new TestTree(db)
    const log = await tree.open()
    const writer = await tree.open()
    await appendAll(writer, bodies('entry', 599))
    await writer.close()
    await db.query(sql, [tree.origin])
    // The log that is served was opened before: it has none of this in memory.
    const server = await serveLog({ log })
    const context = await testContext()
    const files = await openLogFiles(context, `http://127.0.0.1:${server.port}/api/v2/`, 4)
    const report = await checkFiles(files, {
      keys: [{ key: log.publicKey, origins: [tree.origin] }],
      connections: 4,
      hasher: createHasher(0),
      onProgress: () => undefined,
    })
    files.close()
    await context.remove()
    await server.close()
    await log.close()
    expect(report).toMatchObject({ size: 600n, origin: tree.origin })
    expect(report.differences).toHaveLength(found.length)
    for (const [i, expected] of found.entries()) expect(report.differences[i]).toMatchObject(expected)
  })
})
