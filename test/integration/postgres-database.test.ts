import { createServer, connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import type { Database, DatabaseOptions } from '@touchmark/postgres'
import { PostgresError, openDatabase } from '@touchmark/postgres'
import { testDatabase } from '@touchmark/testkit'
import type { TestDatabase } from '@touchmark/testkit'

let db: TestDatabase
const opened: Database[] = []

/** Another pool on the same database. */
async function another(options: Partial<DatabaseOptions> = {}): Promise<Database> {
  const database = await openDatabase({ url: db.url, poolSize: 2, ...options })
  opened.push(database)
  return database
}

beforeAll(async () => {
  db = await testDatabase({ migrated: false })
  await db.query('create table accounts (id int primary key, amount int not null)')
  await db.query('insert into accounts values (1, 100), (2, 100)')
}, 60_000)
afterEach(async () => {
  for (const database of opened.splice(0)) await database.close()
})
afterAll(() => db.drop())

const amountOf = async (id: number) =>
  (await db.query('select amount from accounts where id = $1', [id]))[0]?.['amount']

/** Ends the session that runs a statement like this one, once it does. */
async function terminate(like: string): Promise<void> {
  for (;;) {
    const rows = await db.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid() and state = 'active' and query ilike $1`,
      [like],
    )
    if (rows.length > 0) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

describe('a transaction', () => {
  it('is stored when it resolves, and rolled back when its function throws, whose error comes out unchanged', async () => {
    expect(
      await db.transaction((tx) => tx.query('update accounts set amount = 101 where id = 1 returning id')),
    ).toEqual([{ id: 1 }])
    const own = Object.assign(new Error('mine'), { code: 'ECONNREFUSED', syscall: 'connect' })
    const failed = db.transaction(async (tx) => {
      await tx.query('update accounts set amount = 0')
      throw own
    })
    await expect(failed).rejects.toBe(own)
    expect(await amountOf(1)).toBe(101)
  })

  it('is refused when a failed statement was swallowed: COMMIT then rolls back without an error', async () => {
    const swallowed = db.transaction(async (tx) => {
      await tx.query('update accounts set amount = 7 where id = 2')
      await tx.query('select 1 / 0').catch(() => undefined)
    })
    await expect(swallowed).rejects.toThrowCode('POSTGRES_ROLLED_BACK')
    expect(await amountOf(2)).toBe(100)
  })

  it('runs statements that are sent together, in order', async () => {
    const both = await db.transaction(({ client }) =>
      Promise.all([client.query('select 1 as a'), client.query({ name: 'two', text: 'select 2 as a' })]),
    )
    expect(both.map(({ rows }) => rows[0]?.a)).toEqual([1, 2])
  })

  it('keeps its limits and modes to itself', async () => {
    const one = await another({ poolSize: 1, lockTimeoutMs: 5_000, statementTimeoutMs: 6_000 })
    const limits = `select current_setting('lock_timeout') as lock, current_setting('statement_timeout') as statement,
      current_setting('transaction_isolation') as isolation, current_setting('idle_in_transaction_session_timeout') as idle`
    const inside = await one.transaction((tx) => tx.query(limits), {
      lockTimeoutMs: 70,
      statementTimeoutMs: 80,
      isolation: 'serializable',
    })
    expect(inside).toEqual([{ lock: '70ms', statement: '80ms', isolation: 'serializable', idle: '10s' }])
    expect(await one.query(limits)).toEqual([{ lock: '5s', statement: '6s', isolation: 'read committed', idle: '10s' }])
  })

  it('is repeated when the server asks for it, as often as was allowed', async () => {
    let runs = 0
    const fail = () =>
      db.transaction(
        async (tx) => {
          runs++
          if (runs < 3) await tx.query(`do $$ begin raise exception 'again' using errcode = '40001'; end $$`)
          return runs
        },
        { attempts: 3 },
      )
    expect(await fail()).toBe(3)
    runs = 1
    await expect(db.transaction(fail, { attempts: 1 })).resolves.toBe(3)
    runs = -5
    await expect(fail()).rejects.toThrowCode('POSTGRES_SERIALIZATION')
    expect(runs).toBe(-2)
  })

  it('is told that its commit is unknown when the session is ended during COMMIT', async () => {
    await db.query(`create table slow_commit (a int)`)
    await db.query(`create function dawdle() returns trigger language plpgsql as
      $$ begin perform pg_sleep(20); return null; end $$`)
    await db.query(`create constraint trigger dawdle after insert on slow_commit deferrable initially deferred
      for each row execute function dawdle()`)
    const other = await another()
    const failed = other.transaction((tx) => tx.query('insert into slow_commit values (1)'))
    await Promise.all([expect(failed).rejects.toThrowCode('POSTGRES_COMMIT_UNKNOWN'), terminate('commit%')])
    expect(await other.query('select 1 as alive')).toEqual([{ alive: 1 }])
  })

  it('is told that its commit is unknown when only the answer was lost: here it was stored', async () => {
    const proxy = await cutAtCommit(db.url, 'after')
    const other = await another({ url: proxy.url, poolSize: 1 })
    const lost = other.transaction((tx) => tx.query('insert into accounts values (3, 1)'))
    await expect(lost).rejects.toThrowCode('POSTGRES_COMMIT_UNKNOWN')
    await proxy.close()
    await settled('select 1 from accounts where id = 3')
    expect(await amountOf(3)).toBe(1)
  })

  it('is told that its commit is unknown when the request was lost: here it was not stored', async () => {
    const proxy = await cutAtCommit(db.url, 'before')
    const other = await another({ url: proxy.url, poolSize: 1 })
    const lost = other.transaction((tx) => tx.query('insert into accounts values (4, 1)'))
    await expect(lost).rejects.toThrowCode('POSTGRES_COMMIT_UNKNOWN')
    await proxy.close()
    expect(await amountOf(4)).toBeUndefined()
  })

  it('knows that a commit which the server refused was not stored', async () => {
    await db.query('create table deferred (a int references accounts deferrable initially deferred)')
    const failed = db.transaction((tx) => tx.query('insert into deferred values (99)'))
    await expect(failed).rejects.toThrowCode('POSTGRES_CONSTRAINT')
    expect(await db.query('select * from deferred')).toEqual([])
  })

  it('leaves a usable pool when its session is ended in the middle', async () => {
    const other = await another({ poolSize: 1 })
    const failed = other.transaction((tx) => tx.query('select pg_sleep(20) as cut'))
    await Promise.all([expect(failed).rejects.toThrowCode('POSTGRES_UNAVAILABLE'), terminate('%as cut')])
    expect(await other.query('select 1 as alive')).toEqual([{ alive: 1 }])
  })
})

describe('what the server says has a code', () => {
  it('deadlock', async () => {
    const step = async (first: number, second: number, meet: () => Promise<void>) =>
      db.transaction(async (tx) => {
        await tx.query('update accounts set amount = amount + 1 where id = $1', [first])
        await meet()
        await tx.query('update accounts set amount = amount + 1 where id = $1', [second])
      })
    let waiting = 0
    let go = () => {}
    const both = new Promise<void>((resolve) => (go = resolve))
    const meet = () => {
      if (++waiting === 2) go()
      return both
    }
    const ends = await Promise.allSettled([step(1, 2, meet), step(2, 1, meet)])
    const failed = ends.filter((end) => end.status === 'rejected')
    expect(failed.map((end) => end.reason.code)).toEqual(['POSTGRES_DEADLOCK'])
  })

  it('serialization failure', async () => {
    const failed = db.transaction(
      async (tx) => {
        await tx.query('select * from accounts')
        await db.query('update accounts set amount = amount + 1 where id = 1')
        await tx.query('update accounts set amount = amount + 1 where id = 1')
      },
      { isolation: 'repeatable read' },
    )
    await expect(failed).rejects.toThrowCode('POSTGRES_SERIALIZATION')
  })

  it('statement, lock and idle timeouts', async () => {
    const late = db.transaction((tx) => tx.query('select pg_sleep(20)'), { statementTimeoutMs: 30 })
    await expect(late).rejects.toThrowCode('POSTGRES_TIMEOUT')
    const blocked = db.transaction(async (tx) => {
      await tx.query('select * from accounts where id = 1 for update')
      await db.transaction((second) => second.query('select * from accounts where id = 1 for update'), {
        lockTimeoutMs: 30,
      })
    })
    await expect(blocked).rejects.toThrowCode('POSTGRES_TIMEOUT')
    const hasty = await another({ idleInTransactionTimeoutMs: 30 })
    const idle = hasty.transaction(async (tx) => {
      await new Promise((resolve) => setTimeout(resolve, 200))
      await tx.query('select 1')
    })
    await expect(idle).rejects.toThrowCode('POSTGRES_UNAVAILABLE')
  })

  it('read only', async () => {
    const write = db.transaction((tx) => tx.query('delete from accounts'), { readOnly: true })
    await expect(write).rejects.toThrowCode('POSTGRES_READ_ONLY')
  })

  it('constraint, with its name', async () => {
    const twice = db.query('insert into accounts values (1, 1)')
    await expect(twice).rejects.toThrowCode('POSTGRES_CONSTRAINT')
    await expect(twice).rejects.toMatchObject({ constraint: 'accounts_pkey', sqlState: '23505' })
  })

  it.each([
    ['53100', 'POSTGRES_DISK_FULL'],
    ['53300', 'POSTGRES_BUSY'],
    ['53200', 'POSTGRES_BUSY'],
    ['XX001', 'POSTGRES_CORRUPT'],
    ['58030', 'POSTGRES_CORRUPT'],
    ['57P03', 'POSTGRES_UNAVAILABLE'],
    ['42501', 'POSTGRES_REFUSED'],
    ['42P01', 'POSTGRES_QUERY'],
  ])('SQLSTATE %s', async (state, code) => {
    const raised = db.query(
      `do $$ begin execute format('do $x$ begin raise exception ''no'' using errcode = %L; end $x$', '${state}'); end $$`,
    )
    await expect(raised).rejects.toThrowCode(code)
  })

  it('a name or password that is not known, without repeating it', async () => {
    const url = new URL(db.url)
    url.pathname = '/touchmark_no_such_database'
    await expect(another({ url: url.href })).rejects.toThrowCode('POSTGRES_REFUSED')
    const error = await openDatabase({ url: 'mysql://root:secret@localhost/x' }).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(PostgresError)
    expect(error).toMatchObject({ code: 'POSTGRES_URL_INVALID' })
    expect(String(error)).not.toContain('secret')
  })
})

describe('connections', () => {
  it('survive the end of idle ones', async () => {
    const lost: string[] = []
    const other = await another({ applicationName: 'idle one', log: (line) => lost.push(line) })
    await db.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'idle one'`)
    while (lost.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    expect(await other.query('select 1 as alive')).toEqual([{ alive: 1 }])
  })

  it('are waited for a limited time when all are lent', async () => {
    const other = await another({ poolSize: 1, connectTimeoutMs: 100 })
    await other.withClient(async () => {
      await expect(other.query('select 1')).rejects.toThrowCode('POSTGRES_BUSY')
      await expect(other.health(20)).rejects.toThrowCode('POSTGRES_UNAVAILABLE')
    })
    expect(await other.health()).toEqual({ serverVersion: expect.any(Number), readOnly: false })
  })

  it('that come back inside a transaction are thrown away', async () => {
    const other = await another({ poolSize: 1 })
    const pid = async () => (await other.query<{ pid: number }>('select pg_backend_pid() as pid'))[0]?.pid
    const before = await pid()
    await other.withClient((client) => client.query('begin'))
    expect(await pid()).not.toBe(before)
  })

  it('to a server that stops answering are given up in time', async () => {
    const target = new URL(db.url)
    let silent = false
    const proxy = createServer((client) => {
      const server = connect(Number(target.port), target.hostname)
      for (const socket of [client, server]) socket.on('error', () => undefined)
      server.on('data', (bytes) => silent || client.write(bytes))
      client.on('data', (bytes) => silent || server.write(bytes))
      client.on('close', () => server.destroy())
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    const url = new URL(db.url)
    url.port = String((proxy.address() as AddressInfo).port)
    const other = await another({ url: url.href, poolSize: 1, answerTimeoutMs: 100 })
    silent = true
    await expect(other.query('select 1')).rejects.toThrowCode('POSTGRES_TIMEOUT')
    silent = false
    expect(await other.query('select 1 as alive')).toEqual([{ alive: 1 }])
    silent = true
    await expect(other.health(20)).rejects.toThrowCode('POSTGRES_UNAVAILABLE')
    silent = false
    expect(await other.query('select 2 as alive')).toEqual([{ alive: 2 }])
    const lost = other.transaction(async (tx) => {
      await tx.query('update accounts set amount = 1 where id = 1')
      silent = true
    })
    await expect(lost).rejects.toThrowCode('POSTGRES_COMMIT_UNKNOWN')
    await other.close()
    proxy.close()
  })

  it('that still run statements when one of them failed are not lent to the next', async () => {
    const other = await another({ poolSize: 1 })
    const failed = other.withClient(async (client) => {
      client.query('begin').catch(() => undefined)
      client.query('select pg_sleep(0.05)').catch(() => undefined)
      throw new Error('mine')
    })
    await expect(failed).rejects.toThrow('mine')
    await other.withClient(async (client) => expect(client.getTransactionStatus()).toBe('I'))
  })

  it('make every commit durable, whatever the database says', async () => {
    const { pathname } = new URL(db.url)
    await db.query(`alter database ${pathname.slice(1)} set synchronous_commit = off`)
    const other = await another()
    expect(await other.query(`select current_setting('synchronous_commit') as it`)).toEqual([{ it: 'on' }])
    await db.query(`alter database ${pathname.slice(1)} set synchronous_commit = remote_apply`)
    const stronger = await another()
    expect(await stronger.query(`select current_setting('synchronous_commit') as it`)).toEqual([{ it: 'remote_apply' }])
    await db.query(`alter database ${pathname.slice(1)} reset synchronous_commit`)
  })

  it('to nobody, and to a server that does not answer, are refused in time', async () => {
    await expect(openDatabase({ url: 'postgresql://a:b@127.0.0.1:1/x' })).rejects.toThrowCode('POSTGRES_UNAVAILABLE')
    const held: Socket[] = []
    const silent = createServer((socket) => held.push(socket))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const url = `postgresql://a:b@127.0.0.1:${(silent.address() as AddressInfo).port}/x`
    await expect(openDatabase({ url, connectTimeoutMs: 100 })).rejects.toThrowCode('POSTGRES_UNAVAILABLE')
    for (const socket of held) socket.destroy()
    silent.close()
  })

  it('are waited for while the server starts, when asked to', async () => {
    const target = new URL(db.url)
    const gate = createServer((socket) => socket.pipe(connect(Number(target.port), target.hostname)).pipe(socket))
    await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve))
    const { port } = gate.address() as AddressInfo
    await new Promise((resolve) => gate.close(resolve))
    const url = new URL(db.url)
    url.port = String(port)
    const opening = another({ url: url.href, waitMs: 10_000 })
    setTimeout(() => gate.listen(port, '127.0.0.1'), 250)
    expect(await (await opening).query('select 1 as alive')).toEqual([{ alive: 1 }])
    gate.close()
  })

  it('are refused after close', async () => {
    const other = await openDatabase({ url: db.url })
    await Promise.all([other.close(), other.close()])
    await expect(other.query('select 1')).rejects.toThrowCode('POSTGRES_CLOSED')
  })
})

async function settled(sql: string): Promise<void> {
  while ((await db.query(sql)).length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
}

/** A proxy that cuts the connection when the client sends COMMIT: before it reaches the server, or after. */
async function cutAtCommit(url: string, when: 'before' | 'after') {
  const target = new URL(url)
  const proxy = createServer((client) => {
    const server = connect(Number(target.port), target.hostname)
    for (const socket of [client, server]) socket.on('error', () => undefined)
    server.on('data', (bytes) => client.write(bytes))
    client.on('data', (bytes) => {
      if (!bytes.toString('latin1').includes('commit\0')) return void server.write(bytes)
      client.destroy()
      if (when === 'before') server.destroy()
      else server.end(bytes)
    })
    client.on('close', () => when === 'before' && server.destroy())
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const through = new URL(url)
  through.port = String((proxy.address() as AddressInfo).port)
  through.searchParams.set('sslmode', 'disable')
  return { url: through.href, close: () => new Promise((resolve) => proxy.close(resolve)) }
}
