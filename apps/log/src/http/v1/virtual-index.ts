import { LedgerError, type AppendedEntry, type AppendOptions, type Log, type NewEntry } from '@touchmark/ledger'
import type { V1Tree, V1Trees } from './v1-trees.js'

/** An index over all trees, oldest first: the outer `logIndex` of an entry (log-v1.md §2). */
export class VirtualIndex {
  readonly #trees: V1Trees
  /** Sizes of trees that will not grow. */
  readonly #final = new WeakMap<Log, bigint>()

  constructor(trees: V1Trees) {
    this.#trees = trees
  }

  trees(): readonly V1Tree[] {
    return this.#trees.trees()
  }

  /** The tree that takes entries. */
  active(): V1Tree {
    return this.trees().at(-1)!
  }

  /** The tree with this id. */
  tree(treeId: bigint): V1Tree | undefined {
    return this.trees().find((tree) => tree.treeId === treeId)
  }

  /** The active tree, then the others, newest first: where an entry is looked for. */
  newestFirst(): readonly V1Tree[] {
    return this.trees().toReversed()
  }

  /**
   * Appends to the tree that takes entries. One that was frozen while the entry waited has a successor, which was made in the same transaction: the trees
   * are looked up again, so a rollover refuses nobody. Throws what the log throws.
   */
  async append(entry: NewEntry, options: AppendOptions): Promise<{ tree: V1Tree; appended: AppendedEntry }> {
    const tree = this.active()
    try {
      return { tree, appended: await tree.log.append(entry, options) }
    } catch (error) {
      if (!(error instanceof LedgerError) || error.code !== 'LEDGER_FROZEN') throw error
      await this.#trees.refresh?.()
      const next = this.active()
      if (next.log === tree.log) throw error
      return { tree: next, appended: await next.log.append(entry, options) }
    }
  }

  /** Entries in the trees before this one. */
  async offsetOf(tree: V1Tree): Promise<bigint> {
    let offset = 0n
    for (const earlier of this.trees()) {
      if (earlier.log === tree.log) return offset
      offset += await this.#sizeOf(earlier.log)
    }
    return offset
  }

  /** Which entry of which tree an index is; undefined beyond the last. */
  async locate(index: bigint): Promise<{ tree: V1Tree; index: bigint } | undefined> {
    let rest = index
    for (const tree of this.trees()) {
      const size = await this.#sizeOf(tree.log)
      if (rest < size) return { tree, index: rest }
      rest -= size
    }
    return undefined
  }

  async #sizeOf(log: Log): Promise<bigint> {
    const known = this.#final.get(log)
    if (known !== undefined) return known
    const { size } = await log.checkpoint()
    // Read after the head: a tree that is frozen now had grown to this size before.
    if (log.state === 'frozen') this.#final.set(log, (await log.checkpoint()).size)
    return size
  }
}
