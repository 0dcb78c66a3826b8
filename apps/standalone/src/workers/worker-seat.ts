import type { MetricSnapshot } from '@touchmark/service'

/** What is different for a process that is one of several workers. */
export interface WorkerSeat {
  /** Database connections at most. */
  readonly poolSize: number
  /** True in one worker of an instance: it does what is enough to do once. What it does MUST be safe to do in several. */
  readonly housekeeper: boolean
  /** Takes the way to this worker's metrics; the supervisor serves those of all. */
  useMetrics(snapshot: () => Promise<MetricSnapshot>): void
}

/** The embedded server takes 60 connections; the supervisor, its claim and maintenance commands have some of their own. */
const CONNECTIONS_OF_ALL = 48
const CONNECTIONS_OF_ONE = 16

/** Connections for each of `workers` processes. */
export function poolSizeOf(workers: number): number {
  return Math.max(2, Math.min(CONNECTIONS_OF_ONE, Math.floor(CONNECTIONS_OF_ALL / workers)))
}
