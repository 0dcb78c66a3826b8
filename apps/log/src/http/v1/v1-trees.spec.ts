import { describe, expect, it } from '@jest/globals'
import { nodeCrypto } from '@touchmark/crypto/node'
import type { Log, LogKind } from '@touchmark/ledger'
import { ManualClock } from '@touchmark/clock'
import {
  LogV1Module,
  RefusalPace,
  treeIdOf,
  treeIdOfOrigin,
  v1Origin,
  type V1Tree,
  type Validation,
} from '../../index.js'
import { parseEntryId } from './entry-id.js'

describe('tree ids', () => {
  it('are positive, and fit an int64', () => {
    expect(treeIdOf(new Uint8Array(32).fill(0xff))).toBe((1n << 63n) - 1n)
    expect(treeIdOf(new Uint8Array(32))).toBe(1n)
    expect(treeIdOf(Uint8Array.of(0x80, 0, 0, 0, 0, 0, 0, 5))).toBe(5n)
  })

  it.each([
    ['a.example - 5', 5n],
    ['a - b - 9223372036854775807', 9223372036854775807n],
    ['a.example - 9223372036854775808', undefined],
    ['a.example - 0', undefined],
    ['a.example - 05', undefined],
    ['a.example', undefined],
  ])('of %s', (origin, id) => expect(treeIdOfOrigin(origin)).toBe(id))

  it('are read as they are written', () => expect(treeIdOfOrigin(v1Origin('a.example', 7n))).toBe(7n))
})

describe('parseEntryId', () => {
  it.each(['', 'ab', 'g'.repeat(64), 'a'.repeat(63), 'a'.repeat(72), 'a'.repeat(81), `${'a'.repeat(64)}\n`])(
    'refuses %j',
    (text) => expect(parseEntryId(text)).toBeUndefined(),
  )
  it('reads both forms', () => {
    expect(parseEntryId('AB'.repeat(32))).toEqual({ treeId: undefined, leafHash: Buffer.alloc(32, 0xab) })
    expect(parseEntryId(`00000000000000ff${'ab'.repeat(32)}`)?.treeId).toBe(255n)
  })
})

it('LogV1Module refuses a log of another kind', () => {
  const tree = (kind: LogKind): V1Tree => ({ treeId: 1n, log: { kind } as unknown as Log, signEntry: (bytes) => bytes })
  const register = (kind: LogKind) => () =>
    LogV1Module.register({
      trees: { trees: () => [tree(kind)] },
      clock: new ManualClock('2026-01-01T00:00:00Z'),
      crypto: nodeCrypto,
      validation: {} as Validation,
      refusals: new RefusalPace(),
    })
  expect(register('signature-v2')).toThrow(TypeError)
  expect(register('signature-v1')().controllers).toHaveLength(3)
})
