import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import {
  openRecovery,
  rollover,
  rolloverV1,
  startStandalone,
  type Recovery,
  type Standalone,
  type TreeSurvey,
} from '@touchmark/app-standalone'
import { systemClock } from '@touchmark/clock'
import { FileGuard } from '@touchmark/ledger'
import { createLogger } from '@touchmark/service'
import { testDatabase, type TestDatabase } from '@touchmark/testkit'
import { writeEntry } from '../support/log-writer.js'
import { freePort } from '../support/stack.js'
import { send } from './support/http.js'
import { configOf, PASSPHRASE, temporaryFolder } from './support/standalone.js'
import { readVectors } from './support/v1-log.js'

jest.setTimeout(120_000)
const logger = createLogger({ level: 'silent' })
const HOST = 'localhost'

let db: TestDatabase
let dump: TestDatabase
let folder: Awaited<ReturnType<typeof temporaryFolder>>
let port: number
let running: Standalone | undefined
const data = (): string => join(folder.path, 'data')
const options = () => ({ data: data(), databaseUrl: dump.url, passphraseFile: join(folder.path, 'passphrase') })

async function start(database = dump): Promise<Standalone> {
  running = await startStandalone(configOf(database, data(), { port }), { clock: systemClock, logger })
  return running
}
async function stop(): Promise<void> {
  await running?.stop(1_000)
  running = undefined
}
async function recover<T>(work: (opened: Recovery) => Promise<T>): Promise<T> {
  const opened = await openRecovery(options(), {})
  try {
    return await work(opened)
  } finally {
    await opened.close()
  }
}
/** The trees that the database does not have. */
async function absent(): Promise<TreeSurvey[]> {
  return (await recover((opened) => opened.survey())).filter(({ state }) => state === 'absent')
}
const giveUp = (origin: string, size = 0n) => recover((opened) => opened.giveUp(origin, size, systemClock))
/** The dump as it would be had it been made before these trees. */
async function without(kind: string): Promise<string> {
  const [tree] = await dump.query<{ origin: string }>('select origin from logs where kind = $1', [kind])
  await dump.query('delete from log_shards where origin in (select origin from logs where kind = $1)', [kind])
  await dump.query('delete from logs where kind = $1', [kind])
  return tree!.origin
}

beforeEach(async () => {
  ;[db, folder, port] = await Promise.all([testDatabase(), temporaryFolder(), freePort()])
  const stack = await start(db)
  writeFileSync(join(folder.path, 'passphrase'), PASSPHRASE, { mode: 0o600 })
  await writeEntry(stack.greeting.localUrl)
  await stop()
  dump = await testDatabase({ copyOf: db })
})
afterEach(async () => {
  await stop()
  await Promise.all([db.drop(), dump.drop()])
  await folder.remove()
})

describe('a database that lacks a tree which the guard has seen', () => {
  it('of API v1: is not started, and nothing is begun; given up, another tree follows', async () => {
    const origin = await without('signature-v1')
    const refusal = start()
    await expect(refusal).rejects.toThrowCode('LEDGER_ROLLED_BACK')
    await expect(refusal).rejects.toMatchObject({ details: { hint: expect.stringContaining('log recover') } })
    expect(await absent()).toMatchObject([{ origin, kind: 'signature-v1', verdict: 'absent', size: 0n, guardSize: 1n }])
    // Not by mistake, and no way round it.
    await expect(giveUp(origin, 1n)).rejects.toThrowCode('LEDGER_RECOVERY_REFUSED')
    await expect(giveUp('nobody')).rejects.toThrowCode('LEDGER_RECOVERY_REFUSED')
    await expect(rolloverV1(options(), systemClock)).rejects.toThrowCode('STANDALONE_SHARD_UNKNOWN')
    await expect(start()).rejects.toThrowCode('LEDGER_ROLLED_BACK')

    const { lost, kept } = await giveUp(origin)
    expect([lost, kept]).toEqual([[expect.stringContaining(`${origin}\n1\n`)], ''])
    expect(await absent()).toMatchObject([{ origin, verdict: 'absent', givenUp: { lost } }])
    const after = start()
    await expect(after).rejects.toThrowCode('LEDGER_ROLLED_BACK')
    await expect(after).rejects.toMatchObject({ details: { hint: expect.stringContaining('rollover --v1') } })

    await expect(rolloverV1({ ...options(), prepare: true }, systemClock)).rejects.toThrowCode(
      'STANDALONE_SHARD_UNKNOWN',
    )
    const next = await rolloverV1(options(), systemClock)
    expect(next).toMatchObject({ kind: 'signature-v1', state: 'active', keyName: 'signature-log-v1-2' })
    expect(next.origin).not.toBe(origin)
    const { greeting } = await start()
    const { request } = readVectors('hashedrekord').find(({ name }) => name === 'hashedrekord-first')!
    expect((await send(greeting.localUrl, request.path, request)).status).toBe(201)
    await stop()
    await (await start()).stop(1_000)
    // The dump that has the tree does not go on with it.
    await expect(start(db)).rejects.toThrowCode('LEDGER_GIVEN_UP')
  })

  it('of API v2: is not started, and no shard begins; given up, another shard follows', async () => {
    expect(await without('signature-v2')).toBe(HOST)
    await expect(start()).rejects.toThrowCode('LEDGER_ROLLED_BACK')
    const follow = (publicUrl: string) => rollover({ ...options(), publicUrl }, systemClock)
    await expect(follow('https://b.example')).rejects.toThrowCode('LEDGER_ROLLED_BACK')
    expect(await absent()).toMatchObject([{ origin: HOST, kind: 'signature-v2', verdict: 'absent', guardSize: 2n }])
    expect(await dump.query(`select origin from logs where kind = 'signature-v2'`)).toEqual([])

    await giveUp(HOST)
    await expect(start()).rejects.toThrowCode('LEDGER_ROLLED_BACK')
    await expect(follow(`http://${HOST}:${port}`)).rejects.toThrowCode('LEDGER_ROLLED_BACK')
    expect(await follow('https://b.example')).toMatchObject({ origin: 'b.example', keyName: 'signature-log-2' })
    const { greeting } = await start()
    expect((await send(greeting.localUrl, '/api/v2/checkpoint')).text).toMatch(/^b\.example\n1\n/)
    expect(await writeEntry(greeting.localUrl)).toMatchObject({ index: 1n })
    await stop()
    // Not even when the guard was taken away: it is never begun again.
    rmSync(join(data(), 'guard'), { recursive: true })
    await (await start()).stop(1_000)
    const origins = await dump.query<{ origin: string }>(`select origin from logs where kind = 'signature-v2'`)
    expect(origins).toEqual([{ origin: 'b.example' }])
  })

  it('of certificates: is not started, and not given up, since nothing could follow', async () => {
    const origin = await without('certificate')
    await expect(start()).rejects.toThrowCode('LEDGER_ROLLED_BACK')
    expect(await absent()).toMatchObject([{ origin, kind: 'certificate', verdict: 'absent' }])
    await expect(giveUp(origin)).rejects.toThrowCode('LEDGER_RECOVERY_REFUSED')
    expect(await new FileGuard(join(data(), 'guard')).givenUp(origin)).toBeUndefined()
  })

  it('a later shard: shows it, begins it not again, and signs nothing else with its key', async () => {
    const newest = { ...options(), databaseUrl: db.url }
    expect((await rollover({ ...newest, publicUrl: 'https://b.example' }, systemClock)).keyName).toBe('signature-log-2')
    const v1 = await rolloverV1({ ...newest, prepare: true }, systemClock)
    expect((await absent()).map(({ origin, verdict }) => [origin, verdict]).sort()).toEqual(
      [
        ['b.example', 'absent'],
        [v1.origin, 'absent'],
      ].sort(),
    )
    await expect(rollover({ ...options(), publicUrl: 'https://b.example' }, systemClock)).rejects.toThrowCode(
      'LEDGER_ROLLED_BACK',
    )
    expect((await rollover({ ...options(), publicUrl: 'https://c.example' }, systemClock)).keyName).toBe(
      'signature-log-3',
    )
    const other = await rolloverV1({ ...options(), prepare: true }, systemClock)
    expect([v1.keyName, other.keyName]).toEqual(['signature-log-v1-2', 'signature-log-v1-3'])
  })
})

it('what another instance keeps in the same folder is no news', async () => {
  const guard = new FileGuard(join(data(), 'guard'))
  guard.note('other.example', { size: 9n, note: 'other.example\n9\nroot\n' })
  await guard.close()
  expect(await absent()).toEqual([])
})
