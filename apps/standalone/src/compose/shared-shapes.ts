import type { ApiShape } from '@touchmark/service'
import type { Response } from 'express'

function grpcStatus(response: Response, status: number, code: number, message: string): void {
  response.status(status).setHeader('content-type', 'application/json')
  response.setHeader('vary', 'Origin')
  response.end(JSON.stringify({ code, message, details: [] }))
}

/**
 * Paths that belong to no one service of the origin: an unknown one is answered as Fulcio and Rekor answer it; `/ping`, in any letter case,
 * is the timestamp authority's.
 */
export const SHARED_SHAPES: readonly ApiShape[] = [
  {
    prefix: '/',
    routes: ['GET', 'HEAD'].map((method) => ({ method, path: /^\/ping$/i })),
    notFound: (_request, response) => grpcStatus(response, 404, 5, 'Not Found'),
    methodNotAllowed: (_request, response) => grpcStatus(response, 501, 12, 'Method Not Allowed'),
  },
]
