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
