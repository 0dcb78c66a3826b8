import { sendProblem, type ApiRoute, type ApiShape } from '@touchmark/service'
import type { Request, Response } from 'express'
import { sendMethodNotAllowed, sendNotFound } from './gateway-status.js'

const read = (path: RegExp): ApiRoute[] => [
  { method: 'GET', path },
  { method: 'HEAD', path },
]

const gateway = {
  notFound: (_request: Request, response: Response): void => sendNotFound(response),
  methodNotAllowed: (_request: Request, response: Response): void => sendMethodNotAllowed(response),
}

/** Writing to the signature log. Paths are exact; there is no CORS, so a preflight is a wrong method. */
export const entriesApi: ApiShape = {
  prefix: '/api/v2/log',
  routes: [{ method: 'POST', path: /^\/api\/v2\/log\/entries$/ }],
  ...gateway,
}

/** The signature log's checkpoint. */
export const checkpointApi: ApiShape = {
  prefix: '/api/v2/checkpoint',
  routes: read(/^\/api\/v2\/checkpoint$/),
  ...gateway,
}

/** The signature log's tiles. Which paths are tiles is decided by the route; here only that there is a level. */
export const tilesApi: ApiShape = {
  prefix: '/api/v2/tile',
  routes: read(/^\/api\/v2\/tile\/[^/]+\/.+$/),
  ...gateway,
}

const SUBMISSION = /^\/ct\/v1\/add-(pre-)?chain$/

/** The certificate log, read only. */
export const certificateLogApi: ApiShape = {
  prefix: '/ct',
  routes: [
    ...read(/^\/ct\/v1\/get-(sth|sth-consistency|proof-by-hash|entries|roots|entry-and-proof)$/),
    ...read(/^\/ct\/checkpoint$/),
    ...read(/^\/ct\/tile\/[^/]+\/.+$/),
  ],
  notFound(request, response) {
    if (!SUBMISSION.test(request.path)) {
      return sendProblem(response, 404, 'NOT_FOUND', 'The certificate log has nothing at this path.')
    }
    // The log holds what this instance's own authority issues; an empty Allow says that no method is taken (RFC 9110 §10.2.1).
    response.setHeader('Allow', '')
    sendProblem(
      response,
      405,
      'LOG_SUBMISSION_NOT_OFFERED',
      'Certificates are added by the certificate authority of this instance alone; the log takes none over HTTP.',
    )
  },
  methodNotAllowed(_request, response, allowed) {
    response.setHeader('Allow', allowed.join(', '))
    sendProblem(response, 405, 'METHOD_NOT_ALLOWED', 'The certificate log is only read.')
  },
}

/** Searching the signature logs: Touchmark's own route. */
export const searchApi: ApiShape = {
  prefix: '/api/touchmark/v1/search',
  routes: read(/^\/api\/touchmark\/v1\/search$/),
  notFound(_request, response) {
    sendProblem(response, 404, 'NOT_FOUND', 'There is nothing at this path.')
  },
  methodNotAllowed(_request, response, allowed) {
    response.setHeader('Allow', allowed.join(', '))
    sendProblem(response, 405, 'METHOD_NOT_ALLOWED', 'The logs are searched with GET.')
  },
}
