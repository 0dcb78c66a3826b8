import { describe, expect, it } from '@jest/globals'
import { ManualClock } from '@touchmark/clock'
import type { ShardRow } from '../logs/shard-rows.js'
import { assertFreezable } from './freeze-shard.js'
import { nextStart } from './rollover.js'

function row(origin: string, more: Partial<ShardRow> = {}): ShardRow {
  const at = new Date('2026-01-01T00:00:00Z')
  return {
    origin,
    kind: 'signature-v2',
    publicUrl: `https://${origin}`,
    keyName: `key-of-${origin}`,
    treeId: undefined,
    createdAt: at,
    activeFrom: at,
    state: 'active',
    frozenAt: undefined,
    ...more,
  }
}

describe('assertFreezable', () => {
  const shards = [
    row('a'),
    row('b', { state: 'frozen' }),
    row('c'),
    row('v1', { kind: 'signature-v1', treeId: 1n }),
    row('next', { activeFrom: undefined }),
  ]

  it.each(['a', 'b', 'next'])('lets %s go: nobody is told to write to it', (origin) => {
    expect(assertFreezable(shards, origin).origin).toBe(origin)
  })

  it.each([
    ['c', 'STANDALONE_SHARD_NEEDED'],
    ['v1', 'STANDALONE_SHARD_NEEDED'],
    ['', 'STANDALONE_SHARD_UNKNOWN'],
    ['A', 'STANDALONE_SHARD_UNKNOWN'],
  ] as const)('keeps %s', (origin, code) => {
    expect(() => assertFreezable(shards, origin)).toThrowCode(code)
  })

  it('keeps the only one', () => {
    expect(() => assertFreezable([row('a')], 'a')).toThrowCode('STANDALONE_SHARD_NEEDED')
  })
})

describe('nextStart', () => {
  it('is now', () => {
    expect(nextStart([row('a')], new ManualClock('2026-02-01T00:00:00Z'))).toEqual(new Date('2026-02-01T00:00:00Z'))
  })

  it('is later than every start before, whatever the clock says', () => {
    const shards = [
      row('a'),
      row('b', { activeFrom: new Date('2026-03-01T00:00:00Z') }),
      row('c', { activeFrom: undefined }),
    ]
    expect(nextStart(shards, new ManualClock('2026-02-01T00:00:00Z'))).toEqual(new Date('2026-03-01T00:00:01Z'))
  })
})
