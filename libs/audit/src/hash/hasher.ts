import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { AuditError } from '../errors.js'
import { checkLeafTile, type LeafResult, type LeafTask } from './leaf-tile.js'

/** Hashes tiles, here or on other threads. */
export interface Hasher {
  check(task: LeafTask): Promise<LeafResult>
  close(): Promise<void>
}

/** Tiles that the caller's own thread hashes before others are started: starting them costs as much as some hundred tiles. */
const BEFORE_THREADS = 256

/** Threads that hash: one for each core but the caller's, which reads; or none at all where `threads` is 0. */
export function createHasher(
  threads: number = Math.max(1, availableParallelism() - 1),
  beforeThreads: number = BEFORE_THREADS,
): Hasher {
  return threads === 0 ? new LocalHasher() : new ThreadHasher(threads, beforeThreads)
}

class LocalHasher implements Hasher {
  check(task: LeafTask): Promise<LeafResult> {
    return Promise.resolve(checkLeafTile(task))
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

interface Waiting {
  resolve(result: LeafResult): void
  reject(error: Error): void
}

interface Thread {
  readonly worker: Worker
  /** In the order in which they were asked, which is that of the answers. */
  readonly waiting: Waiting[]
}

class ThreadHasher implements Hasher {
  readonly #count: number
  readonly #before: number
  readonly #threads: Thread[] = []
  #checked = 0
  #closed = false
  #failure: Error | undefined

  constructor(count: number, before: number) {
    this.#count = count
    this.#before = before
  }

  check(task: LeafTask): Promise<LeafResult> {
    if (this.#failure) return Promise.reject(this.#failure)
    if (this.#checked++ < this.#before) return Promise.resolve(checkLeafTile(task))
    while (this.#threads.length < this.#count) this.#threads.push(this.#start())
    const { worker, waiting } = this.#threads.reduce((a, b) => (b.waiting.length < a.waiting.length ? b : a))
    const { owned, transfer } = handOver(task)
    return new Promise((resolve, reject) => {
      waiting.push({ resolve, reject })
      worker.postMessage(owned, transfer)
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()))
  }

  #start(): Thread {
    const worker = new Worker(new URL('./hash-thread.js', import.meta.url))
    const waiting: Waiting[] = []
    worker.on('message', (result: LeafResult) => waiting.shift()?.resolve(result))
    const failed = (cause: unknown): void => {
      if (this.#closed) return
      this.#failure = new AuditError('AUDIT_THREAD_FAILED', 'a thread that hashes ended', { cause })
      for (const { reject } of waiting.splice(0)) reject(this.#failure)
    }
    worker.on('error', failed)
    worker.on('exit', failed)
    return { worker, waiting }
  }
}

/** Moves the bytes instead of copying them where a buffer holds nothing else. */
function handOver(task: LeafTask): { owned: LeafTask; transfer: ArrayBuffer[] } {
  const transfer: ArrayBuffer[] = []
  const own = (bytes: Uint8Array): Uint8Array => {
    const whole = bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer
    const mine = whole ? new Uint8Array(bytes.buffer as ArrayBuffer) : new Uint8Array(bytes)
    transfer.push(mine.buffer)
    return mine
  }
  const { entries, tile } = task
  const packed = entries && {
    ...entries,
    bytes: own(entries.bytes),
    ...(entries.leafHashes ? { leafHashes: own(entries.leafHashes) } : {}),
  }
  return { owned: { ...task, entries: packed, tile: tile && own(tile) }, transfer }
}
