import { SEARCH_KEYS_VERSION } from '@touchmark/entry'
import type { Database } from '@touchmark/postgres'
import type { Log } from '../types.js'
import { indexStep } from './index-step.js'
import { readSearchedTrees, type SearchedTree } from './search-sql.js'

const POLL_MS = 1_000
const LONGEST_PAUSE_MS = 30_000
/** From an append to the round that it causes. */
const WAKE_MS = 200
/** How long it rests for each millisecond of work while entries come in. */
const REST_WHILE_APPENDING = 9

export interface SearchFollowerOptions {
  readonly db: Database
  /** The trees to index, asked for in every round; certificate logs are passed over. */
  readonly trees: () => readonly Log[]
  /** Told of a round that failed; the next one tries again, after a growing pause of up to half a minute. */
  readonly failed?: (error: unknown) => void
}

/** How far the index is, as of the end of the last round. */
export interface SearchStatus {
  /** Committed entries that are not indexed yet, of all trees. */
  readonly lag: bigint
  /** Indexed entries that could not be read in full, of all trees. */
  readonly unread: bigint
}

/**
 * Follows the trees and indexes what was appended, in transactions of its own, so that an append never waits for it. Many processes may have one; for each
 * tree one of them works at a time. It rests for as long as it worked, and while entries come in for nine times as long: then they have the thread first, and the
 * index says how far it is behind.
 */
export class SearchFollower {
  readonly #options: SearchFollowerOptions
  #status: SearchStatus = { lag: 0n, unread: 0n }
  #stopping = false
  #running: Promise<void> | undefined
  #appended = false
  #endPause: (() => void) | undefined

  constructor(options: SearchFollowerOptions) {
    this.#options = options
  }

  get status(): SearchStatus {
    return this.#status
  }

  start(): void {
    this.#running ??= this.#follow()
  }

  /** Something was appended: looks soon, instead of at the next poll. */
  wake(): void {
    this.#appended = true
    this.#endPause?.()
  }

  /** Ends after the transaction that runs. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#endPause?.()
    await this.#running
  }

  async #follow(): Promise<void> {
    let failures = 0
    while (!this.#stopping) {
      this.#appended = false
      try {
        await this.#round()
        failures = 0
      } catch (error) {
        if (this.#stopping) return
        this.#options.failed?.(error)
        failures++
      }
      if (failures > 0) await this.#pause(Math.min(POLL_MS * 2 ** failures, LONGEST_PAUSE_MS))
      else await this.#pauseUntilAppended()
    }
  }

  async #round(): Promise<void> {
    for (const { origin } of await this.#behind()) {
      for (;;) {
        if (this.#stopping) return
        const began = performance.now()
        const outcome = await indexStep(this.#options.db, origin)
        if (outcome !== 'indexed' && outcome !== 'cleared') break
        await this.#behind()
        const rest = this.#appended ? REST_WHILE_APPENDING : 1
        this.#appended = false
        await this.#pause(rest * (performance.now() - began))
      }
    }
  }

  /** The trees whose index is not complete; one statement, whatever their number. */
  async #behind(): Promise<readonly SearchedTree[]> {
    const { db, trees } = this.#options
    const origins = trees().filter(({ kind }) => kind !== 'certificate').map(({ origin }) => origin) // prettier-ignore
    const found = await db.withClient((client) => readSearchedTrees(client, origins))
    this.#status = statusOf(found)
    return found.filter((tree) => lagOf(tree) > 0n || tree.extractor < SEARCH_KEYS_VERSION)
  }

  async #pauseUntilAppended(): Promise<void> {
    if (!this.#appended) await this.#pause(POLL_MS, true)
    // Company is waited for: one transaction for a hundred entries, not a hundred transactions.
    if (this.#appended) await this.#pause(WAKE_MS)
  }

  #pause(ms: number, endsWithAppend = false): Promise<void> {
    if (this.#stopping) return Promise.resolve()
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        this.#endPause = undefined
        resolve()
      }
      const timer = setTimeout(end, ms)
      this.#endPause = () => {
        if (this.#stopping || endsWithAppend) end()
      }
    })
  }
}

/** How far the index of these trees is. */
export async function searchStatus(db: Database, origins: readonly string[]): Promise<SearchStatus> {
  return statusOf(await db.withClient((client) => readSearchedTrees(client, origins)))
}

function statusOf(trees: readonly SearchedTree[]): SearchStatus {
  let lag = 0n
  let unread = 0n
  for (const tree of trees) {
    lag += lagOf(tree)
    unread += tree.unread
  }
  return { lag, unread }
}

function lagOf(tree: SearchedTree): bigint {
  return tree.size - (tree.extractor < SEARCH_KEYS_VERSION ? 0n : tree.indexedSize)
}
