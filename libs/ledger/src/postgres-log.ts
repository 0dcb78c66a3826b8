import type { PublicKey } from '@touchmark/crypto'
import { isCodedError } from '@touchmark/errors'
import { PostgresError } from '@touchmark/postgres'
import { Appender } from './append/appender.js'
import { Batcher } from './append/batcher.js'
import { Duplicates } from './append/duplicates.js'
import { Intake } from './append/intake.js'
import { WaitingEntry, assertEntry } from './append/waiting-entry.js'
import { LedgerError } from './errors.js'
import { TreeReader } from './read/tree-reader.js'
import type { TreeMemory } from './tree-memory.js'
import type {
  AppendOptions,
  AppendedEntry,
  BatchLimits,
  LeafData,
  Log,
  LogHead,
  LogKind,
  LogState,
  NewEntry,
  OpenLogOptions,
} from './types.js'

const DEFAULT_LIMITS: BatchLimits = { maxEntries: 512, maxBytes: 4 * 1024 * 1024, maxAgeMs: 3 }
const DEFAULT_MAX_WAITING = 4096
const DEFAULT_MAX_DUPLICATES = 4096
const DEFAULT_MAX_WAITING_BYTES = 64 * 1024 * 1024

/** A {@link Log} in PostgreSQL; made by openLog(). */
export class PostgresLog implements Log {
  readonly kind: LogKind
  readonly origin: string
  readonly publicKey: PublicKey
  readonly logId: Uint8Array
  readonly #options: OpenLogOptions
  readonly #memory: TreeMemory
  readonly #reader: TreeReader
  readonly #appender: Appender
  readonly #intake: Intake

  constructor(options: OpenLogOptions, memory: TreeMemory) {
    this.kind = options.kind
    this.origin = options.origin
    this.publicKey = options.signer.publicKey
    this.logId = memory.identity.logId
    this.#options = options
    this.#memory = memory
    this.#reader = new TreeReader(options.db, memory)
    const maxWaitingBytes = options.maxWaitingBytes ?? DEFAULT_MAX_WAITING_BYTES
    const maxDuplicates = options.maxDuplicates ?? DEFAULT_MAX_DUPLICATES
    const duplicates = new Duplicates(memory, this.#reader, maxDuplicates, maxWaitingBytes)
    this.#appender = new Appender(options.db, memory, duplicates)
    const batcher = new Batcher<WaitingEntry>({
      limits: { ...DEFAULT_LIMITS, ...options.batch },
      maxWaiting: options.maxWaiting ?? DEFAULT_MAX_WAITING,
      maxWaitingBytes,
      run: (items) => this.#appender.run(items),
      observe: options.observe,
    })
    this.#intake = new Intake(memory, batcher, duplicates)
  }

  get state(): LogState {
    return this.#memory.state
  }

  get failure(): Error | undefined {
    return this.#memory.failure
  }

  async append(entry: NewEntry, { signal }: AppendOptions = {}): Promise<AppendedEntry> {
    try {
      if (this.#memory.failure) throw this.#memory.failure
      if (signal?.aborted) throw cancelled()
      assertEntry(this.kind, entry)
      const item = new WaitingEntry(entry)
      this.#intake.add(item)
      // Awaited here: a refusal that comes later is observed too.
      if (!signal) return await item.answered
      return await this.#answeredOrWithdrawn(item, signal)
    } catch (error) {
      if (isCodedError(error)) this.#options.observe?.refused?.(error.code)
      throw error
    }
  }

  checkpoint(): Promise<LogHead> {
    return reading(this.#reader.checkpoint())
  }

  resign(): Promise<LogHead> {
    return this.#appender.resign()
  }

  tile(level: number, index: bigint, width: number): Promise<Uint8Array | undefined> {
    return reading(this.#reader.tile(level, index, width))
  }

  entryBundle(index: bigint, width: number): Promise<Uint8Array | undefined> {
    return reading(this.#reader.entryBundle(index, width))
  }

  entries(start: bigint, end: bigint): Promise<LeafData[]> {
    return reading(this.#reader.entries(start, end))
  }

  indexOf(leafHash: Uint8Array): Promise<bigint | undefined> {
    return reading(this.#reader.indexOf(leafHash))
  }

  inclusionProof(index: bigint, size: bigint): Promise<Uint8Array[]> {
    return reading(this.#reader.inclusionProof(index, size))
  }

  consistencyProof(first: bigint, second: bigint): Promise<Uint8Array[]> {
    return reading(this.#reader.consistencyProof(first, second))
  }

  close(): Promise<void> {
    return this.#intake.close()
  }

  /** A caller who leaves while waiting takes its entry along; in a batch the entry stays, and so does everyone else's. */
  async #answeredOrWithdrawn(item: WaitingEntry, signal: AbortSignal): Promise<AppendedEntry> {
    const onAbort = () => {
      if (this.#intake.withdraw(item)) item.refuse(cancelled())
    }
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await item.answered
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }
}

/** Reads fail like writes do: a database that is away is LEDGER_UNAVAILABLE, whatever its driver calls it. */
export async function reading<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    if (!(error instanceof PostgresError) || error.code === 'POSTGRES_CORRUPT' || error.code === 'POSTGRES_QUERY')
      throw error
    throw new LedgerError('LEDGER_UNAVAILABLE', 'the database cannot be read at this moment', {
      cause: error,
      retryAfterSeconds: 2,
    })
  }
}

function cancelled(): LedgerError {
  return new LedgerError('LEDGER_CANCELLED', 'the caller left before the entry was taken into a batch')
}
