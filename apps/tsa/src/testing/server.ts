import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express'
import type { NextFunction, Request, Response } from 'express'
import { answerUnrouted, shapeOf } from '@touchmark/service'
import { aloneApi, timestampApi } from '../api-shape.js'
import { TsaModule, type TsaOptions } from '../tsa.module.js'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface SendOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
  readonly isChunked?: boolean
}

/** The authority alone on a port of its own, as the edge runs it. */
export interface TestServer {
  readonly port: number
  send(method: string, path: string, options?: SendOptions): Promise<Answer>
  close(): Promise<void>
}

export async function startServer(options: TsaOptions): Promise<TestServer> {
  const module = TsaModule.register(options)
  const app = await NestFactory.create<NestExpressApplication>(module, new ExpressAdapter(), {
    bodyParser: false,
    logger: false,
  })
  app.disable('x-powered-by')
  app.use((request: Request, response: Response, next: NextFunction) => {
    const shape = shapeOf([timestampApi, aloneApi], request.path)!
    if (!answerUnrouted(shape, request, response, request.path)) next()
  })
  await app.init()
  const server = createServer(app.getHttpAdapter().getInstance() as (request: unknown, response: unknown) => void)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    send: (method, path, sent) => send(port, method, path, sent),
    close: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
      await app.close()
    },
  }
}

/** One request on a connection of its own; nothing is added to the headers that were asked for. */
function send(port: number, method: string, path: string, options: SendOptions = {}): Promise<Answer> {
  const { headers = {}, body, isChunked = false } = options
  return new Promise((resolve, reject) => {
    const length = body === undefined ? 0 : Buffer.byteLength(body)
    const framing: Record<string, string> = isChunked
      ? { 'Transfer-Encoding': 'chunked' }
      : body === undefined
        ? {}
        : { 'Content-Length': String(length) }
    const request = httpRequest(
      { host: '127.0.0.1', port, method, path, headers: { ...headers, ...framing }, agent: false },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
        )
        response.on('error', reject)
      },
    )
    // The server may answer, and close, before it has read a body that is too large.
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') reject(error)
    })
    request.end(length === 0 ? undefined : body)
  })
}
