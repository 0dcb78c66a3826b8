import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { appendFile, chmod, mkdtemp, open as openFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import type { Log } from '@touchmark/ledger'
import { migrate, openDatabase, startEmbeddedPostgres, type Database, type EmbeddedPostgres } from '@touchmark/postgres'
import { serverAccount } from '../../libs/postgres/src/embedded/account.js'
import { findBinaries } from '../../libs/postgres/src/embedded/binaries.js'
import { serverArguments } from '../../libs/postgres/src/embedded/settings.js'
import { TestTree, appendAll, bodies } from '../integration/support/ledger.js'
import { freePort } from '../support/stack.js'
import { SteadyWriters } from './support/steady-writers.js'

jest.setTimeout(120_000)
const SETTINGS = { shared_buffers: '16MB', wal_level: 'replica', wal_keep_size: '256MB', hot_standby: 'on' }

let folder: string
let primary: EmbeddedPostgres
let standby: ChildProcess | undefined
const pools: Database[] = []
const logs: Log[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'touchmark-standby-'))
  await chmod(folder, 0o711)
})

afterEach(async () => {
  await Promise.all(logs.splice(0).map((log) => log.close().catch(() => undefined)))
  await Promise.all(pools.splice(0).map((pool) => pool.close().catch(() => undefined)))
  await primary.stop().catch(() => undefined)
  if (standby !== undefined) {
    const ended = new Promise((resolve) => standby!.once('close', resolve))
    standby.kill('SIGINT')
    await ended
    standby = undefined
  }
  await rm(folder, { recursive: true, force: true })
})

async function pool(url: string): Promise<Database> {
  const made = await openDatabase({ url, poolSize: 4, waitMs: 20_000 })
  pools.push(made)
  return made
}

/** Starts a copy of the primary as its synchronous standby; gives the port. */
async function startStandby(dataDir: string): Promise<number> {
  const data = join(dataDir, 'cluster', 'data')
  const { port, password } = new URL(primary.adminUrl)
  const source = `host=127.0.0.1 port=${port} user=postgres password=${password} application_name=second`
  await writeFile(join(data, 'standby.signal'), '')
  await appendFile(join(data, 'postgresql.auto.conf'), `primary_conninfo = '${source}'\n`)
  const account = await serverAccount()
  const { postgres } = await findBinaries(account, () => undefined)
  if (account.other) execFileSync('chown', ['-R', `${account.uid}:${account.gid}`, data])
  const own = await freePort()
  const output = await openFile(join(folder, 'standby.log'), 'a')
  standby = spawn(postgres, serverArguments(data, own, SETTINGS), {
    cwd: '/',
    stdio: ['ignore', output.fd, output.fd],
    ...(account.other ? { uid: account.uid, gid: account.gid } : {}),
  })
  await output.close()
  return own
}

function atPort(url: string, port: number): string {
  const changed = new URL(url)
  changed.port = String(port)
  return changed.href
}

describe('F7: the primary is lost, and its synchronous standby takes over', () => {
  it('F7: under load: everything that was acknowledged is there, in one history that goes on', async () => {
    const dataDir = join(folder, 'first')
    const begin = (): Promise<EmbeddedPostgres> => startEmbeddedPostgres({ dataDir, settings: SETTINGS })
    primary = await begin()
    const first = await pool(primary.url)
    await migrate(first)
    const tree = new TestTree(first)
    await (await tree.open()).close()
    await first.close()
    await primary.stop()
    execFileSync('cp', ['-a', dataDir, join(folder, 'second')])
    primary = await begin()
    const admin = await pool(primary.adminUrl)
    const port = await startStandby(join(folder, 'second'))
    await admin.query(`alter system set synchronous_standby_names = 'second'`)
    await admin.query('select pg_reload_conf()')
    const states = (): Promise<{ sync_state: string }[]> => admin.query('select sync_state from pg_stat_replication')
    while ((await states())[0]?.sync_state !== 'sync') await new Promise((resolve) => setTimeout(resolve, 50))

    const db = await pool(primary.url)
    const opened = await Promise.all([tree.open({ db }), tree.open({ db })])
    logs.push(...opened)
    const writers = new SteadyWriters(opened)
    await writers.more(300)
    // Nobody brings this server back.
    await primary.leave()
    process.kill(primary.pid, 'SIGKILL')
    // Who is in doubt would ask the dead server for 20 seconds.
    await db.close()
    await writers.stop()
    const promoted = await pool(atPort(primary.adminUrl, port))
    expect(await promoted.query('select pg_promote() as done')).toEqual([{ done: true }])

    const second = await pool(atPort(primary.url, port))
    const log = await tree.open({ db: second })
    logs.push(log)
    const { lost, size } = await writers.check(log)
    process.stderr.write(`F7: failover: entries ${size}, acknowledged ${writers.told.size}, lost = ${lost.length}\n`)
    expect(lost).toEqual([])
    await appendAll(log, bodies('after', 3))
    expect((await writers.check(log)).size).toBe(size + 3n)
  })
})

describe('F7: the synchronous standby is away', () => {
  it('F7: an entry whose commit it has not confirmed is acknowledged to nobody, whoever sends it again, until it has', async () => {
    primary = await startEmbeddedPostgres({ dataDir: join(folder, 'first'), settings: SETTINGS })
    const admin = await pool(primary.adminUrl)
    const db = await pool(primary.url)
    await migrate(db)
    const tree = new TestTree(db)
    const log = await tree.open()
    logs.push(log)
    const awaited = async (names: string): Promise<void> => {
      await admin.query(
        names === ''
          ? `alter system set synchronous_standby_names = ''`
          : `alter system set synchronous_standby_names = 'nobody'`,
      )
      await admin.query('select pg_reload_conf()')
    }
    /** Ends the wait of whoever waits for the standby, as a person or a timeout does. */
    const cutShort = async (): Promise<void> => {
      const waits = `select pg_cancel_backend(pid) as cut from pg_stat_activity where wait_event = 'SyncRep'`
      while ((await admin.query(waits)).length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await awaited('nobody')
    const entry = bodies('unconfirmed', 1)[0]!
    for (let round = 0; round < 2; round++) {
      const answer = log.append({ body: entry })
      const told = expect(answer).rejects.toThrowCode('LEDGER_STATE_UNKNOWN')
      await cutShort()
      await told
    }
    await awaited('')
    expect((await appendAll(log, [entry]))[0]).toMatchObject({ index: 1n, duplicate: true })
  })
})
