import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { testDatabase, type TestDatabase } from '@touchmark/testkit'
import { writeEntry, type Acknowledged } from '../support/log-writer.js'
import { readWholeLog } from '../support/read-log.js'
import { freePort, startStack, type StackProcess } from '../support/stack.js'
import { Browser, send } from './support/http.js'
import { PASSPHRASE, temporaryFolder } from './support/standalone.js'

// `touchmark up --workers 2` as a person starts it (the built program), on a database of its own.

const WRITERS = 16

/** Worker processes of a supervisor that run now. */
function workersOf(supervisor: number): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' }).split('\n')
  return lines
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line))
    .filter((found) => found !== null && Number(found[2]) === supervisor && !found[3]!.startsWith('Z'))
    .filter((found) => found![4]!.includes('worker-main'))
    .map((found) => Number(found![1]))
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return !existsSync(`/proc/${pid}/stat`) || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 25))
}

/** Writers that go on until they are told to stop; what was acknowledged, and how often each was not. */
function writeOn(url: string) {
  let running = true
  const acknowledged: Acknowledged[] = []
  const failures = Array.from({ length: WRITERS }, () => 0)
  const done = failures.map(async (_, writer) => {
    while (running) {
      const entry = await writeEntry(url)
      if (entry !== undefined) acknowledged.push(entry)
      else if (running) {
        failures[writer]!++
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
  })
  return {
    acknowledged,
    failures,
    async stop() {
      running = false
      await Promise.all(done)
    },
  }
}

async function expectAllThere(url: string, acknowledged: readonly Acknowledged[]): Promise<void> {
  const log = await readWholeLog(url)
  expect(acknowledged.length).toBeGreaterThan(0)
  expect(acknowledged.filter(({ index, leafHash }) => log.leafHashes[Number(index)] !== leafHash)).toEqual([])
  expect(acknowledged.filter(({ size, rootHash }) => log.rootAt(size) !== rootHash)).toEqual([])
  expect(new Set(acknowledged.map(({ index }) => index)).size).toBe(acknowledged.length)
}

describe('touchmark up --workers 2', () => {
  let db: TestDatabase
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let port: number
  let stack: StackProcess
  const options = () => ({
    port,
    data: join(folder.path, 'data'),
    args: ['--workers', '2'],
    environment: { DATABASE_URL: db.url, TOUCHMARK_PASSPHRASE: PASSPHRASE, TOUCHMARK_PASSPHRASE_FILE: undefined },
  })
  const metric = async (name: string): Promise<number> => {
    const { origin, pathname } = new URL(/^ {2}metrics +(\S+)$/m.exec(stack.stdout())![1]!)
    const { text } = await send(origin, pathname)
    return text
      .split('\n')
      .filter((line) => line.startsWith(name) && /[ {]/.test(line[name.length]!))
      .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }

  beforeAll(async () => {
    ;[db, folder, port] = await Promise.all([testDatabase(), temporaryFolder(), freePort()])
  }, 60_000)
  beforeEach(async () => {
    if (stack === undefined || stack.child.exitCode !== null || stack.child.signalCode !== null)
      stack = await startStack(options())
  }, 60_000)
  afterAll(async () => {
    await stack.stop()
    await db.drop()
    await folder.remove()
  }, 60_000)

  it('is two processes, and neither has a secret in its arguments or its environment', () => {
    const workers = workersOf(stack.child.pid!)
    expect(workers).toHaveLength(2)
    for (const pid of existsSync('/proc/self/environ') ? workers : []) {
      const shown = readFileSync(`/proc/${pid}/environ`, 'utf8') + readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      expect(shown).toContain('NODE_UNIQUE_ID')
      expect([shown.includes(PASSPHRASE), shown.includes(db.url)]).toEqual([false, false])
    }
  })

  it('counts what both have served as one', async () => {
    const before = await metric('touchmark_http_request_duration_seconds_count')
    for (let i = 0; i < 10; i++) expect((await send(stack.url, '/api/v2/checkpoint')).status).toBe(200)
    expect(await metric('touchmark_http_request_duration_seconds_count')).toBe(before + 10)
    expect(await metric('touchmark_workers')).toBe(2)
    // One size, not the sum of what two processes say.
    expect(await metric('touchmark_log_size{log="certificate"}')).toBe(1)
  })

  it('a login that is served by both is one login', async () => {
    // Every request has a connection of its own, and connections are dealt out in turn.
    const browser = new Browser(stack.url)
    const verifier = 'v'.repeat(43)
    const challenge = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(verifier))).toString('base64url')
    const query = `response_type=code&client_id=sigstore&redirect_uri=http%3A%2F%2Flocalhost%2Fauth%2Fcallback&scope=openid+email&state=s&nonce=n&code_challenge=${challenge}&code_challenge_method=S256`
    const form = await browser.follow(await browser.visit(`/oidc/auth?${query}`))
    const done = await browser.follow(await browser.fill(form, { email: 'dev@example.com', name: 'Dev' }))
    const code = new URL(done.headers.location!).searchParams.get('code')!
    const redirect = { redirect_uri: 'http://localhost/auth/callback', code_verifier: verifier }
    const fields = { grant_type: 'authorization_code', client_id: 'sigstore', code, ...redirect }
    expect(JSON.parse((await browser.visit('/oidc/token', fields)).text)).toHaveProperty('id_token')
    // A code is good once, whichever process is asked again.
    for (let i = 0; i < 2; i++) expect((await browser.visit('/oidc/token', fields)).status).toBe(400)
  })

  it('loses one worker: its requests fail, the others are answered, and it is replaced', async () => {
    const before = workersOf(stack.child.pid!)
    const writing = writeOn(stack.url)
    await until(() => writing.acknowledged.length > 5 * WRITERS)
    await db.withClient(async (held) => {
      await held.query('begin')
      // What every append waits for: soon each writer waits in one worker or the other.
      await held.query('select id from logs for update')
      let answered = -1
      while (answered !== writing.acknowledged.length) {
        answered = writing.acknowledged.length
        await new Promise((resolve) => setTimeout(resolve, 500))
      }
      process.kill(before[0]!, 'SIGKILL')
      await until(() => !isAlive(before[0]!))
      await held.query('rollback')
    })
    const soFar = writing.acknowledged.length
    await until(() => workersOf(stack.child.pid!).length === 2 && !workersOf(stack.child.pid!).includes(before[0]!))
    await until(async () => (await metric('touchmark_worker_ends_total')) === 1)
    await until(() => writing.acknowledged.length > soFar + 5 * WRITERS)
    await writing.stop()
    // The dead one had some writers' requests and not all: both served.
    const failed = writing.failures.filter((count) => count > 0).length
    expect(failed).toBeGreaterThan(0)
    expect(failed).toBeLessThan(WRITERS)
    // A second time when its connection was just being handed to the dead one.
    expect(Math.max(...writing.failures)).toBeLessThanOrEqual(2)
    expect(workersOf(stack.child.pid!)).toContain(before[1])
    await expectAllThere(stack.url, writing.acknowledged)
  }, 60_000)

  it('SIGTERM under load: ends with 0, and every acknowledged entry is in the log', async () => {
    const writing = writeOn(stack.url)
    await until(() => writing.acknowledged.length > 5 * WRITERS)
    const workers = workersOf(stack.child.pid!)
    expect(await stack.stop()).toBe(0)
    await writing.stop()
    expect(workers.filter(isAlive)).toEqual([])
    expect(stack.stderr()).not.toMatch(/"level":60/)
    stack = await startStack(options())
    await expectAllThere(stack.url, writing.acknowledged)
  }, 60_000)

  it('a signal to the whole group is acted on once, in order', async () => {
    const workers = workersOf(stack.child.pid!)
    for (const pid of workers) process.kill(pid, 'SIGINT')
    for (const pid of workers) process.kill(pid, 'SIGTERM')
    expect((await send(stack.url, '/healthz')).status).toBe(200)
    expect(workersOf(stack.child.pid!)).toEqual(workers)
    expect(await stack.stop()).toBe(0)
    expect(workers.filter(isAlive)).toEqual([])
  }, 60_000)

  it('leaves no process when the supervisor is killed', async () => {
    const writing = writeOn(stack.url)
    await until(() => writing.acknowledged.length > WRITERS)
    const workers = workersOf(stack.child.pid!)
    expect(workers).toHaveLength(2)
    await stack.kill()
    await until(() => workers.every((pid) => !isAlive(pid)))
    await writing.stop()
    stack = await startStack(options())
    await expectAllThere(stack.url, writing.acknowledged)
  }, 60_000)

  it('a state that one must not go on from ends all, with its reason', async () => {
    const workers = workersOf(stack.child.pid!)
    await db.query('create table old_logs as select id, size, root, frontier, checkpoint from logs')
    // A restored dump has no rule against it.
    await db.query('alter table logs disable trigger user')
    for (let i = 0; i < 4; i++) expect(await writeEntry(stack.url)).toBeDefined()
    const ended = new Promise<number | null>((resolve) => stack.child.once('exit', resolve))
    await db.query(
      'update logs set size = o.size, root = o.root, frontier = o.frontier, checkpoint = o.checkpoint from old_logs o where logs.id = o.id',
    )
    await writeEntry(stack.url)
    expect(await ended).toBe(1)
    expect(stack.stderr()).toMatch(/"level":60.*LEDGER_ROLLED_BACK/)
    expect(workers.filter(isAlive)).toEqual([])
  }, 60_000)
})

describe('touchmark up --workers 2 that cannot start', () => {
  let db: TestDatabase
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  beforeEach(async () => {
    ;[db, folder] = await Promise.all([testDatabase(), temporaryFolder()])
  }, 60_000)
  afterEach(async () => {
    await db.drop()
    await folder.remove()
  }, 60_000)

  it('says why, and leaves nothing running', async () => {
    const taken = createServer()
    const port = await freePort()
    await new Promise<void>((resolve) => taken.listen(port, '127.0.0.1', resolve))
    const environment = { DATABASE_URL: db.url, TOUCHMARK_PASSPHRASE: PASSPHRASE, TOUCHMARK_PASSPHRASE_FILE: undefined }
    const starting = startStack({ port, data: join(folder.path, 'data'), args: ['--workers', '2'], environment })
    await expect(starting).rejects.toMatchObject({
      exitCode: 9,
      stderr: expect.stringContaining('SERVICE_PORT_TAKEN'),
    })
    await new Promise((resolve) => taken.close(resolve))
  }, 60_000)

  it('refuses a number that is none', async () => {
    const starting = startStack({ port: await freePort(), data: join(folder.path, 'data'), args: ['--workers', '0'] })
    await expect(starting).rejects.toMatchObject({ exitCode: 9, stderr: expect.stringContaining('--workers') })
  }, 60_000)
})
