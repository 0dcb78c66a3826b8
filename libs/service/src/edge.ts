import { randomUUID } from 'node:crypto'
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { answerUnrouted, pathByShape, shapeOf, type ApiShape } from './api-shape.js'
import type { Health } from './health.js'
import type { Logger } from './logger.js'
import type { HttpMetrics } from './metrics.js'
import { normalTarget } from './request-target.js'

/** A route that the edge hands a request to itself, because the way through the router would cost as much as the answer. */
export interface HotRoute {
  readonly method: string
  /** The path, or, with a slash at its end, what it begins with. */
  readonly path: string
  /** Answers, errors too; it MUST NOT throw. */
  readonly handle: (request: Request, response: Response) => void
}

export interface EdgeOptions {
  readonly shapes: readonly ApiShape[]
  readonly health: Health
  readonly metrics: HttpMetrics
  readonly logger: Logger
  /** Asked for with each request: they are known when the application has been made. */
  readonly hotRoutes?: () => readonly HotRoute[]
}

/** What is counted when the answer did not reach the client; nobody sees it. */
const CLIENT_GONE = 499

/** The id of a request: made by us, never taken from the client, so that it cannot carry anything into a log. */
export function requestId(response: Response): string {
  return (response.locals as { requestId?: string }).requestId ?? 'none'
}

/**
 * The first thing every request meets: an id, a normal path ({@link normalTarget}), metrics and a log line, health, and the route table.
 * What is in no table is answered here and reaches no controller.
 */
export function edge(options: EdgeOptions): RequestHandler {
  return (request: Request, response: Response, next: NextFunction): void => {
    const started = performance.now()
    response.locals['requestId'] = randomUUID()
    const target = normalTarget(request.url)
    request.url = target ?? '/'
    const path = pathByShape(options.shapes, request.path)
    if (path !== request.path) request.url = path + request.url.slice(request.path.length)
    const shape = shapeOf(options.shapes, request.path)
    response.once('close', () => {
      const ms = performance.now() - started
      const api = shape?.prefix ?? 'none'
      const status = response.writableFinished ? response.statusCode : CLIENT_GONE
      options.metrics.observe(api, request.method, status, ms / 1000)
      const level = status >= 500 ? 'warn' : 'debug'
      options.logger[level](
        {
          id: requestId(response),
          api,
          method: request.method.slice(0, 10),
          status,
          ms: Math.round(ms),
        },
        'request',
      )
    })
    if (target === undefined) return sendProblem(response, 400, 'PATH_INVALID', 'The path is not rightly encoded.')
    if (request.path === '/healthz') return void answerHealth(request, response, options.health)
    if (request.path === '/readyz') return void answerReady(request, response, options.health)
    if (shape === undefined) return sendProblem(response, 404, 'NOT_FOUND', 'There is nothing at this path.')
    if (answerUnrouted(shape, request, response, request.path)) return
    const hot = hotRouteOf(options.hotRoutes?.() ?? [], request)
    if (hot !== undefined) return hot.handle(request, response)
    next()
  }
}

function hotRouteOf(routes: readonly HotRoute[], { method, path }: Request): HotRoute | undefined {
  for (const route of routes) {
    if (route.method === method && (route.path.endsWith('/') ? path.startsWith(route.path) : path === route.path))
      return route
  }
  return undefined
}

/** An RFC 9457 problem with a stable code: the error body of the routes that are Touchmark's own. */
export function sendProblem(response: Response, status: number, code: string, detail: string): void {
  const body = JSON.stringify({ type: 'about:blank', status, code, detail, requestId: requestId(response) })
  response.status(status).setHeader('content-type', 'application/problem+json')
  response.end(body)
}

/** `{"status":"SERVING"}` and a newline is what Fulcio's and Rekor's probes read. */
async function answerHealth(request: Request, response: Response, health: Health): Promise<void> {
  if (request.method !== 'GET') {
    response.status(501).setHeader('content-type', 'application/json')
    response.end('{"code":12,"message":"Method Not Allowed","details":[]}')
    return
  }
  const { serving } = await health.report()
  response.status(serving ? 200 : 503).setHeader('content-type', 'application/json')
  // Fulcio's answer has it, and it harms nobody else's.
  response.setHeader('vary', 'Origin')
  response.setHeader('cache-control', 'no-store')
  response.end(`{"status":"${serving ? 'SERVING' : 'NOT_SERVING'}"}\n`)
}

async function answerReady(request: Request, response: Response, health: Health): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return sendProblem(response, 405, 'METHOD_NOT_ALLOWED', 'Only GET is served here.')
  const report = await health.report()
  response.status(report.serving ? 200 : 503).setHeader('content-type', 'application/json')
  response.setHeader('cache-control', 'no-store')
  response.end(JSON.stringify({ ready: report.serving, checks: report.checks }) + '\n')
}
