import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startStandalone, type Standalone } from '@touchmark/app-standalone'
import { systemClock } from '@touchmark/clock'
import { createLogger } from '@touchmark/service'
import { testDatabase, type TestDatabase } from '@touchmark/testkit'
import { freePort } from '../support/stack.js'
import { send } from './support/http.js'
import { configOf, temporaryFolder } from './support/standalone.js'
import { readVectors } from './support/v1-log.js'

interface TrustedLog {
  readonly publicKey: { readonly rawBytes: string }
  readonly logId: { readonly keyId: string }
}

const logger = createLogger({ level: 'fatal' })
let db: TestDatabase
let folder: { path: string; remove(): Promise<void> }
let port: number

beforeAll(async () => {
  ;[db, folder, port] = await Promise.all([testDatabase(), temporaryFolder(), freePort()])
}, 60_000)
afterAll(async () => {
  await db.drop()
  await folder.remove()
})

const url = (): string => `http://localhost:${port}`
const data = (): string => join(folder.path, 'data')
const start = (): Promise<Standalone> => startStandalone(configOf(db, data(), { port }), { clock: systemClock, logger })
const logs = async (): Promise<TrustedLog[]> =>
  (JSON.parse((await send(url(), '/trust/trusted_root.json')).text) as { tlogs: TrustedLog[] }).tlogs

describe('an instance that is older than API v1', () => {
  it('gets key and tree at its next start, and keeps both from then on', async () => {
    const first = await start()
    const before = await logs()
    expect(before).toHaveLength(2)
    await first.stop(1000)
    // As an earlier release left it: no tree of API v1, and no key for one.
    await db.query("delete from log_shards where origin in (select origin from logs where kind = 'signature-v1')", [])
    await db.query("delete from logs where kind = 'signature-v1'", [])
    await rm(join(data(), 'keys', 'signature-log-v1.key.json'))

    const second = await start()
    const after = await logs()
    expect(after).toHaveLength(2)
    expect(after.map(({ logId }) => logId.keyId)).not.toContain(before[0]!.logId.keyId)
    expect(after[1]).toEqual(before[1])
    const { request } = readVectors('hashedrekord').find(({ name }) => name === 'hashedrekord-first')!
    const posted = await send(url(), request.path, request)
    expect(posted.status).toBe(201)
    const key = (await send(url(), '/api/v1/log/publicKey')).text.split('\n').slice(1, -2).join('')
    expect(key).toBe(after[0]!.publicKey.rawBytes)
    await second.stop(1000)

    const third = await start()
    expect(await logs()).toEqual(after)
    const id = posted.headers['etag']!
    expect((await send(url(), `/api/v1/log/entries/${id}`)).status).toBe(200)
    await third.stop(1000)
  }, 60_000)
})
