import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { ClaimOutcome, ClaimRequest } from '@touchmark/app-ca'
import { ManualClock } from '@touchmark/clock'
import { openDatabase, PostgresError, type Database } from '@touchmark/postgres'
import { testDatabase, type TestDatabase } from '@touchmark/testkit'
import { PostgresIssuanceRecord } from '../../apps/standalone/src/compose/issuance-record.js'

const NOW = '2026-12-01T00:00:00.000Z'
const clock = new ManualClock(NOW)
const reported: unknown[] = []

let db: TestDatabase
let pools: Database[]
/** As three processes have it. */
let records: PostgresIssuanceRecord[]
beforeAll(async () => {
  db = await testDatabase()
  pools = await Promise.all([0, 1, 2].map(() => openDatabase({ url: db.url, poolSize: 4 })))
  records = pools.map((pool) => new PostgresIssuanceRecord(pool, clock, (error) => reported.push(error)))
})
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.close()))
  await db.drop()
})

function request(changes: Partial<ClaimRequest> = {}): ClaimRequest {
  return {
    tokenSha256: randomBytes(32),
    spkiSha256: randomBytes(32),
    principalSha256: randomBytes(32),
    bound: true,
    expiresAt: new Date(clock.now().getTime() + 600_000),
    ...changes,
  }
}

async function release(found: ClaimOutcome): Promise<void> {
  if (found.outcome !== 'claimed') throw new Error(`it was ${found.outcome}`)
  await found.claim.release()
}

const count = async (): Promise<number> =>
  Number((await db.query<{ n: string }>('select count(*) as n from ca_key_claims'))[0]!.n)

describe('the record of issued certificates', () => {
  it('CA4: gives a pair of token and key to one of many that ask at the same moment, in all processes', async () => {
    for (let round = 0; round < 20; round++) {
      const wanted = request({ bound: round % 2 === 0 })
      const found = await Promise.all(Array.from({ length: 12 }, (_, i) => records[i % 3]!.claim(wanted)))
      const outcomes = found.map(({ outcome }) => outcome).sort()
      expect(outcomes).toEqual(['claimed', ...Array.from({ length: 11 }, () => 'replayed')])
    }
  })

  it('CA4: gives a key to one of many principals that ask for it with a CSR at the same moment', async () => {
    for (let round = 0; round < 20; round++) {
      const spkiSha256 = randomBytes(32)
      const found = await Promise.all(records.map((record) => record.claim(request({ spkiSha256, bound: false }))))
      expect(found.map(({ outcome }) => outcome).sort()).toEqual(['claimed', 'key-of-another', 'key-of-another'])
    }
  })

  it('lets one token have many keys, and one key many tokens of one principal', async () => {
    const first = request({ bound: false })
    for (const next of [first, { ...first, spkiSha256: randomBytes(32) }, { ...first, tokenSha256: randomBytes(32) }])
      expect(await records[0]!.claim(next)).toMatchObject({ outcome: 'claimed' })
  })

  it('lets a second principal have a key that signed its name, and keeps the first as whose it is', async () => {
    const { spkiSha256, principalSha256 } = request()
    const [alice, mallory] = records
    await alice!.claim(request({ spkiSha256, principalSha256 }))
    expect(await mallory!.claim(request({ spkiSha256 }))).toMatchObject({ outcome: 'claimed' })
    expect(await mallory!.claim(request({ spkiSha256, bound: false }))).toEqual({ outcome: 'key-of-another' })
    expect(await alice!.claim(request({ spkiSha256, principalSha256, bound: false }))).toMatchObject({
      outcome: 'claimed',
    })
  })

  it('leaves no claim behind for a CSR that is refused', async () => {
    const { spkiSha256 } = request()
    await records[0]!.claim(request({ spkiSha256 }))
    const before = await count()
    await records[1]!.claim(request({ spkiSha256, bound: false }))
    expect(await count()).toBe(before)
  })

  it('takes a released claim back, and only that one', async () => {
    const wanted = request()
    const first = await records[0]!.claim(wanted)
    await release(first)
    const second = await records[1]!.claim(wanted)
    expect(second.outcome).toBe('claimed')
    // Late, for the second time: it was of the first claim.
    await release(first)
    expect(await records[2]!.claim(wanted)).toEqual({ outcome: 'replayed' })
  })

  it('keeps whose a key is when the claim is released', async () => {
    const wanted = request()
    await release(await records[0]!.claim(wanted))
    expect(await records[0]!.claim(request({ spkiSha256: wanted.spkiSha256, bound: false }))).toEqual({
      outcome: 'key-of-another',
    })
  })

  it('forgets claims some minutes after their tokens ended, and no others; never whose a key is', async () => {
    const wanted = request()
    await records[0]!.claim(wanted)
    clock.advance(600_000 + 599_000)
    await records[1]!.purge()
    expect(await records[0]!.claim(wanted)).toEqual({ outcome: 'replayed' })
    clock.advance(2_000)
    const living = request()
    await records[0]!.claim(living)
    for (let left = await count(), before = left + 1; left < before; left = await count()) {
      before = left
      await records[1]!.purge()
    }
    expect(await count()).toBe(1)
    expect(await records[0]!.claim(living)).toEqual({ outcome: 'replayed' })
    const again = request({ spkiSha256: wanted.spkiSha256, bound: false })
    expect(await records[0]!.claim(again)).toEqual({ outcome: 'key-of-another' })
  })

  it('purges by itself, in bounded steps, while claims come', async () => {
    await db.query(
      `insert into ca_key_claims select sha256(n::text::bytea), sha256(n::text::bytea), substring(sha256(n::text::bytea) for 16), $1
       from generate_series(1, 1000) as n`,
      [new Date('2026-01-01')],
    )
    const before = await count()
    const record = new PostgresIssuanceRecord(pools[0]!, clock, (error) => reported.push(error))
    for (let i = 0; i < 64; i++) await record.claim(request())
    let now = await count()
    for (let wait = 0; wait < 100 && now >= before + 64; wait++) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      now = await count()
    }
    expect(now).toBe(before + 64 - 256)
  })

  it('does not wait for the disk at a claim, and leaves the connection durable', async () => {
    const one = await openDatabase({ url: db.url, poolSize: 1 })
    try {
      const record = new PostgresIssuanceRecord(one, clock, (error) => reported.push(error))
      await record.claim(request())
      const [row] = await one.query<{ value: string }>(`select current_setting('synchronous_commit') as value`)
      expect(row!.value).toBe('on')
    } finally {
      await one.close()
    }
  })

  it('says that it cannot tell when the database is away', async () => {
    const gone = await openDatabase({ url: db.url, poolSize: 1 })
    const failures: unknown[] = []
    const record = new PostgresIssuanceRecord(gone, clock, (error) => failures.push(error))
    await gone.close()
    await expect(record.claim(request())).rejects.toThrowCode('CA_RECORD_UNAVAILABLE')
  })

  it('takes back a claim whose answer was lost', async () => {
    const wanted = request()
    const lossy = new Proxy(pools[0]!, {
      get: (target, property) => {
        if (property !== 'query') return Reflect.get(target, property, target) as unknown
        return async (sql: string, values: unknown[]) => {
          const rows = await target.query(sql, values)
          // Committed, and nobody hears of it.
          if (sql.startsWith('with setting')) throw new PostgresError('POSTGRES_UNAVAILABLE', 'as told')
          return rows
        }
      },
    })
    const record = new PostgresIssuanceRecord(lossy, clock, (error) => reported.push(error))
    await expect(record.claim(wanted)).rejects.toThrowCode('CA_RECORD_UNAVAILABLE')
    let again = await records[1]!.claim(wanted)
    for (let wait = 0; wait < 100 && again.outcome !== 'claimed'; wait++) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      again = await records[1]!.claim(wanted)
    }
    expect(again.outcome).toBe('claimed')
  })

  it('reported nothing in all this', () => expect(reported).toEqual([]))
})
