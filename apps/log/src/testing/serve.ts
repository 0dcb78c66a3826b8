import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { DynamicModule } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { ManualClock } from '@touchmark/clock'
import type { Log } from '@touchmark/ledger'
import { createHttpMetrics, createLogger, createRegistry, edge, Health, type ApiShape } from '@touchmark/service'
import express from 'express'
import { Writable } from 'node:stream'
import {
  certificateLogApi,
  checkpointApi,
  entriesApi,
  LogModule,
  LogV1Module,
  oneLog,
  RefusalPace,
  searchApi,
  SearchModule,
  type SearchSettings,
  tilesApi,
  v1IndexApi,
  v1LogApi,
  Validation,
  type ErrorReport,
  type LogOptions,
  type LogV1Options,
  type ValidationOptions,
} from '../index.js'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  readonly text: string
  json<T = Record<string, unknown>>(): T
}

export interface Call {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Uint8Array
  /** Ends the connection instead of waiting for the answer. */
  readonly signal?: AbortSignal
}

export interface LogServer {
  readonly port: number
  /** What was reported to the log: code, and whose fault. */
  readonly reports: { readonly code: string; readonly ours: boolean }[]
  call(path: string, call?: Call): Promise<Answer>
  close(): Promise<void>
}

/** The log's module behind the edge that every process has, on a port of its own. */
export async function serveLog(
  options: Omit<LogOptions, 'report' | 'logs' | 'refusals' | 'validation'> & {
    readonly log: Log
    readonly refusals?: RefusalPace
    readonly validation?: ValidationOptions
  },
): Promise<LogServer> {
  const { log, refusals = new RefusalPace(), validation, ...rest } = options
  return validating(validation, (started) =>
    serveModule([entriesApi, checkpointApi, tilesApi, certificateLogApi], (report) =>
      LogModule.register({ ...rest, refusals, validation: started, logs: oneLog(log), report }),
    ),
  )
}

/** The same for API v1. */
export async function serveLogV1(
  options: Omit<LogV1Options, 'report' | 'refusals' | 'validation'> & {
    readonly refusals?: RefusalPace
    readonly validation?: ValidationOptions
  },
): Promise<LogServer> {
  const { refusals = new RefusalPace(), validation, ...rest } = options
  return validating(validation, (started) =>
    serveModule([v1LogApi, v1IndexApi], (report) =>
      LogV1Module.register({ ...rest, refusals, validation: started, report }),
    ),
  )
}

/** The same for searching. */
export async function serveSearch(settings: Omit<SearchSettings, 'report'>): Promise<LogServer> {
  return serveModule([searchApi], (report) => SearchModule.register({ ...settings, report }))
}

/** A server with a validation thread of its own, which ends with it. */
async function validating(
  options: ValidationOptions = {},
  serve: (validation: Validation) => Promise<LogServer>,
): Promise<LogServer> {
  const validation = await Validation.start(options)
  const server = await serve(validation)
  return {
    ...server,
    async close() {
      await server.close()
      await validation.close()
    },
  }
}

async function serveModule(
  shapes: readonly ApiShape[],
  moduleWith: (report: ErrorReport) => DynamicModule,
): Promise<LogServer> {
  const reports: { code: string; ours: boolean }[] = []
  const module = moduleWith((error, { ours }) => {
    reports.push({ code: String((error as { code?: unknown }).code), ours })
  })
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const handler = express()
  handler.disable('x-powered-by')
  handler.use(
    edge({
      shapes,
      health: new Health(new ManualClock('2026-01-01T00:00:00Z')),
      metrics: createHttpMetrics(createRegistry()),
      logger: createLogger({ level: 'fatal', destination: nowhere }),
    }),
  )
  const app = await NestFactory.create(module, new ExpressAdapter(handler), { bodyParser: false, logger: false })
  await app.init()
  const server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    reports,
    call: (path, call) => callServer(port, path, call),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await app.close()
    },
  }
}

/** One request as it is, on a connection of its own: no header is added but Host and Content-Length. */
function callServer(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body, signal }: Call = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port, path, method, headers, agent: false, ...(signal === undefined ? {} : { signal }) },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const bytes = Buffer.concat(chunks)
          const text = bytes.toString()
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            bytes,
            text,
            json: <T>() => JSON.parse(text) as T,
          })
        })
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}
