import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { CodedError } from '@touchmark/errors'
import type { Log } from '@touchmark/ledger'
import type { ShardRow } from './shard-rows.js'
import { FOLLOW_MS, Shards } from './shards.js'

/** What is used of a log. */
class FakeLog {
  state: 'active' | 'frozen' = 'active'
  closed = false
  reads = 0
  readonly origin: string

  constructor(origin: string) {
    this.origin = origin
  }
  async checkpoint(): Promise<void> {
    this.reads++
    this.state = 'frozen'
  }
  async close(): Promise<void> {
    this.closed = true
  }
}

function row(origin: string, more: Partial<ShardRow> = {}): ShardRow {
  const at = new Date('2026-01-01T00:00:00Z')
  return {
    origin,
    kind: 'signature-v2',
    publicUrl: `https://${origin}`,
    keyName: 'signature-log',
    treeId: undefined,
    createdAt: at,
    activeFrom: at,
    state: 'active',
    frozenAt: undefined,
    ...more,
  }
}

let shards: Shards | undefined
let rows: ShardRow[]
let made: FakeLog[]
let broken: unknown
const reports: [string | undefined, unknown][] = []
async function open(...first: ShardRow[]): Promise<Shards> {
  rows = first
  made = []
  broken = undefined
  reports.length = 0
  shards = await Shards.open({
    read: async () => rows,
    open: async ({ origin }) => {
      if (broken !== undefined) throw broken
      made.push(new FakeLog(origin))
      return made.at(-1) as unknown as Log
    },
    report: (error, origin) => void reports.push([origin, error]),
  })
  return shards
}
afterEach(async () => {
  jest.useRealTimers()
  await shards?.close()
})
const names = (some: Shards): string[] => some.all().map(({ origin }) => origin)

describe('Shards', () => {
  it('finds the shard by its name, and for any other host the one that is written to', async () => {
    const all = await open(row('a.example'), row('b.example'), row('c.example', { activeFrom: undefined }))
    const hosts = ['a.example', 'A.example:8443', 'b.example.', 'c.example', 'localhost:1', '', undefined]
    expect(hosts.map((host) => all.forHost(host).origin)).toEqual([
      'a.example',
      'a.example',
      'b.example',
      'c.example',
      'b.example',
      'b.example',
      'b.example',
    ])
  })

  it('gives trees of API v1 to no host', async () => {
    const v1 = row('a.example - 5', { kind: 'signature-v1', treeId: 5n })
    const all = await open(row('a.example'), v1)
    expect(names(all)).toEqual(['a.example'])
    expect(all.forHost('a.example - 5').origin).toBe('a.example')
    expect(all.served).toHaveLength(2)
  })

  it('follows the table by itself, opens what is new once, and counts changes', async () => {
    jest.useFakeTimers()
    const all = await open(row('a.example'))
    const before = all.generation
    rows = [row('a.example'), row('b.example')]
    await jest.advanceTimersByTimeAsync(3 * FOLLOW_MS)
    expect(names(all)).toEqual(['a.example', 'b.example'])
    expect([made.length, all.generation]).toEqual([2, before + 1])
  })

  it('lets a log find out that it was frozen', async () => {
    const all = await open(row('a.example'), row('b.example'))
    const before = all.generation
    rows = [row('a.example', { state: 'frozen', frozenAt: new Date(0) }), row('b.example')]
    await all.refresh()
    await all.refresh()
    expect(made.map(({ state, reads }) => [state, reads])).toEqual([
      ['frozen', 1],
      ['active', 0],
    ])
    expect(all.generation).toBe(before + 1)
  })

  it('goes on with the others when one cannot be opened, says so once, and tries again', async () => {
    const all = await open(row('a.example'))
    rows = [row('a.example'), row('b.example')]
    broken = new CodedError('KEYS_NOT_FOUND', 'no key')
    await all.refresh()
    await all.refresh()
    expect([names(all), all.problem(), reports]).toEqual([
      ['a.example'],
      'b.example: KEYS_NOT_FOUND no key',
      [['b.example', broken]],
    ])
    broken = undefined
    await all.refresh()
    expect([names(all), all.problem()]).toEqual([['a.example', 'b.example'], undefined])
  })

  it('keeps what it serves when the table cannot be read', async () => {
    const all = await open(row('a.example'))
    rows = undefined as never
    await all.refresh()
    expect([names(all), reports.length, all.problem()]).toEqual([['a.example'], 1, undefined])
  })

  it('does not start without one of its shards, and leaves nothing open', async () => {
    let count = 0
    const opening = Shards.open({
      read: async () => [row('a.example'), row('b.example')],
      open: async ({ origin }) => {
        if (count++ === 1) throw new CodedError('KEYS_NOT_FOUND', 'no key')
        made = [new FakeLog(origin)]
        return made[0] as unknown as Log
      },
      report: () => undefined,
    })
    await expect(opening).rejects.toThrowCode('KEYS_NOT_FOUND')
    expect(made.map(({ closed }) => closed)).toEqual([true])
  })

  it('a reading that is asked for begins after it was asked for', async () => {
    const all = await open(row('a.example'))
    const early = all.refresh()
    rows = [row('a.example'), row('b.example')]
    const late = [all.refresh(), all.refresh()]
    await Promise.all([early, ...late])
    expect(names(all)).toEqual(['a.example', 'b.example'])
  })

  it('closes what it opened', async () => {
    const all = await open(row('a.example'), row('b.example'))
    await all.close()
    expect(made.map(({ closed }) => closed)).toEqual([true, true])
  })
})
