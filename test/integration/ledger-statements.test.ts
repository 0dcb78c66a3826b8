import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { Signer } from '@touchmark/crypto'
import { isCodedError } from '@touchmark/errors'
import { checkLog, type Log } from '@touchmark/ledger'
import type { Database } from '@touchmark/postgres'
import { testDatabase } from '@touchmark/testkit'
import type pg from 'pg'
import { hookedDatabase, type HookedStatement } from '../support/hooked-database.mjs'
import { TestTree, appendAll, bodies, body, checkAnswer } from './support/ledger.js'

// Reliability tests F2, F3 and F9: whatever the append asks of others fails, each thing once in each way.

jest.setTimeout(120_000)
let db: Awaited<ReturnType<typeof testDatabase>>
beforeAll(async () => {
  db = await testDatabase()
})
afterAll(() => db.drop())

/** Ends the connection at once, as a network does. */
function cut(client: pg.PoolClient): void {
  ;(client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
}

type Fault = (send: () => Promise<unknown>, client: pg.PoolClient) => Promise<unknown>

const refused =
  (state: string): Fault =>
  (_, client) =>
    client.query(RAISE[state]!)
/** Answered with this SQLSTATE; the transaction is lost. */
const RAISE: Readonly<Record<string, string>> = {
  '53200': `do $$ begin raise exception 'as told' using errcode = '53200'; end $$`,
  '53100': `do $$ begin raise exception 'as told' using errcode = '53100'; end $$`,
  '40001': `do $$ begin raise exception 'as told' using errcode = '40001'; end $$`,
  '40P01': `do $$ begin raise exception 'as told' using errcode = '40P01'; end $$`,
  '57014': `do $$ begin raise exception 'as told' using errcode = '57014'; end $$`,
  '55P03': `do $$ begin raise exception 'as told' using errcode = '55P03'; end $$`,
}

const FAULTS: Readonly<Record<string, Fault>> = {
  'an error before it': refused('53100'),
  'an error after it was carried out': async (send, client) => {
    await send()
    return client.query(RAISE['53200']!)
  },
  'a connection lost before it': (send, client) => {
    cut(client)
    return send()
  },
  'a connection lost while it is under way': (send, client) => {
    const sent = send()
    setImmediate(() => cut(client))
    return sent
  },
  'a connection lost after it was carried out': async (send, client) => {
    await send()
    cut(client)
    throw new Error('Connection terminated unexpectedly')
  },
  'a serialization failure': refused('40001'),
  'a deadlock': refused('40P01'),
  'a statement timeout': refused('57014'),
  'a lock timeout': refused('55P03'),
}

/** A database whose n-th statement from now fails in one way; `struck` says whether there was one, and which. */
class NthStatement {
  readonly database: Database
  struck: HookedStatement | undefined
  #left = 0
  #fault: Fault = (send) => send()

  constructor(real: Database) {
    this.database = hookedDatabase(real, (statement, send, client) => {
      if (this.#left === 0 || --this.#left > 0) return send()
      this.struck = statement
      return this.#fault(send, client)
    })
  }

  arm(n: number, fault: Fault): void {
    this.#left = n
    this.#fault = fault
    this.struck = undefined
  }

  disarm(): void {
    this.#left = 0
  }
}

/** What the callers of an operation may be told when the database fails them. */
const TOLD = /^(LEDGER_UNAVAILABLE|LEDGER_STATE_UNKNOWN|POSTGRES_[A-Z_]+)$/

async function outcome(work: () => Promise<unknown>): Promise<'done' | 'told'> {
  try {
    await work()
    return 'done'
  } catch (error) {
    if (!isCodedError(error) || !TOLD.test(error.code)) throw error
    return 'told'
  }
}

const OPERATIONS: Readonly<Record<string, (log: Log, n: number) => Promise<unknown>>> = {
  'an append': (log, n) => appendAll(log, bodies(`append ${n}`, 3)),
  'an append of known and new entries': (log, n) =>
    appendAll(log, [body('known 1'), body(`new ${n}`), body('known 0')]),
  // Stored by another process: this one answers what it has seen without asking the database.
  'an append of known entries alone': (log, n) => appendAll(log, bodies(`old ${n}`, 2)),
  'a head that is signed again': (log) => log.resign(),
  'a read of everything': async (log) => {
    const { size } = await log.checkpoint()
    await log.entries(0n, size)
    await log.tile(0, 0n, 1)
    await log.entryBundle(0n, 1)
    await log.inclusionProof(1n, size)
    await log.consistencyProof(1n, size)
  },
}

const matrix = Object.keys(OPERATIONS).flatMap((operation) => Object.keys(FAULTS).map((fault) => [operation, fault]))

describe('F2: every statement fails once', () => {
  it.each(matrix)(
    'F2: of %s, with %s: nothing is lost or taken for stored, and the log goes on',
    async (name, fault) => {
      const tree = new TestTree(db)
      const nth = new NthStatement(db)
      const other = await tree.open()
      for (let n = 1; n < 16; n++) await appendAll(other, bodies(`old ${n}`, 2))
      const log = await tree.open({ db: nth.database })
      await appendAll(log, bodies('known', 2))
      const struck: HookedStatement[] = []
      for (let n = 1; ; n++) {
        const before = (await log.checkpoint()).size
        nth.arm(n, FAULTS[fault]!)
        const end = await outcome(() => OPERATIONS[name]!(log, n))
        nth.disarm()
        if (nth.struck === undefined) {
          expect(end).toBe('done')
          break
        }
        struck.push(nth.struck)
        expect(log.failure).toBeUndefined()
        // The same again: whatever was stored is found, what was not is stored now, each entry once.
        await OPERATIONS[name]!(log, n)
        const { size } = await log.checkpoint()
        expect(size - before).toBe(name === 'an append' ? 3n : name.includes('new') ? 1n : 0n)
      }
      // A statement that the matrix does not reach would be one that nobody has tried.
      if (name === 'an append') expect(struck).toEqual(['begin', 'lock', 'find', 'write', 'commit'])
      // What a read has asked for once it may keep: the head it must ask for each time.
      expect(struck.length).toBeGreaterThanOrEqual(name.startsWith('a read') ? 1 : 3)
      const whole = await checkLog(log)
      expect(await checkLog(other)).toMatchObject({ size: whole.size })
      await Promise.all([log.close(), other.close()])
    },
  )

  it.each(Object.keys(FAULTS))(
    'F2: of a tree that is created and opened, with %s: the next start is right',
    async (fault) => {
      for (let n = 1; ; n++) {
        const tree = new TestTree(db)
        const nth = new NthStatement(db)
        nth.arm(n, FAULTS[fault]!)
        let log: Log | undefined
        const end = await outcome(async () => {
          log = await tree.open({ db: nth.database })
        })
        nth.disarm()
        if (end === 'told') log = await tree.open({ db: nth.database })
        expect(await appendAll(log!, [body('first')])).toMatchObject([{ index: 1n }])
        expect(await checkLog(log!)).toMatchObject({ size: 2n })
        await log!.close()
        if (nth.struck === undefined) break
      }
    },
  )
})

describe('F3: a COMMIT whose outcome is not what was heard', () => {
  const commits = {
    stored: FAULTS['a connection lost after it was carried out']!,
    'not stored': FAULTS['a connection lost before it']!,
  }
  const cases = (['stored', 'not stored'] as const).flatMap((what) =>
    (['the same entries', 'other entries'] as const).map((then) => [what, then] as const),
  )

  it.each(cases)('F3: %s, three times in a row, then recovery with %s', async (what, then) => {
    const tree = new TestTree(db)
    let fault: Fault | undefined
    const database = hookedDatabase(db, (statement, send, client) => {
      if (statement !== 'commit' || fault === undefined) return send()
      // That of the append; what is read back afterwards is heard.
      const once = fault
      fault = undefined
      return once(send, client)
    })
    const log = await tree.open({ db: database })
    const entries = bodies('entry', 3)
    for (let round = 0; round < 3; round++) {
      fault = commits[what]
      const results = await Promise.allSettled(entries.map((entry) => log.append({ body: entry })))
      fault = undefined
      for (const [i, result] of results.entries()) {
        if (what === 'stored') {
          // Read back, and proven: nobody has to guess.
          if (result.status === 'rejected') throw result.reason
          checkAnswer(log, entries[i]!, result.value)
          expect(result.value.index).toBe(BigInt(i + 1))
        } else expect(result).toMatchObject({ status: 'rejected', reason: { code: 'LEDGER_UNAVAILABLE' } })
      }
      expect((await log.checkpoint()).size).toBe(what === 'stored' ? 4n : 1n)
    }
    const next = then === 'the same entries' ? entries : bodies('other', 3)
    const answers = await appendAll(log, next)
    const first = what === 'stored' && then === 'other entries' ? 4n : 1n
    expect(answers.map(({ index }) => index)).toEqual([first, first + 1n, first + 2n])
    const other = await tree.open()
    expect(await checkLog(other)).toMatchObject({ size: first + 3n })
    await Promise.all([log.close(), other.close()])
  })

  it('F3: stored and not confirmed, three times with other entries each: each is unknown, and found afterwards', async () => {
    const tree = new TestTree(db)
    let warn = false
    const database = hookedDatabase(db, (statement, send, client) => {
      if (statement === 'commit' && warn)
        void client.query(`do $$ begin raise warning 'canceling wait for synchronous replication'; end $$`)
      return send()
    })
    const log = await tree.open({ db: database })
    warn = true
    for (let round = 0; round < 3; round++)
      await expect(log.append({ body: body(`entry ${round}`) })).rejects.toThrowCode('LEDGER_STATE_UNKNOWN')
    warn = false
    const again = await appendAll(log, bodies('entry', 3))
    expect(again.map(({ index, duplicate }) => [index, duplicate])).toEqual([1n, 2n, 3n].map((index) => [index, true]))
    expect(await checkLog(log)).toMatchObject({ size: 4n })
    await log.close()
  })
})

describe('F9: a bit that turns in memory', () => {
  it('F9: between acceptance and batch stops the log before a root is signed over it', async () => {
    const tree = new TestTree(db)
    const signed: string[] = []
    const real = tree.signer
    const signer: Signer = {
      publicKey: real.publicKey,
      scheme: real.scheme,
      sign: (message) => {
        signed.push(Buffer.from(message).toString())
        return real.sign(message)
      },
    }
    const kept: Uint8Array[] = []
    const database = hookedDatabase(db, async (statement, send) => {
      const result = await send()
      // The transaction has begun; what waits in memory turns now.
      if (statement === 'find') for (const bytes of kept.splice(0)) bytes[0]! ^= 1
      return result
    })
    const log = await tree.open({ db: database, signer })
    signed.length = 0
    const entry = body('a bit will turn in this')
    entry.slice = () => {
      const copy = Uint8Array.prototype.slice.call(entry)
      kept.push(copy)
      return copy
    }
    await expect(log.append({ body: entry })).rejects.toThrowCode('LEDGER_CORRUPT')
    expect(signed).toEqual([])
    await expect(log.append({ body: body('next') })).rejects.toThrowCode('LEDGER_CORRUPT')
    const fresh = await tree.open()
    expect(await checkLog(fresh)).toMatchObject({ size: 1n })
    await Promise.all([log.close(), fresh.close()])
  })

  it.each(['a body', 'a leaf hash'])('F9: on the way to the table, in %s, is refused by the server', async (what) => {
    const tree = new TestTree(db)
    const log = await tree.open()
    const trigger =
      what === 'a body'
        ? `create function turn_a_bit() returns trigger language plpgsql as $$
             begin new.body = set_bit(new.body, 3, 1 - get_bit(new.body, 3)); return new; end $$`
        : `create function turn_a_bit() returns trigger language plpgsql as $$
             begin new.leaf_hash = set_bit(new.leaf_hash, 3, 1 - get_bit(new.leaf_hash, 3)); return new; end $$`
    await db.query(trigger)
    await db.query('create trigger turn_a_bit before insert on log_entries for each row execute function turn_a_bit()')
    try {
      await expect(log.append({ body: body('turns') })).rejects.toThrowCode('LEDGER_ENTRY_REFUSED')
    } finally {
      await db.query('drop trigger turn_a_bit on log_entries')
      await db.query('drop function turn_a_bit()')
    }
    expect(await appendAll(log, [body('turns')])).toMatchObject([{ index: 1n, duplicate: false }])
    await checkLog(log)
    await log.close()
  })
})

describe('C7: a hash that is not enough', () => {
  it('C7: an entry with the hash of another one, and another body, is not given its index', async () => {
    const tree = new TestTree(db)
    // No such pair of bodies is known; the look-up is made to find one.
    const database = hookedDatabase(db, async (statement, send) => {
      const result = (await send()) as { rows: { body: Buffer }[] }
      if (statement === 'find') for (const row of result.rows) row.body = Buffer.from('another body')
      return result
    })
    const log = await tree.open({ db: database })
    // Stored by another process: what this one has stored itself it compares with what it sent.
    const other = await tree.open()
    await appendAll(other, [body('known')])
    await other.close()
    await expect(log.append({ body: body('known') })).rejects.toThrowCode('LEDGER_ENTRY_REFUSED')
    await log.close()
  })
})
