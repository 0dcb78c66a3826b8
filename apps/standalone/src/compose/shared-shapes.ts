import type { ApiShape } from '@touchmark/service'
import type { Request, Response } from 'express'

function grpcStatus(response: Response, status: number, code: number, message: string): void {
  response.status(status).setHeader('content-type', 'application/json')
  response.setHeader('vary', 'Origin')
  response.end(JSON.stringify({ code, message, details: [] }))
}

/** The timestamp authority's, in any letter case (docs/contract/tsa.md §1). */
function isPing(request: Request): boolean {
  return ['GET', 'HEAD'].includes(request.method) && /^\/ping$/i.test(request.path)
}

/** Paths that belong to no one service of the origin: an unknown one is answered as Fulcio and Rekor answer it. */
export const SHARED_SHAPES: readonly ApiShape[] = [
  {
    prefix: '/',
    routes: [],
    notFound(request, response) {
      if (!isPing(request)) return grpcStatus(response, 404, 5, 'Not Found')
      response.setHeader('vary', 'Origin')
      response.setHeader('content-type', 'text/plain')
      response.end('.')
    },
    methodNotAllowed: (_request, response) => grpcStatus(response, 501, 12, 'Method Not Allowed'),
  },
]
