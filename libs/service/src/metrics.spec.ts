import { get, request } from 'node:http'
import { afterEach, describe, expect, it } from '@jest/globals'
import { createHttpMetrics, gauge, labelledGauge, Registry, serveMetrics } from './metrics.js'

describe('metrics of the HTTP edge', () => {
  it('have a fixed number of series whatever methods come (A2)', async () => {
    const registry = new Registry()
    const metrics = createHttpMetrics(registry)
    for (let i = 0; i < 10_000; i++) metrics.observe('/api', `M${i}`, 200 + (i % 5) * 100, 0.001)
    const text = await registry.metrics()
    const series = text.split('\n').filter((line) => line.startsWith('touchmark_http_request_duration_seconds_count'))
    expect(series).toHaveLength(5)
    expect(series.every((line) => line.includes('method="other"'))).toBe(true)
  })
})

describe('gauges', () => {
  it('are read when they are scraped', async () => {
    const registry = new Registry()
    let value = 1
    gauge(registry, 'touchmark_a', 'a', () => value)
    labelledGauge(registry, 'touchmark_b', 'b', 'log', { signature: () => value, certificate: () => -value })
    value = 7
    const text = await registry.metrics()
    expect(text).toContain('touchmark_a 7\n')
    expect(text).toContain('touchmark_b{log="signature"} 7\n')
    expect(text).toContain('touchmark_b{log="certificate"} -7\n')
  })
})

describe('serveMetrics', () => {
  let close: (() => Promise<void>) | undefined
  afterEach(() => close?.())

  const ask = (port: number, path: string, method = 'GET'): Promise<{ status: number; type: string; text: string }> =>
    new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port, path, method, agent: false }, (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => (text += chunk.toString()))
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text }),
        )
      })
        .on('error', reject)
        .end()
    })

  it('serves GET /metrics and nothing else', async () => {
    const registry = new Registry()
    gauge(registry, 'touchmark_a', 'a', () => 1)
    const served = await serveMetrics(registry, '127.0.0.1', 0)
    close = served.close
    const { status, type, text } = await ask(served.port, '/metrics')
    expect([status, type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
    expect(text).toContain('touchmark_a 1')
    expect((await ask(served.port, '/')).status).toBe(404)
    expect((await ask(served.port, '/metrics', 'POST')).status).toBe(404)
  })

  it('answers 500 without detail when a value cannot be read', async () => {
    const registry = new Registry()
    gauge(registry, 'touchmark_a', 'a', () => {
      throw new Error('secret')
    })
    const served = await serveMetrics(registry, '127.0.0.1', 0)
    close = served.close
    expect(await ask(served.port, '/metrics')).toMatchObject({ status: 500, text: '' })
  })

  it('refuses a taken port with a code, and closes at once under a scraper that keeps its connection', async () => {
    const served = await serveMetrics(new Registry(), '127.0.0.1', 0)
    await expect(serveMetrics(new Registry(), '127.0.0.1', served.port)).rejects.toThrowCode('SERVICE_PORT_TAKEN')
    await new Promise<void>((resolve) =>
      get(
        { host: '127.0.0.1', port: served.port, path: '/metrics', headers: { connection: 'keep-alive' } },
        (response) => response.resume().on('end', resolve),
      ),
    )
    await served.close()
    await expect(ask(served.port, '/metrics')).rejects.toThrow('ECONNREFUSED')
  })
})
