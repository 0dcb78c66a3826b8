import { Worker } from 'node:worker_threads'
import { LedgerError } from '@touchmark/ledger'
import { LogApiError } from '../errors.js'
import { errorOf, type Asked, type FromThread, type Outcome } from './messages.js'
import type { TaskName, TaskResult } from './tasks.js'
import { ValidationQueue, type QueueLimits, type Waiting } from './validation-queue.js'

export interface ValidationOptions extends QueueLimits {
  /** How often the thread is looked after. One that has been asked and says nothing through three looks is taken for dead. */
  readonly watchMs?: number
  /** Another program for the thread; for tests of what it must not do. */
  readonly program?: URL
}

/** As it is compiled, wherever this file is run from: Node runs no TypeScript in a thread. */
const PROGRAM = new URL('../../dist/validation/validation-thread.js', import.meta.url)
const WATCH_MS = 20_000
const SILENT_LOOKS = 3

/**
 * The thread of a process that validates requests (tasks.ts), step 0 of life-of-an-entry.md. A signature, with what is around it, costs nearly as much as everything else about an
 * entry together; here it keeps neither the event loop, on which appends and answers wait for their turn, nor those who read (docs/adr/0010-validation-on-a-thread.md).
 */
export class Validation {
  readonly #worker: Worker
  readonly #queue: ValidationQueue
  readonly #watchdog: NodeJS.Timeout
  #scheduled = false
  #silences = 0
  /** Why nothing more is taken. */
  #over: Error | undefined
  #fail!: (error: Error) => void

  /** Resolves with the reason when the thread has ended or is silent: nothing can be validated any more. */
  readonly failed = new Promise<Error>((resolve) => (this.#fail = resolve))

  private constructor(worker: Worker, { watchMs = WATCH_MS, ...limits }: ValidationOptions) {
    this.#queue = new ValidationQueue(limits)
    this.#worker = worker
    worker.on('message', (outcomes: readonly Outcome[]) => this.#heard(outcomes))
    worker.on('error', (cause) => this.#fatal('the validation thread failed', cause))
    worker.on('messageerror', (cause) => this.#fatal('the validation thread cannot be understood', cause))
    worker.on('exit', (code) => this.#fatal(`the validation thread ended with ${code}`))
    this.#watchdog = setInterval(() => this.#watch(), watchMs)
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
    return this.#queue.waiting
  }

  /**
   * Runs a task on the thread, on a copy of the body. Rejects with the task's EntryError; with LEDGER_PUSHBACK when too many wait, LEDGER_CANCELLED when `signal` aborts before it is
   * its turn, LEDGER_CLOSED, and LOG_VALIDATION_FAILED.
   */
  async run<Name extends TaskName>(task: Name, body: Uint8Array, signal?: AbortSignal): Promise<TaskResult<Name>> {
    if (this.#over !== undefined) throw this.#over
    if (signal?.aborted === true) throw cancelled()
    return new Promise((resolve, reject) => {
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
      const withdraw = (): void => {
        if (this.#queue.withdraw(one)) reject(cancelled())
      }
      this.#queue.add(one)
      signal?.addEventListener('abort', withdraw, { once: true })
      this.#consider()
    })
  }

  /** Takes no more requests, refuses those that wait, and ends the thread. */
  async close(): Promise<void> {
    this.#end(new LedgerError('LEDGER_CLOSED', 'the log is closed'))
    await this.#worker.terminate()
  }

  #consider(): void {
    if (this.#scheduled) return
    // What else this turn of the event loop brings goes along.
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      for (let some = this.#queue.next(); some !== undefined; some = this.#queue.next()) this.#ask(some)
    })
  }

  #ask(some: readonly Waiting[]): void {
    // Copies: other requests, and what HTTP has not read yet, may lie in the same buffer.
    const requests = some.map(({ task, body }): Asked => ({ task, body: new Uint8Array(body!) }))
    for (const one of some) one.body = undefined
    const buffers = requests.map(({ body }) => body.buffer as ArrayBuffer)
    this.#worker.postMessage(requests, buffers)
  }

  #heard(outcomes: readonly Outcome[]): void {
    this.#silences = 0
    const some = this.#queue.answered()
    this.#consider()
    some.forEach(({ settle, refuse }, i) => {
      const outcome = outcomes[i]
      if (outcome === undefined) refuse(new Error('the validation thread left a request out'))
      else settle(outcome)
    })
  }

  #watch(): void {
    if (!this.#queue.asked || ++this.#silences < SILENT_LOOKS) return
    this.#fatal('the validation thread is silent')
    void this.#worker.terminate()
  }

  #fatal(why: string, cause?: unknown): void {
    if (this.#over !== undefined) return
    const failure = new LogApiError('LOG_VALIDATION_FAILED', why, { cause })
    this.#end(failure)
    this.#fail(failure)
  }

  #end(why: Error): void {
    this.#over = why
    clearInterval(this.#watchdog)
    for (const { refuse } of this.#queue.clear()) refuse(why)
  }
}

function cancelled(): LedgerError {
  return new LedgerError('LEDGER_CANCELLED', 'the client went away before its request was validated')
}
