import { Worker } from 'node:worker_threads'
import { LedgerError } from '@touchmark/ledger'
import { LogApiError } from '../errors.js'
import { errorOf, type Asked, type FromThread, type Outcome } from './messages.js'
import type { TaskName, TaskResult } from './tasks.js'

export interface ValidationOptions {
  /** Requests that may wait, and bytes of their bodies. */
  readonly maxWaiting?: number
  readonly maxWaitingBytes?: number
  /** How often the thread is looked after. One that has been asked and says nothing through three looks is taken for dead. */
  readonly watchMs?: number
  /** Another program for the thread; for tests of what it must not do. */
  readonly program?: URL
}

/** As it is compiled, wherever this file is run from: Node runs no TypeScript in a thread. */
const PROGRAM = new URL('../../dist/validation/validation-thread.js', import.meta.url)
/** A second or two of work, like the queue of the log behind it; as many bytes as may be on their way to a process. */
const MAX_WAITING = 4096
const MAX_WAITING_BYTES = 256 * 1024 * 1024
const WATCH_MS = 20_000
const SILENT_LOOKS = 3
/** Requests of one message, and bytes: enough that handing over costs little of each, few enough that outcomes come evenly. */
const MESSAGE_REQUESTS = 16
const MESSAGE_BYTES = 256 * 1024
/**
 * What the thread is given ahead of its work, so that it does not wait for this one's turn of the event loop: some 30 ms. The rest can be withdrawn. Of large bodies
 * there is one copy at a time.
 */
const MESSAGES_AHEAD = 8
const BYTES_AHEAD = 1024 * 1024
/** Outcomes that the pace of the thread is judged by. */
const PACE_MEMORY = 1024

interface Waiting {
  readonly task: TaskName
  readonly bytes: number
  /** Until the thread has its copy. */
  body: Uint8Array | undefined
  readonly settle: (outcome: Outcome) => void
  readonly refuse: (error: Error) => void
}

/**
 * The thread of a process that validates requests (tasks.ts), step 0 of life-of-an-entry.md. A signature costs as much as everything else about an entry
 * together; here it keeps neither the event loop, on which appends and answers wait for their turn, nor those who read. Requests are validated in the order in which they came.
 */
export class Validation {
  readonly #maxWaiting: number
  readonly #maxWaitingBytes: number
  readonly #worker: Worker
  readonly #queue: Waiting[] = []
  /** What the thread has, a message each. */
  readonly #asked: Waiting[][] = []
  #askedBytes = 0
  readonly #watchdog: NodeJS.Timeout
  readonly #pace = { outcomes: 0, ms: 0 }
  #waitingBytes = 0
  #scheduled = false
  #heardAt = 0
  #silences = 0
  #closed = false
  #failure: Error | undefined
  #fail!: (error: Error) => void

  /** Resolves with the reason when the thread has ended or is silent: nothing can be validated any more. */
  readonly failed = new Promise<Error>((resolve) => (this.#fail = resolve))

  private constructor(worker: Worker, options: ValidationOptions) {
    this.#maxWaiting = options.maxWaiting ?? MAX_WAITING
    this.#maxWaitingBytes = options.maxWaitingBytes ?? MAX_WAITING_BYTES
    this.#worker = worker
    worker.on('message', (outcomes: readonly Outcome[]) => this.#heard(outcomes))
    worker.on('error', (cause) => this.#end('the validation thread failed', cause))
    worker.on('messageerror', (cause) => this.#end('the validation thread cannot be understood', cause))
    worker.on('exit', (code) => this.#end(`the validation thread ended with ${code}`))
    this.#watchdog = setInterval(() => this.#watch(), options.watchMs ?? WATCH_MS)
    this.#watchdog.unref()
  }

  /** Resolves when the thread can be asked. Throws LOG_VALIDATION_FAILED. */
  static async start(options: ValidationOptions = {}): Promise<Validation> {
    const worker = new Worker(options.program ?? PROGRAM)
    await new Promise<void>((resolve, reject) => {
      const failed = (cause: unknown): void => {
        reject(new LogApiError('LOG_VALIDATION_FAILED', 'the validation thread does not start', { cause }))
        void worker.terminate()
      }
      worker.once('message', (message: FromThread) => {
        worker.off('error', failed).off('exit', failed)
        if (message === 'ready') resolve()
        else failed(message)
      })
      worker.once('error', failed).once('exit', failed)
    })
    return new Validation(worker, options)
  }

  /** Requests that wait for their outcome. */
  get waiting(): number {
    return this.#queue.length + this.#asked.reduce((sum, { length }) => sum + length, 0)
  }

  /**
   * Runs a task on the thread, on a copy of the body. Rejects with the task's EntryError; with LEDGER_PUSHBACK when too many wait, LEDGER_CANCELLED when `signal` aborts before it is
   * its turn, LEDGER_CLOSED, and LOG_VALIDATION_FAILED.
   */
  run<Name extends TaskName>(task: Name, body: Uint8Array, signal?: AbortSignal): Promise<TaskResult<Name>> {
    return new Promise((resolve, reject) => {
      const refusal = this.#refusal(body.length) ?? (signal?.aborted === true ? cancelled() : undefined)
      if (refusal !== undefined) return reject(refusal)
      const withdraw = (): void => {
        const at = this.#queue.indexOf(one)
        if (at < 0) return
        this.#queue.splice(at, 1)
        this.#waitingBytes -= one.bytes
        reject(cancelled())
      }
      const one: Waiting = {
        task,
        body,
        bytes: body.length,
        settle: (outcome) => {
          signal?.removeEventListener('abort', withdraw)
          if ('result' in outcome) resolve(outcome.result as TaskResult<Name>)
          else if ('refusal' in outcome) reject(errorOf(outcome.refusal))
          else reject(new Error(`validation threw what it must not:\n${outcome.bug}`))
        },
        refuse: reject,
      }
      signal?.addEventListener('abort', withdraw, { once: true })
      this.#queue.push(one)
      this.#waitingBytes += one.bytes
      this.#consider()
    })
  }

  /** Takes no more requests, refuses those that wait, and ends the thread. */
  async close(): Promise<void> {
    this.#closed = true
    this.#refuseAll(new LedgerError('LEDGER_CLOSED', 'the log is closed'))
    clearInterval(this.#watchdog)
    await this.#worker.terminate()
  }

  #refusal(bytes: number): Error | undefined {
    if (this.#failure !== undefined) return this.#failure
    if (this.#closed) return new LedgerError('LEDGER_CLOSED', 'the log is closed')
    const { waiting } = this
    const full = waiting > 0 && this.#waitingBytes + bytes > this.#maxWaitingBytes
    if (waiting < this.#maxWaiting && !full) return undefined
    const { outcomes, ms } = this.#pace
    const seconds = outcomes === 0 ? 1 : (waiting * ms) / outcomes / 1000
    const retryAfterSeconds = Math.min(30, Math.max(1, Math.ceil(seconds)))
    return new LedgerError('LEDGER_PUSHBACK', `${waiting} requests wait to be validated`, { retryAfterSeconds })
  }

  #consider(): void {
    if (this.#scheduled || !this.#mayAsk()) return
    // What else this turn of the event loop brings goes along.
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      while (this.#mayAsk()) this.#ask()
    })
  }

  #mayAsk(): boolean {
    if (this.#queue.length === 0) return false
    return this.#asked.length === 0 || (this.#asked.length < MESSAGES_AHEAD && this.#askedBytes < BYTES_AHEAD)
  }

  #ask(): void {
    let count = 0
    let bytes = 0
    while (count < this.#queue.length && count < MESSAGE_REQUESTS) {
      if (count > 0 && bytes + this.#queue[count]!.bytes > MESSAGE_BYTES) break
      bytes += this.#queue[count]!.bytes
      count++
    }
    const some = this.#queue.splice(0, count)
    // Copies: other requests, and what HTTP has not read yet, may lie in the same buffer.
    const requests = some.map(({ task, body }): Asked => ({ task, body: new Uint8Array(body!) }))
    for (const one of some) one.body = undefined
    if (this.#asked.length === 0) this.#heardAt = performance.now()
    this.#asked.push(some)
    this.#askedBytes += bytes
    this.#worker.postMessage(
      requests,
      requests.map(({ body }) => body.buffer as ArrayBuffer),
    )
  }

  #heard(outcomes: readonly Outcome[]): void {
    const some = this.#asked.shift() ?? []
    const now = performance.now()
    this.#keepPace(some.length, now - this.#heardAt)
    this.#heardAt = now
    this.#silences = 0
    const bytes = some.reduce((sum, one) => sum + one.bytes, 0)
    this.#askedBytes -= bytes
    this.#waitingBytes -= bytes
    this.#consider()
    some.forEach(({ settle, refuse }, i) => {
      const outcome = outcomes[i]
      if (outcome === undefined) refuse(new Error('the validation thread left a request out'))
      else settle(outcome)
    })
  }

  #keepPace(outcomes: number, ms: number): void {
    const pace = this.#pace
    pace.outcomes += outcomes
    pace.ms += ms
    if (pace.outcomes < PACE_MEMORY) return
    pace.outcomes /= 2
    pace.ms /= 2
  }

  #watch(): void {
    if (this.#asked.length === 0 || ++this.#silences < SILENT_LOOKS) return
    this.#end('the validation thread is silent')
    void this.#worker.terminate()
  }

  #end(why: string, cause?: unknown): void {
    if (this.#closed || this.#failure !== undefined) return
    this.#failure = new LogApiError('LOG_VALIDATION_FAILED', why, { cause })
    this.#refuseAll(this.#failure)
    this.#fail(this.#failure)
  }

  #refuseAll(error: Error): void {
    for (const { refuse } of [...this.#asked.splice(0).flat(), ...this.#queue.splice(0)]) refuse(error)
    this.#waitingBytes = 0
  }
}

function cancelled(): LedgerError {
  return new LedgerError('LEDGER_CANCELLED', 'the client went away before its request was validated')
}
