import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { openMaintenance, readConfig, startStandalone } from '@touchmark/app-standalone'
import { systemClock } from '@touchmark/clock'
import { createLogger } from '@touchmark/service'
import { testDatabase } from '@touchmark/testkit'
import { freePort } from '../support/stack.js'
import { PASSPHRASE, startInProcess, temporaryFolder, type InProcess } from './support/standalone.js'

jest.setTimeout(120_000)
const environment = { TOUCHMARK_PASSPHRASE: PASSPHRASE }

describe('a command on a database of one’s own', () => {
  let stack: InProcess
  beforeAll(async () => {
    stack = await startInProcess()
  }, 60_000)
  afterAll(() => stack.close())

  it('opens instance and keys while the stack runs', async () => {
    const options = { data: stack.data, databaseUrl: stack.db.url }
    const opened = await openMaintenance(options, { keys: true, environment })
    expect(opened.row.publicUrl).toBe(stack.url)
    expect(opened.store?.has('signature-log')).toBe(true)
    await opened.close()
    const without = await openMaintenance(options, { keys: false, environment: {} })
    expect(without.store).toBeUndefined()
    await without.close()
  })

  it('refuses a wrong passphrase and a missing key folder, and leaves no session behind', async () => {
    const options = { data: stack.data, databaseUrl: stack.db.url }
    await expect(
      openMaintenance(options, { keys: true, environment: { TOUCHMARK_PASSPHRASE: 'wrong' } }),
    ).rejects.toThrowCode('KEYS_PASSPHRASE_WRONG')
    const elsewhere = { ...options, data: `${stack.data}-none` }
    await expect(openMaintenance(elsewhere, { keys: true, environment })).rejects.toThrowCode('STANDALONE_KEYS_MISSING')
    expect(existsSync(elsewhere.data)).toBe(false)
    const sessions = `select 1 from pg_stat_activity where datname = current_database() and application_name = 'touchmark maintenance'`
    for (let tries = 0; tries < 100 && (await stack.db.query(sessions)).length > 0; tries++)
      await new Promise((resolve) => setTimeout(resolve, 20))
    expect(await stack.db.query(sessions)).toEqual([])
  })

  it('makes no instance where there is none', async () => {
    const empty = await testDatabase()
    try {
      const opening = openMaintenance({ data: stack.data, databaseUrl: empty.url }, { keys: true, environment })
      await expect(opening).rejects.toThrowCode('STANDALONE_NO_INSTANCE')
      expect(await empty.query('select public_url from instance')).toEqual([])
    } finally {
      await empty.drop()
    }
  })
})

describe('a command on the embedded database', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let data: string
  beforeAll(async () => {
    folder = await temporaryFolder()
    data = join(folder.path, 'data')
  })
  afterAll(() => folder.remove())

  it('works beside the running stack and without it, and leaves each as it was', async () => {
    const logger = createLogger({ level: 'silent' })
    const config = readConfig({ data, port: await freePort() }, {})
    const stack = await startStandalone(config, { clock: systemClock, logger })
    const beside = await openMaintenance({ data }, { keys: true, environment: {} })
    expect(await beside.db.query('select origin from logs')).not.toEqual([])
    await beside.close()
    expect((await fetch(`${stack.greeting.localUrl}/healthz`)).status).toBe(200)
    await stack.stop(1_000)

    const alone = await openMaintenance({ data }, { keys: true, environment: {} })
    expect(alone.row.publicUrl).toBe(stack.greeting.publicUrl)
    await alone.close()
    // Stopped again: nothing answers, and the next start finds nobody in its way.
    const next = await startStandalone(config, { clock: systemClock, logger })
    await next.stop(1_000)
  }, 120_000)

  it('starts nothing where `touchmark up` has never run', async () => {
    const none = join(folder.path, 'none')
    const opening = openMaintenance({ data: none }, { keys: false, environment: {} })
    await expect(opening).rejects.toThrowCode('STANDALONE_NO_INSTANCE')
    expect(existsSync(none)).toBe(false)
  })
})
