import { AggregatorRegistry, type Registry } from 'prom-client'

/** The metrics of one process as they stood at one moment; can be sent to another process. */
export type MetricSnapshot = Awaited<ReturnType<Registry['getMetricsAsJSON']>>

/** Where metrics come from when they are scraped. */
export type MetricSource = Pick<Registry, 'contentType' | 'metrics'>

/** Takes the snapshot that a supervisor adds up. */
export const metricSnapshot = (registry: Registry): Promise<MetricSnapshot> => registry.getMetricsAsJSON()

/** These only ever grow, so what an ended process had counted still counts. The numbers are prom-client's own. */
const GROWING: readonly string[] = ['counter', 'histogram']

/**
 * The metrics of an instance of several processes as one: counters and histograms are sums, gauges what their `aggregator` says. What an ended
 * worker had counted when it was last asked stays in the sums, so that no counter ever goes back.
 */
export class WorkerMetrics implements MetricSource {
  readonly #own: Registry
  readonly #ask: () => Promise<ReadonlyMap<number, MetricSnapshot>>
  readonly #last = new Map<number, MetricSnapshot>()
  readonly #gone = new Set<number>()
  #departed: MetricSnapshot = []
  /** The last sum that is being made: each begins with what the one before has made. */
  #summing: Promise<void> = Promise.resolve()

  /** `own` is the supervisor's registry; `ask` gives the snapshots of the workers that answer, by a number that is never used again. */
  constructor(own: Registry, ask: () => Promise<ReadonlyMap<number, MetricSnapshot>>) {
    this.#own = own
    this.#ask = ask
  }

  get contentType(): Registry['contentType'] {
    return this.#own.contentType
  }

  async metrics(): Promise<string> {
    const [own, answered] = await Promise.all([metricSnapshot(this.#own), this.#ask()])
    // One that ended while others were asked has been added up.
    for (const [worker, snapshot] of answered) if (!this.#gone.has(worker)) this.#last.set(worker, snapshot)
    return AggregatorRegistry.aggregate([...this.#last.values(), own, this.#departed]).metrics()
  }

  /** A worker has ended: its gauges go, its counts stay. */
  ended(worker: number): Promise<void> {
    const last = this.#last.get(worker)
    this.#last.delete(worker)
    this.#gone.add(worker)
    if (last === undefined) return this.#summing
    const counts = last.filter(({ type }) => GROWING.includes(String(type)))
    this.#summing = this.#summing.then(async () => {
      this.#departed = await metricSnapshot(AggregatorRegistry.aggregate([this.#departed, counts]))
    })
    return this.#summing
  }
}
