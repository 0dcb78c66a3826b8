import { writeFileSync } from 'node:fs'
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import {
  freezeShard,
  listShards,
  openMaintenance,
  rollover,
  rolloverV1,
  startStandalone,
  type Standalone,
} from '@touchmark/app-standalone'
import { systemClock } from '@touchmark/clock'
import { openLog } from '@touchmark/ledger'
import { createLogger } from '@touchmark/service'
import { testDatabase, type TestDatabase } from '@touchmark/testkit'
import { entryRequest, writeEntry } from '../support/log-writer.js'
import { freePort } from '../support/stack.js'
import { send } from './support/http.js'
import { configOf, PASSPHRASE, temporaryFolder } from './support/standalone.js'

jest.setTimeout(120_000)
const logger = createLogger({ level: 'silent' })
let db: TestDatabase
let folder: Awaited<ReturnType<typeof temporaryFolder>>
let port: number
let server: Standalone | undefined
const data = (): string => join(folder.path, 'data')
const url = (): string => `http://127.0.0.1:${port}`
const options = () => ({
  data: data(),
  databaseUrl: db.url,
  passphraseFile: join(folder.path, 'passphrase'),
})

async function start(): Promise<void> {
  const config = configOf(db, data(), { port, publicUrl: url() })
  server = await startStandalone(config, { clock: systemClock, logger })
}
async function stop(): Promise<void> {
  await server?.stop(500)
  server = undefined
}

beforeAll(async () => {
  ;[db, folder, port] = await Promise.all([testDatabase(), temporaryFolder(), freePort()])
  writeFileSync(options().passphraseFile, PASSPHRASE, { mode: 0o600 })
  await start()
})
afterAll(async () => {
  await stop()
  await db.drop()
  await folder.remove()
})

/** Origin, state and key of every shard but the certificate log. */
async function shards(): Promise<unknown[]> {
  const all = await listShards(options())
  return all
    .filter(({ kind }) => kind !== 'certificate')
    .map(({ origin, state, keyName }) => [origin.replace(/ - \d+$/, ' - ID'), state, keyName])
}

const FIRST = ['127.0.0.1', 'active', 'signature-log']
const FIRST_V1 = ['127.0.0.1 - ID', 'active', 'signature-log-v1']

async function readiness(at: string): Promise<{ status: number; shards: string | undefined }> {
  const { status, text } = await send(at, '/readyz')
  return { status, shards: (JSON.parse(text) as { checks: Record<string, string> }).checks['shards'] }
}

async function until(what: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 10_000
  while (!(await what())) {
    if (performance.now() > end) throw new Error('it did not come to be')
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

describe('shards of an instance', () => {
  it('that is older than shards become rows at the next start', async () => {
    expect(await writeEntry(url())).toBeDefined()
    await stop()
    await db.query('delete from log_shards')
    const v1 = rolloverV1(options(), systemClock)
    await expect(v1).rejects.toThrowCode('STANDALONE_SHARD_UNKNOWN')
    await start()
    expect(await shards()).toEqual([FIRST, FIRST_V1])
    expect((await writeEntry(url()))!.index).toBe(2n)
  })

  it('a rollover that was cut short after its key goes on with that key', async () => {
    const { store, close } = await openMaintenance(options(), { keys: true })
    await store!.create('signature-log-2', { kind: 'ecdsa', curve: 'P-256' })
    await close()
    await rollover({ ...options(), publicUrl: 'https://b.example' }, systemClock)
    expect(await shards()).toEqual([FIRST, ['b.example', 'active', 'signature-log-2'], FIRST_V1])
  })

  it('one that was cut short after its tree goes on with that tree; another shard gets a key of its own', async () => {
    const { db: pool, store, close } = await openMaintenance(options(), { keys: true })
    const signer = await store!.create('signature-log-3', { kind: 'ecdsa', curve: 'P-256' })
    const log = await openLog({ db: pool, kind: 'signature-v2', origin: 'd.example', signer, clock: systemClock })
    const { note } = await log.checkpoint()
    await log.close()
    await close()
    await rollover({ ...options(), publicUrl: 'https://c.example' }, systemClock)
    await rollover({ ...options(), publicUrl: 'https://d.example' }, systemClock)
    expect((await shards()).slice(2, 4)).toEqual([
      ['c.example', 'active', 'signature-log-4'],
      ['d.example', 'active', 'signature-log-3'],
    ])
    const [row] = await db.query<{ checkpoint: string }>(`select checkpoint from logs where origin = 'd.example'`)
    expect(row!.checkpoint).toBe(note)
  })

  it('two rollovers to one name at once make one shard', async () => {
    const both = await Promise.allSettled(
      [1, 2].map(() => rollover({ ...options(), publicUrl: 'https://e.example' }, systemClock)),
    )
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const failed = both.find((one) => one.status === 'rejected')
    expect((failed as PromiseRejectedResult).reason).toMatchObject({ code: 'STANDALONE_SHARD_EXISTS' })
  })

  it('a database that went back in time is not frozen', async () => {
    await stop()
    const older = await testDatabase({ copyOf: db })
    try {
      await start()
      expect(await writeEntry(url())).toBeDefined()
      // The guard keeps it within a second, and before the stop in any case.
      await stop()
      const freeze = (databaseUrl: string) =>
        freezeShard({ ...options(), databaseUrl, origin: '127.0.0.1' }, systemClock)
      await expect(freeze(older.url)).rejects.toThrowCode('LEDGER_ROLLED_BACK')
      expect((await freeze(db.url)).state).toBe('frozen')
    } finally {
      await older.drop()
      await start()
    }
  })

  it('a server without the key of a new shard says so, serves the others, and follows when it gets the key', async () => {
    const other = join(folder.path, 'other')
    await cp(data(), other, { recursive: true })
    const otherPort = await freePort()
    const at = `http://127.0.0.1:${otherPort}`
    const config = configOf(db, other, { port: otherPort, publicUrl: url() })
    const second = await startStandalone(config, { clock: systemClock, logger })
    try {
      expect(await readiness(at)).toEqual({ status: 200, shards: 'ok' })
      const shard = await rollover({ ...options(), publicUrl: 'https://f.example' }, systemClock)
      await until(async () => (await readiness(at)).status === 503)
      expect((await readiness(at)).shards).toMatch(/^f\.example: KEYS_NOT_FOUND/)
      expect((await readiness(url())).status).toBe(200)
      // It still takes entries: into the newest shard that it has.
      const headers = { host: 'f.example' }
      const answer = await send(at, '/api/v2/log/entries', { method: 'POST', headers, body: entryRequest() })
      expect([answer.status, answer.text]).toEqual([201, expect.stringContaining('"envelope":"e.example\\n')])
      const key = `keys/${shard.keyName}.key.json`
      await cp(join(data(), key), join(other, key))
      await until(async () => (await readiness(at)).status === 200)
      expect((await send(at, '/api/v2/checkpoint', { headers })).text).toMatch(/^f\.example\n/)
      await rm(join(other, key))
    } finally {
      await second.stop(500)
    }
    await expect(startStandalone(config, { clock: systemClock, logger })).rejects.toThrowCode('KEYS_NOT_FOUND')
  })
})
