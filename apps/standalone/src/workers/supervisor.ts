import { isCodedError } from '@touchmark/errors'
import type { MetricSnapshot } from '@touchmark/service'
import type { Logger } from '@touchmark/service'
import type { StandaloneConfig } from '../config/options.js'
import type { GreetingInput } from '../greeting.js'
import { deferred } from './deferred.js'
import { RestartPolicy } from './restart-policy.js'
import { WorkerProcess } from './worker-process.js'
import { poolSizeOf } from './worker-seat.js'

export interface SupervisorOptions {
  /** What every worker is started with. */
  readonly config: StandaloneConfig
  readonly workers: number
  readonly logger: Logger
  /** Told the id of a worker that has ended. */
  readonly ended: (worker: number) => void
}

/** A database that is away comes back; every other reason not to start stands until a person has looked at it. */
const PASSING = /^(POSTGRES|LEDGER_UNAVAILABLE$)/
const METRICS_DEADLINE_MS = 2_000

/**
 * Keeps so many workers running. One that ends is replaced; a state that nobody may go on from, met by one of them, is reported once and ends all:
 * the caller stops the supervisor then.
 */
export class Supervisor {
  /** Resolves with the reason when the instance must not go on. */
  readonly failed: Promise<Error>
  readonly #options: SupervisorOptions
  readonly #workers = new Map<number, WorkerProcess>()
  readonly #pauses = new Map<NodeJS.Timeout, number>()
  readonly #policies: readonly RestartPolicy[]
  #fail: (reason: Error) => void
  #stopping = false

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#policies = Array.from({ length: options.workers }, () => new RestartPolicy())
    const { promise, resolve } = deferred<Error>()
    this.failed = promise
    this.#fail = resolve
  }

  /** Workers that run now. */
  get running(): number {
    return this.#workers.size
  }

  /** Starts all and resolves when all serve. Rejects with the reason of the first that cannot; the caller then stops what runs. */
  async start(): Promise<{ port: number; greeting: GreetingInput }> {
    const all = this.#policies.map((_, seat) => this.#fork(seat))
    const [first] = await Promise.all(all.map((worker) => worker.serving))
    for (const [seat, worker] of all.entries()) this.#watch(seat, worker)
    return first!
  }

  /** The metrics of every worker that answers. */
  async metrics(): Promise<ReadonlyMap<number, MetricSnapshot>> {
    const asked = [...this.#workers.values()].map(async (worker) => [worker.id, await worker.metrics(METRICS_DEADLINE_MS)] as const) // prettier-ignore
    const answers = await Promise.all(asked)
    return new Map(answers.filter((answer): answer is [number, MetricSnapshot] => answer[1] !== undefined))
  }

  /** Drains all at once; no worker is replaced any more. */
  async stop(drainMs: number): Promise<void> {
    this.#stopping = true
    for (const pause of this.#pauses.keys()) clearTimeout(pause)
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop(drainMs)))
  }

  #fork(seat: number): WorkerProcess {
    const { config, workers, ended } = this.#options
    const worker = new WorkerProcess({ config, poolSize: poolSizeOf(workers), housekeeper: seat === 0 })
    this.#workers.set(worker.id, worker)
    void worker.fatal.then((error) => this.#fail(error))
    void worker.ended.then(() => {
      this.#workers.delete(worker.id)
      ended(worker.id)
    })
    return worker
  }

  /** Waits for the worker's end and starts the next one in its seat. */
  #watch(seat: number, worker: WorkerProcess): void {
    void worker.ended.then(({ servedMs, refusal, how }) => {
      if (this.#stopping) return
      const { logger } = this.#options
      if (isCodedError(refusal) && !PASSING.test(refusal.code)) return this.#fail(refusal)
      const pauseMs = this.#policies[seat]!.ended(servedMs)
      if (pauseMs === undefined) return this.#fail(refusal ?? new Error(`worker processes do not start (${how})`))
      logger.error({ pid: worker.pid, how, err: refusal, pauseMs }, 'a worker process ended and is replaced')
      const pause = setTimeout(() => {
        this.#pauses.delete(pause)
        try {
          this.#watch(seat, this.#fork(seat))
        } catch (error) {
          // No process, not even one that ended: nobody else would hear of it.
          this.#fail(error instanceof Error ? error : new Error(String(error)))
        }
      }, pauseMs)
      this.#pauses.set(pause, seat)
    })
  }
}
