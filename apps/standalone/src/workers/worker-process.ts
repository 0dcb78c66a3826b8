import cluster, { type Worker } from 'node:cluster'
import { fileURLToPath } from 'node:url'
import type { MetricSnapshot } from '@touchmark/service'
import type { StandaloneConfig } from '../config/options.js'
import type { GreetingInput } from '../greeting.js'
import { deferred } from './deferred.js'
import { fromSent, type FromWorker, type ToWorker } from './messages.js'

/** What the supervisor has of these in its environment does not reach a worker's. */
const SECRET_VARIABLES = ['TOUCHMARK_PASSPHRASE', 'DATABASE_URL']
/** How long after its drain a worker may take to end before it is killed. */
const END_PATIENCE_MS = 5_000

export interface WorkerStart {
  readonly config: StandaloneConfig
  readonly poolSize: number
  readonly housekeeper: boolean
}

/** How a worker ended. */
export interface WorkerEnd {
  /** How long it had served in milliseconds; undefined when it never did. */
  readonly servedMs: number | undefined
  /** Why it could not start, when it said so. */
  readonly refusal: Error | undefined
  /** Exit code or signal, for the log. */
  readonly how: string
}

/** One worker process, from its fork to its end. The port is node:cluster's: the supervisor accepts and deals connections out in turn. */
export class WorkerProcess {
  readonly id: number
  readonly pid: number | undefined
  readonly serving: Promise<{ port: number; greeting: GreetingInput }>
  readonly ended: Promise<WorkerEnd>
  /** Resolves when the worker met a state that nobody may go on from. */
  readonly fatal: Promise<Error>
  readonly #worker: Worker
  /** It has been told what to do; before, it holds nothing and hears nothing. */
  #began = false
  #servesSince: number | undefined
  #refusal: Error | undefined
  #requests = 0
  readonly #asked = new Map<number, (snapshot: MetricSnapshot) => void>()

  constructor(start: WorkerStart) {
    cluster.setupPrimary({
      exec: fileURLToPath(new URL('./worker-main.js', import.meta.url)),
      args: [],
      serialization: 'advanced',
    })
    cluster.schedulingPolicy = cluster.SCHED_RR
    const worker = cluster.fork(Object.fromEntries(SECRET_VARIABLES.map((name) => [name, undefined])))
    this.#worker = worker
    this.id = worker.id
    this.pid = worker.process.pid
    const serving = deferred<{ port: number; greeting: GreetingInput }>()
    const fatal = deferred<Error>()
    this.serving = serving.promise
    this.fatal = fatal.promise
    worker.on('message', (message: FromWorker) => {
      switch (message.kind) {
        case 'hello':
          this.#began = true
          return this.#tell({ kind: 'start', ...start })
        case 'serving':
          this.#servesSince = performance.now()
          return serving.resolve(message)
        case 'refused':
          this.#refusal = fromSent(message.error)
          this.#worker.kill('SIGKILL')
          return
        case 'fatal':
          return fatal.resolve(fromSent(message.error))
        case 'metrics':
          this.#asked.get(message.request)?.(message.snapshot)
      }
    })
    this.ended = new Promise((resolve) => {
      const end = (how: string): void => {
        const servedMs = this.#servesSince === undefined ? undefined : performance.now() - this.#servesSince
        serving.reject(this.#refusal ?? new Error(`a worker process ended before it served (${how})`))
        resolve({ servedMs, refusal: this.#refusal, how })
      }
      worker.once('exit', (code, signal) => end(signal === null ? `exit code ${code}` : `signal ${signal}`))
      worker.on('error', (error) => {
        // One that could not be made has no exit. A pipe that breaks while something is written into it: the end of the process says more.
        if (worker.process.pid === undefined) end(`it could not be started: ${error.message}`)
      })
    })
    // Not everybody waits for it.
    this.serving.catch(() => undefined)
  }

  /** Its metrics, or undefined when it does not answer within `deadlineMs`. */
  async metrics(deadlineMs: number): Promise<MetricSnapshot | undefined> {
    if (this.#servesSince === undefined) return undefined
    const request = this.#requests++
    let timer: NodeJS.Timeout | undefined
    const answer = new Promise<MetricSnapshot | undefined>((resolve) => {
      this.#asked.set(request, resolve)
      timer = setTimeout(() => resolve(undefined), deadlineMs)
    })
    this.#tell({ kind: 'metrics', request })
    const snapshot = await Promise.race([answer, this.ended.then(() => undefined)])
    clearTimeout(timer)
    this.#asked.delete(request)
    return snapshot
  }

  /** Tells it to drain and waits for its end; one that does not end is killed. */
  async stop(drainMs: number): Promise<void> {
    if (this.#began) this.#tell({ kind: 'stop', drainMs })
    else this.#worker.process.kill('SIGKILL')
    const timer = setTimeout(() => this.#worker.process.kill('SIGKILL'), drainMs + END_PATIENCE_MS)
    await this.ended
    clearTimeout(timer)
  }

  #tell(message: ToWorker): void {
    if (this.#worker.isConnected()) this.#worker.send(message, undefined, () => undefined)
  }
}
