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

  /** Entries in the trees before this one. Throws LEDGER_UNAVAILABLE while the last size of one of them is not known. */
  async offsetOf(tree: V1Tree): Promise<bigint> {
    let offset = 0n
    for (const earlier of this.trees()) {
      if (earlier.log === tree.log) return offset
      offset += await this.#finalSizeOf(earlier.log)
    }
    return offset
  }

  /** Which entry of which tree an index is; undefined beyond the last. Throws LEDGER_UNAVAILABLE while the last size of a tree before it is not known. */
  async locate(index: bigint): Promise<{ tree: V1Tree; index: bigint } | undefined> {
    let rest = index
    const trees = this.trees()
    const last = trees.at(-1)!
    for (const tree of trees) {
      const size = await (tree === last ? this.#sizeOf(tree.log) : this.#finalSizeOf(tree.log))
      if (rest < size) return { tree, index: rest }
      rest -= size
    }
    return undefined
  }

  /**
   * The size of a tree that has a successor. A database that does not answer leaves this process with the head that it saw last, which may be older than the
   * rollover: an index that was counted from it would be signed, and be that of another entry.
   */
  async #finalSizeOf(log: Log): Promise<bigint> {
    const size = await this.#sizeOf(log)
    if (this.#final.has(log)) return size
    throw new LedgerError('LEDGER_UNAVAILABLE', `the last size of ${log.origin} is not known at this moment`, {
      retryAfterSeconds: 2,
    })
  }

  async #sizeOf(log: Log): Promise<bigint> {
    const known = this.#final.get(log)
    if (known !== undefined) return known
    const { size } = await log.checkpoint()
    if (log.state !== 'frozen') return size
    // Read after the head: a tree that is frozen now had grown to this size before.
    const final = (await log.checkpoint()).size
    this.#final.set(log, final)
    return final
  }
}
