import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { chmod, chown, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import type { EmbeddedPostgres } from '@touchmark/postgres'
import { openDatabase, removeEmbeddedPostgres, startEmbeddedPostgres } from '@touchmark/postgres'

// Servers are made and killed here, on machines that may be busy.
jest.setTimeout(60_000)

const ROOT = process.getuid?.() === 0
const asRoot = ROOT ? it : it.skip
const NOBODY = 65_534
/** Processes are killed here, not machines: only the first test is about what reaches the disk. */
const SETTINGS = { shared_buffers: '16MB', fsync: 'off' }

let folder: string
let dataDir: string
const running: EmbeddedPostgres[] = []
const children: ChildProcess[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'touchmark-embedded-'))
  await chmod(folder, 0o711)
  dataDir = join(folder, 'postgres')
})

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  for (const server of running.splice(0)) await server.stop()
  const pointer = await readFile(join(dataDir, 'location.json'), 'utf8').catch(() => '{}')
  const { place = dataDir } = JSON.parse(pointer) as { place?: string }
  const pid = Number.parseInt(await readFile(join(place, 'cluster/data/postmaster.pid'), 'utf8').catch(() => ''), 10)
  if (pid && isAlive(pid)) process.kill(pid, 'SIGQUIT')
  if (pid) await until(() => !isAlive(pid))
  await removeEmbeddedPostgres(dataDir).catch(() => undefined)
  await rm(folder, { recursive: true, force: true })
})

let template: string

beforeAll(async () => {
  // Other processes cannot read TypeScript: they run what ships.
  const build = spawn(process.execPath, ['tools/build.mjs'])
  expect(await new Promise((resolve) => build.on('exit', resolve))).toBe(0)
  template = await mkdtemp(join(tmpdir(), 'touchmark-embedded-'))
  await chmod(template, 0o711)
  await (await startEmbeddedPostgres({ dataDir: template, settings: SETTINGS })).stop()
})

afterAll(() => rm(template, { recursive: true, force: true }))

/** A cluster that was made before: making one takes a second. */
async function madeBefore(): Promise<void> {
  const copy = spawn('cp', ['-a', template, dataDir])
  expect(await new Promise((resolve) => copy.on('exit', resolve))).toBe(0)
}

async function start(options: Partial<Parameters<typeof startEmbeddedPostgres>[0]> = {}) {
  const server = await startEmbeddedPostgres({ dataDir, settings: SETTINGS, ...options })
  running.push(server)
  return server
}

/** Runs one query on its own pool. */
async function ask(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const database = await openDatabase({ url, poolSize: 1, waitMs: 10_000 })
  return database.query(sql).finally(() => database.close())
}

const STARTER = `
import { startEmbeddedPostgres } from '@touchmark/postgres'
try {
  const server = await startEmbeddedPostgres({ dataDir: process.argv[1], settings: ${JSON.stringify(SETTINGS)} })
  console.log(JSON.stringify({ url: server.url, pid: server.pid, adopted: server.adopted, place: server.place }))
  setInterval(() => {}, 1000)
} catch (error) {
  console.log(JSON.stringify({ code: error.code ?? String(error) }))
}`

interface Started {
  child: ChildProcess
  url?: string
  pid?: number
  adopted?: boolean
  code?: string
}

/** Starts the server in another process, as another user if one is given, and tells how that went. */
async function startElsewhere(where = dataDir, uid?: number): Promise<Started> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', STARTER, where], {
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  })
  children.push(child)
  for await (const line of createInterface({ input: child.stdout! })) return { child, ...JSON.parse(line) }
  throw new Error('the process said nothing')
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
}

async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise((resolve) => setTimeout(resolve, 10))
}

/** A process that ended and that nobody has waited for yet is not alive. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch (error) {
    return process.platform !== 'linux' && (error as NodeJS.ErrnoException).code === 'ENOENT'
  }
}

describe('the embedded server', () => {
  it('is durable, local and locked by passwords; a later start finds what was stored', async () => {
    const server = await start({ settings: { shared_buffers: '16MB' } })
    expect(server.adopted).toBe(false)
    const shown = await ask(
      server.url,
      `select name, setting from pg_settings where name in
       ('fsync', 'synchronous_commit', 'full_page_writes', 'data_checksums', 'listen_addresses', 'server_encoding', 'cluster_name', 'shared_buffers') order by name`,
    )
    expect(Object.fromEntries(shown.map((row) => [row['name'], row['setting']]))).toEqual({
      cluster_name: 'touchmark',
      data_checksums: 'on',
      fsync: 'on',
      full_page_writes: 'on',
      listen_addresses: '127.0.0.1',
      server_encoding: 'UTF8',
      shared_buffers: '2048',
      synchronous_commit: 'on',
    })
    expect(await ask(server.url, `select rolsuper from pg_roles where rolname = current_user`)).toEqual([
      { rolsuper: false },
    ])
    expect(await ask(server.adminUrl, 'show unix_socket_directories')).toEqual([{ unix_socket_directories: '' }])
    for (const url of [server.url, server.adminUrl]) {
      const wrong = new URL(url)
      wrong.password = 'x'
      await expect(openDatabase({ url: wrong.href })).rejects.toThrowCode('POSTGRES_REFUSED')
    }
    const passwords = join(server.place, 'cluster', 'passwords.json')
    expect((await stat(passwords)).mode & 0o777).toBe(0o600)
    const secrets = Object.values(JSON.parse(await readFile(passwords, 'utf8')) as Record<string, string>)
    const log = await readFile(join(server.place, 'server.log'), 'utf8')
    expect(secrets.filter((secret) => secret.length >= 32 && !log.includes(secret))).toHaveLength(2)

    await ask(server.url, 'create table kept as select 42 as it')
    await server.stop()
    expect(isAlive(server.pid)).toBe(false)
    const again = await start()
    expect(again.adopted).toBe(false)
    expect(await ask(again.url, 'select it from kept')).toEqual([{ it: 42 }])
    expect(await readdir(server.place)).toEqual(expect.not.arrayContaining([expect.stringContaining('making')]))
  })

  it('is left running by a killed process and adopted by the next, with what was stored', async () => {
    await madeBefore()
    const first = await startElsewhere()
    await ask(first.url!, 'create table kept as select 42 as it')
    await kill(first.child)
    const server = await start()
    expect(server).toMatchObject({ adopted: true, pid: first.pid, url: first.url })
    expect(await ask(server.url, 'select it from kept')).toEqual([{ it: 42 }])
    await server.stop()
    expect(isAlive(server.pid)).toBe(false)
  })

  it('starts again when the process and the server were killed, while its workers still live', async () => {
    await madeBefore()
    const first = await startElsewhere()
    const busy = await openDatabase({ url: first.url! })
    await busy.query('create table kept as select 42 as it')
    const lost = expect(busy.query('select pg_sleep(0.3)')).rejects.toThrowCode('POSTGRES_UNAVAILABLE')
    process.kill(first.pid!, 'SIGKILL')
    await kill(first.child)
    const server = await start()
    expect(server.adopted).toBe(false)
    expect(await ask(server.url, 'select it from kept')).toEqual([{ it: 42 }])
    await lost
    await busy.close()
  })

  it('is refused to a second process while the first lives, and only one of three that start at once gets it', async () => {
    const all = await Promise.all([1, 2, 3].map(() => startElsewhere()))
    expect(all.map(({ code }) => code ?? 'started').sort()).toEqual(['POSTGRES_IN_USE', 'POSTGRES_IN_USE', 'started'])
    await expect(start()).rejects.toThrowCode('POSTGRES_IN_USE')
    const winner = all.find(({ url }) => url)!
    expect(await ask(winner.url!, 'select 1 as alive')).toEqual([{ alive: 1 }])
  })

  it('is not fooled by a pid file whose number belongs to another process now', async () => {
    await madeBefore()
    const first = await startElsewhere()
    process.kill(first.pid!, 'SIGKILL')
    await kill(first.child)
    await until(() => !isAlive(first.pid!))
    const pidFile = join(dataDir, 'cluster', 'data', 'postmaster.pid')
    const { uid, gid } = await stat(join(dataDir, 'cluster', 'data'))
    const other = spawn('sleep', ['60'], { uid, gid })
    children.push(other)
    await writeFile(pidFile, (await readFile(pidFile, 'utf8')).replace(/^\d+/, String(other.pid)))
    const server = await start()
    expect(await ask(server.url, 'select 1 as alive')).toEqual([{ alive: 1 }])
    await server.stop()
    expect(other.exitCode).toBeNull()
  })

  it('comes back under a living process, on the same port, when it or a worker of it is killed', async () => {
    await madeBefore()
    const server = await start()
    const database = await openDatabase({ url: server.url })
    const alive = async () => (await database.query('select 1').catch(() => [])).length === 1
    const before = server.pid
    process.kill(before, 'SIGKILL')
    await until(async () => server.pid !== before && (await alive()))
    const [row] = await database.query<{ pid: number }>('select pg_backend_pid() as pid')
    process.kill(row!.pid, 'SIGKILL')
    await until(alive)
    // It is claimed again (to ask earlier would be to take it): nobody else can have it.
    const claims = () => ask(server.adminUrl, "select 1 as held from pg_locks where locktype = 'advisory' and granted")
    await until(async () => (await claims().catch(() => [])).length > 0)
    await expect(start()).rejects.toThrowCode('POSTGRES_IN_USE')
    await database.close()
    await server.stop()
    expect(isAlive(server.pid)).toBe(false)
  })

  it('tells when it is gone for good', async () => {
    await madeBefore()
    const server = await start()
    await rm(join(server.place, 'cluster', 'passwords.json'))
    await rm(join(server.place, 'cluster', 'data', 'global', 'pg_control'))
    process.kill(server.pid, 'SIGKILL')
    expect(await server.exited).toMatchObject({ code: 'POSTGRES_START_FAILED' })
    await expect(start()).rejects.toThrowCode('POSTGRES_DATA_INVALID')
  })

  it('is started anew when the one left behind has other settings', async () => {
    await madeBefore()
    const first = await startElsewhere()
    await kill(first.child)
    const server = await start({ settings: { shared_buffers: '24MB' } })
    expect(server.adopted).toBe(false)
    expect(await ask(server.url, 'show shared_buffers')).toEqual([{ shared_buffers: '24MB' }])
  })

  it('that is shared ends with the last who uses it', async () => {
    await madeBefore()
    const first = await start({ shared: true })
    const second = await start({ shared: true })
    expect(second).toMatchObject({ adopted: true, pid: first.pid })
    await expect(start()).rejects.toThrowCode('POSTGRES_IN_USE')
    await first.stop()
    expect(await ask(second.url, 'select 1 as alive')).toEqual([{ alive: 1 }])
    await second.leave()
    const third = await start({ shared: true })
    expect(third).toMatchObject({ adopted: true, pid: first.pid })
    await third.stop()
    expect(isAlive(third.pid)).toBe(false)
  })

  it('says that a commit is unknown which a standby has not confirmed', async () => {
    await madeBefore()
    const server = await start()
    await ask(server.url, 'create table kept (a int)')
    const admin = await openDatabase({ url: server.adminUrl })
    await admin.query(`alter system set synchronous_standby_names = 'missing'`)
    await admin.query('select pg_reload_conf()')
    const database = await openDatabase({ url: server.url })
    await until(async () => {
      const [row] = await database.query(`select current_setting('synchronous_standby_names') as names`)
      return row?.['names'] === 'missing'
    })
    const failed = expect(database.transaction((tx) => tx.query('insert into kept values (1)'))).rejects.toThrowCode(
      'POSTGRES_COMMIT_UNKNOWN',
    )
    const cancel = `select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'`
    await until(async () => (await admin.query(cancel)).length > 0)
    await failed
    await admin.query('alter system reset synchronous_standby_names')
    await Promise.all([admin.close(), database.close()])
  })

  it('is refused with what to do when the data is of another version or has lost a part', async () => {
    await madeBefore()
    const server = await start()
    await server.stop()
    const version = join(dataDir, 'cluster', 'data', 'PG_VERSION')
    const passwords = join(dataDir, 'cluster', 'passwords.json')
    const [good, known] = [await readFile(version, 'utf8'), await readFile(passwords, 'utf8')]
    await writeFile(version, '12\n')
    await expect(start()).rejects.toThrowCode('POSTGRES_DATA_INVALID')
    await writeFile(version, good)
    await writeFile(passwords, '{}')
    await expect(start()).rejects.toThrowCode('POSTGRES_DATA_INVALID')
    await writeFile(passwords, known)
    await start()
  })
})

describe('as root', () => {
  asRoot(
    'runs as another user; below a folder of mode 0700 the data lies where that user can reach it',
    async () => {
      await chmod(folder, 0o700)
      const server = await start()
      expect(server.place.startsWith(folder)).toBe(false)
      expect((await stat(join(server.place, 'cluster', 'data'))).uid).not.toBe(0)
      expect((await stat(join(server.place, 'cluster', 'passwords.json'))).uid).toBe(0)
      await ask(server.url, 'create table kept as select 42 as it')
      await server.stop()
      const again = await start()
      expect(again.place).toBe(server.place)
      expect(await ask(again.url, 'select it from kept')).toEqual([{ it: 42 }])
      await expect(removeEmbeddedPostgres(dataDir)).rejects.toThrowCode('POSTGRES_IN_USE')
      await again.stop()
      await removeEmbeddedPostgres(dataDir)
      await expect(stat(server.place)).rejects.toThrow('ENOENT')
    },
    30_000,
  )

  asRoot('refuses a pointer to data that is gone instead of beginning anew', async () => {
    await mkdir(dataDir)
    await writeFile(join(dataDir, 'location.json'), JSON.stringify({ place: join(folder, 'gone') }))
    await expect(start()).rejects.toThrowCode('POSTGRES_DATA_INVALID')
    await writeFile(join(dataDir, 'location.json'), '{"place":')
    await expect(start()).rejects.toThrowCode('POSTGRES_DATA_INVALID')
    await rm(join(dataDir, 'location.json'))
  })

  asRoot(
    'runs the data of an ordinary user as that user, who gets it back; his home may be closed to others',
    async () => {
      await chown(folder, NOBODY, NOBODY)
      await chmod(folder, 0o700)
      const his = await startElsewhere(dataDir, NOBODY)
      expect(his).toMatchObject({ adopted: false })
      await ask(his.url!, 'create table kept as select 42 as it')
      await kill(his.child)
      const server = await start()
      expect(server).toMatchObject({ adopted: true, place: dataDir })
      await server.stop()
      const anew = await start()
      expect(await ask(anew.url, 'select it from kept')).toEqual([{ it: 42 }])
      await anew.stop()
      const back = await startElsewhere(dataDir, NOBODY)
      expect(await ask(back.url!, 'select it from kept')).toEqual([{ it: 42 }])
    },
    30_000,
  )

  asRoot(
    "refuses an ordinary user root's data",
    async () => {
      await (await start()).stop()
      expect((await startElsewhere(dataDir, NOBODY)).code).toBe('POSTGRES_DATA_INVALID')
    },
    30_000,
  )

  asRoot('refuses to run it as root or as a user that is not there', async () => {
    await expect(start({ user: 'root' })).rejects.toThrowCode('POSTGRES_START_FAILED')
    await expect(start({ user: 'touchmark-nobody-at-all' })).rejects.toThrowCode('POSTGRES_START_FAILED')
  })
})
