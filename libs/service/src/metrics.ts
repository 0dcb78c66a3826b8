import { createServer, type Server } from 'node:http'
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import { startListening } from './start-listening.js'
import type { MetricSource } from './worker-metrics.js'

export { Counter, Gauge, Histogram, Registry } from 'prom-client'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']

/** Metrics of the HTTP edge. Every label value comes from a fixed list (reliability test A2): the API's prefix, a known method, a status class. */
export interface HttpMetrics {
  observe(api: string, method: string, status: number, seconds: number): void
}

/** A registry with the process's own metrics. */
export function createRegistry(): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return registry
}

export function createHttpMetrics(registry: Registry): HttpMetrics {
  const duration = new Histogram({
    name: 'touchmark_http_request_duration_seconds',
    help: 'Time from a request to the end of its answer, by API, method and class of status.',
    labelNames: ['api', 'method', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  })
  return {
    observe(api, method, status, seconds) {
      const known = METHODS.includes(method) ? method : 'other'
      duration.labels(api, known, `${Math.floor(status / 100)}xx`).observe(seconds)
    },
  }
}

/** How a gauge of several processes becomes one: what tells of the instance is the same in all but for its age, what is held in a process is a sum. */
export type GaugeOfWorkers = 'min' | 'max' | 'sum'

/** A gauge that is read when metrics are scraped. */
export function gauge(
  registry: Registry,
  name: string,
  help: string,
  read: () => number,
  aggregator: GaugeOfWorkers = 'max',
): void {
  new Gauge({
    name,
    help,
    aggregator,
    registers: [registry],
    collect() {
      this.set(read())
    },
  })
}

/** A gauge with one label, all of whose values are known when it is made. */
export function labelledGauge(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  values: Readonly<Record<string, () => number>>,
  aggregator: GaugeOfWorkers = 'max',
): void {
  new Gauge({
    name,
    help,
    aggregator,
    labelNames: [label],
    registers: [registry],
    collect() {
      for (const [value, read] of Object.entries(values)) this.labels(value).set(read())
    },
  })
}

/** A counter with one label from a fixed list. */
export function counter(registry: Registry, name: string, help: string, label: string): Counter {
  return new Counter({ name, help, labelNames: [label], registers: [registry] })
}

/** Serves GET /metrics on a listener of its own, never on the public one. Port 0 takes a free one. Throws SERVICE_PORT_TAKEN or SERVICE_LISTEN_FAILED. */
export async function serveMetrics(
  source: MetricSource,
  address: string,
  port: number,
): Promise<{ port: number; close(): Promise<void> }> {
  const server: Server = createServer((request, response) => {
    if (request.url !== '/metrics' || request.method !== 'GET') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('only GET /metrics is here\n')
      return
    }
    source.metrics().then(
      (text) => response.writeHead(200, { 'content-type': source.contentType }).end(text),
      () => response.writeHead(500).end(),
    )
  })
  server.headersTimeout = 5_000
  server.maxConnections = 64
  const bound = await startListening(server, address, port, '--metrics-port')
  return {
    port: bound,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      // A scraper keeps its connection open between scrapes.
      server.closeAllConnections()
      await closed
    },
  }
}
