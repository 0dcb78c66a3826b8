import { createHash } from 'node:crypto'
import { request as httpRequest, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { NestFactory } from '@nestjs/core'
import { ManualClock } from '@touchmark/clock'
import { createHttpMetrics, createLogger, edge, Health, listen, Registry, type HttpServer } from '@touchmark/service'
import { TrustModule, trustShape, type TrustDocuments } from './index.js'

const DOCUMENTS: TrustDocuments = {
  trustedRoot: '{"root":"ü"}',
  signingConfig: '{"config":1}',
  clientTrustConfig: '{"both":1}',
}

let documents = DOCUMENTS
let server: HttpServer
let close: () => Promise<void>
beforeAll(async () => {
  const app = await NestFactory.create(
    TrustModule.register(() => documents),
    { bodyParser: false, logger: false },
  )
  const health = new Health(new ManualClock('2026-01-01T00:00:00Z'))
  const metrics = createHttpMetrics(new Registry())
  app.use(edge({ shapes: [trustShape], health, metrics, logger: createLogger({ level: 'silent' }) }))
  await app.init()
  server = await listen(app.getHttpAdapter().getInstance() as RequestListener, '127.0.0.1', 0)
  close = () => app.close()
})
afterAll(async () => {
  await server.drain(100)
  await close()
})

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}
function ask(path: string, method = 'GET', headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    httpRequest({ host: '127.0.0.1', port: server.port, path, method, headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
    })
      .on('error', reject)
      .end()
  })
}

const FILES = [
  ['trusted_root.json', DOCUMENTS.trustedRoot],
  ['signing_config.v0.2.json', DOCUMENTS.signingConfig],
  ['client_trust_config.json', DOCUMENTS.clientTrustConfig],
] as const

describe('trust documents', () => {
  it.each(FILES)('%s is served as it was made', async (name, text) => {
    const answer = await ask(`/trust/${name}`)
    expect([answer.status, answer.text]).toEqual([200, text])
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'max-age=60',
      'content-length': String(Buffer.byteLength(text)),
      etag: `"${createHash('sha256').update(text).digest('hex')}"`,
    })
  })

  it('HEAD tells the same without the text', async () => {
    const [got, head] = [await ask('/trust/trusted_root.json'), await ask('/trust/trusted_root.json', 'HEAD')]
    expect([head.status, head.text]).toEqual([200, ''])
    for (const name of ['etag', 'content-length', 'content-type']) expect(head.headers[name]).toBe(got.headers[name])
  })

  it.each([
    ['its own tag', (tag: string) => tag, 304],
    ['a tag that a proxy made weak', (tag: string) => `W/${tag}`, 304],
    ['a list with it', (tag: string) => `"other", ${tag}`, 304],
    ['any', () => '*', 304],
    ['another tag', () => '"other"', 200],
  ])('who has %s gets what it needs', async (_, header, status) => {
    const tag = (await ask('/trust/trusted_root.json')).headers.etag!
    const answer = await ask('/trust/trusted_root.json', 'GET', { 'if-none-match': header(tag) })
    expect([answer.status, answer.headers.etag]).toEqual([status, tag])
    expect(answer.text).toBe(status === 304 ? '' : DOCUMENTS.trustedRoot)
  })

  it.each([
    '/trust',
    '/trust/',
    '/trust/other.json',
    '/trust/trusted_root.json/',
    '/trust/Trusted_root.json',
    '/trust/../x',
  ])('there is nothing at %s', async (path) => {
    const answer = await ask(path)
    expect([answer.status, answer.headers['content-type']]).toEqual([404, 'application/problem+json'])
    expect((JSON.parse(answer.text) as { code: string }).code).toBe('NOT_FOUND')
  })

  it('follow the instance when it gives others', async () => {
    const before = await ask('/trust/trusted_root.json')
    documents = { ...DOCUMENTS, trustedRoot: '{"root":2}' }
    const after = await ask('/trust/trusted_root.json', 'GET', { 'if-none-match': before.headers.etag! })
    documents = DOCUMENTS
    expect([after.status, after.text]).toEqual([200, '{"root":2}'])
    expect((await ask('/trust/trusted_root.json')).headers.etag).toBe(before.headers.etag)
  })

  it('they are only read', async () => {
    const answer = await ask('/trust/trusted_root.json', 'PUT')
    expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, HEAD'])
    expect((JSON.parse(answer.text) as { code: string }).code).toBe('METHOD_NOT_ALLOWED')
  })
})
