import type { Request, Response } from 'express'

/** One route that a controller takes. HEAD and OPTIONS are routes of their own where they are served. */
export interface ApiRoute {
  readonly method: string
  /** Matches the whole path, without the query. */
  readonly path: RegExp
}

/**
 * What one API answers to what none of its routes takes. Every API has its own shape of 404 and 405, so each app brings one for each prefix;
 * the edge reads them all before Nest sees a request: a path that is not in a table reaches no controller.
 */
export interface ApiShape {
  /** The path itself, or what it begins with up to a slash; the longest one that fits counts. Also the label of the API in metrics. */
  readonly prefix: string
  readonly routes: readonly ApiRoute[]
  /** Slashes in a row count as one here, and one at the end as none. */
  readonly cleanPath?: boolean
  notFound(request: Request, response: Response): void
  methodNotAllowed(request: Request, response: Response, allowed: readonly string[]): void
  /** Answers a CORS preflight and returns true, or returns false. Called for every OPTIONS below the prefix. */
  preflight?(request: Request, response: Response): boolean
}

/** The shape a path belongs to. */
export function shapeOf(shapes: readonly ApiShape[], path: string): ApiShape | undefined {
  let best: ApiShape | undefined
  for (const shape of shapes) {
    const below = shape.prefix.endsWith('/') ? shape.prefix : `${shape.prefix}/`
    if (path !== shape.prefix && !path.startsWith(below)) continue
    if (best === undefined || shape.prefix.length > best.prefix.length) best = shape
  }
  return best
}

/** The path by the rules of the shape it belongs to: without needless slashes where these do not count, else as it is. */
export function pathByShape(shapes: readonly ApiShape[], path: string): string {
  if (!path.includes('//') && !path.endsWith('/')) return path
  const clean = path.replace(/\/{2,}/g, '/').replace(/(.)\/$/, '$1')
  return shapeOf(shapes, clean)?.cleanPath === true ? clean : path
}

/** Answers a request that no route of the shape takes, and returns true; false when a route takes it. */
export function answerUnrouted(shape: ApiShape, request: Request, response: Response, path: string): boolean {
  if (request.method === 'OPTIONS' && shape.preflight?.(request, response) === true) return true
  const known = shape.routes.filter((route) => route.path.test(path))
  if (known.some((route) => route.method === request.method)) return false
  if (known.length === 0) shape.notFound(request, response)
  else shape.methodNotAllowed(request, response, [...new Set(known.map((route) => route.method))])
  return true
}
