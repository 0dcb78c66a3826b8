import { describe, expect, it } from '@jest/globals'
import { Registry } from 'prom-client'
import { counter, createHttpMetrics, gauge } from './metrics.js'
import { metricSnapshot, WorkerMetrics, type MetricSnapshot } from './worker-metrics.js'

/** A worker's registry with so many requests, and what it says of the instance. */
function worker(requests: number, size: number, age: number): Registry {
  const registry = new Registry()
  const http = createHttpMetrics(registry)
  for (let i = 0; i < requests; i++) http.observe('/api', 'GET', 200, 0.002)
  gauge(registry, 'size', 'Size.', () => size)
  gauge(registry, 'age', 'Age.', () => age, 'min')
  gauge(registry, 'waiting', 'Waiting.', () => requests, 'sum')
  return registry
}

describe('WorkerMetrics', () => {
  const answers = new Map<number, Registry>()
  const own = new Registry()
  const ends = counter(own, 'ends_total', 'Ends.', 'how')
  const ask = async (): Promise<ReadonlyMap<number, MetricSnapshot>> =>
    new Map(
      await Promise.all(
        [...answers].map(async ([id, registry]) => [id, structuredClone(await metricSnapshot(registry))] as const),
      ),
    )
  const metrics = new WorkerMetrics(own, ask)
  const value = async (line: string): Promise<string | undefined> =>
    (await metrics.metrics())
      .split('\n')
      .find((text) => text.startsWith(`${line} `))
      ?.split(' ')
      .at(-1)
  const count = 'touchmark_http_request_duration_seconds_count{api="/api",method="GET",status="2xx"}'

  it('adds counts up, and takes of gauges what each says is right', async () => {
    answers.set(1, worker(3, 10, 5)).set(2, worker(4, 12, 2))
    ends.labels('killed').inc()
    expect([await value(count), await value('size'), await value('age'), await value('waiting')]).toEqual([
      '7',
      '12',
      '2',
      '7',
    ])
    expect(await value('ends_total{how="killed"}')).toBe('1')
    expect(metrics.contentType).toContain('text/plain')
  })

  it('keeps what an ended worker had counted, and forgets its gauges', async () => {
    answers.delete(2)
    await metrics.ended(2)
    expect([await value(count), await value('size')]).toEqual(['7', '10'])
    answers.set(3, worker(1, 11, 1))
    expect([await value(count), await value('size')]).toEqual(['8', '11'])
    answers.delete(3)
    await metrics.ended(3)
    await metrics.ended(99)
    expect(await value(count)).toBe('8')
  })

  it('says for a worker that does not answer what it said last', async () => {
    answers.clear()
    expect([await value(count), await value('size')]).toEqual(['8', '10'])
  })

  it('loses no count when several end at once, and counts none twice that ends during a scrape', async () => {
    const snapshots = new Map<number, MetricSnapshot>()
    for (const [id, requests] of [
      [1, 3],
      [2, 4],
      [3, 5],
    ] as const) {
      snapshots.set(id, structuredClone(await metricSnapshot(worker(requests, 1, 1))))
    }
    let asked = (): Promise<void> => Promise.resolve()
    const several = new WorkerMetrics(new Registry(), async () => {
      await asked()
      return snapshots
    })
    const total = async (): Promise<string> =>
      (await several.metrics()).split('\n').find((line) => line.startsWith(count))!
    expect(await total()).toBe(`${count} 12`)
    await Promise.all([several.ended(1), several.ended(2)])
    // Its answer is on its way when it ends.
    asked = () => several.ended(3)
    expect(await total()).toBe(`${count} 12`)
    expect(await total()).toBe(`${count} 12`)
  })
})
