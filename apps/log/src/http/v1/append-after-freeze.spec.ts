import { describe, expect, it } from '@jest/globals'
import { LedgerError, type AppendedEntry, type Log } from '@touchmark/ledger'
import type { V1Tree, V1Trees } from './v1-trees.js'
import { VirtualIndex } from './virtual-index.js'

const ENTRY = { body: Uint8Array.of(1) }
const frozen = (): LedgerError => new LedgerError('LEDGER_FROZEN', 'frozen')

function tree(treeId: bigint, append: () => Promise<AppendedEntry>): V1Tree {
  return { treeId, log: { append } as unknown as Log, signEntry: (message) => message }
}
const answered = (index: bigint): Promise<AppendedEntry> =>
  Promise.resolve({ index, body: ENTRY.body, duplicate: false, proof: {} as AppendedEntry['proof'] })

function treesOf(old: V1Tree, next?: V1Tree): V1Trees & { refreshed: number } {
  const state = { refreshed: 0, list: [old] }
  return {
    get refreshed() {
      return state.refreshed
    },
    trees: () => state.list,
    async refresh() {
      state.refreshed++
      if (next !== undefined) state.list = [old, next]
    },
  }
}

describe('an entry that meets a frozen tree', () => {
  it('is appended to its successor', async () => {
    const trees = treesOf(
      tree(1n, () => Promise.reject(frozen())),
      tree(2n, () => answered(7n)),
    )
    const { tree: found, appended } = await new VirtualIndex(trees).append(ENTRY, {})
    expect([found.treeId, appended.index, trees.refreshed]).toEqual([2n, 7n, 1])
  })

  it('is refused when there is none', async () => {
    const trees = treesOf(tree(1n, () => Promise.reject(frozen())))
    await expect(new VirtualIndex(trees).append(ENTRY, {})).rejects.toThrowCode('LEDGER_FROZEN')
    const fixed: V1Trees = { trees: () => trees.trees() }
    await expect(new VirtualIndex(fixed).append(ENTRY, {})).rejects.toThrowCode('LEDGER_FROZEN')
  })

  it('is not tried twice for another reason', async () => {
    const refusal = new LedgerError('LEDGER_PUSHBACK', 'full')
    const trees = treesOf(
      tree(1n, () => Promise.reject(refusal)),
      tree(2n, () => answered(7n)),
    )
    await expect(new VirtualIndex(trees).append(ENTRY, {})).rejects.toBe(refusal)
    expect(trees.refreshed).toBe(0)
  })
})

describe('an index over two trees', () => {
  /** A tree whose newest head this process has, and what it will say once the database answers. */
  function sized(treeId: bigint, size: bigint, state: 'active' | 'frozen') {
    const log = { origin: `a - ${treeId}`, size, state, checkpoint: () => Promise.resolve({ size: log.size }) }
    const made: V1Tree = { treeId, log: log as unknown as Log, signEntry: (message) => message }
    return { log, made }
  }

  it('is not counted from a size that the older tree may have outgrown before its end', async () => {
    // The rollover was read of, and then the database did not answer: the head is that of before.
    const old = sized(1n, 10n, 'active')
    const next = sized(2n, 3n, 'active')
    const virtual = new VirtualIndex({ trees: () => [old.made, next.made] })
    await expect(virtual.offsetOf(next.made)).rejects.toThrowCode('LEDGER_UNAVAILABLE')
    await expect(virtual.locate(11n)).rejects.toThrowCode('LEDGER_UNAVAILABLE')
    Object.assign(old.log, { size: 50n, state: 'frozen' })
    expect(await virtual.offsetOf(next.made)).toBe(50n)
    expect(await virtual.locate(11n)).toEqual({ tree: old.made, index: 11n })
    expect(await virtual.locate(52n)).toEqual({ tree: next.made, index: 2n })
    expect(await virtual.locate(53n)).toBeUndefined()
  })

  it('takes the size that the tree had at its end, not that of the head read before it was known to be frozen', async () => {
    const old = sized(1n, 10n, 'active')
    const next = sized(2n, 1n, 'active')
    let reads = 0
    old.log.checkpoint = () => {
      const size = reads++ === 0 ? 10n : 50n
      Object.assign(old.log, { state: 'frozen' })
      return Promise.resolve({ size })
    }
    const virtual = new VirtualIndex({ trees: () => [old.made, next.made] })
    expect(await virtual.offsetOf(next.made)).toBe(50n)
    expect(await virtual.offsetOf(next.made)).toBe(50n)
    expect(reads).toBe(2)
  })
})
