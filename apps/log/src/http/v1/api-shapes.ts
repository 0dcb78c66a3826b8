import type { ApiShape } from '@touchmark/service'
import type { Request, Response } from 'express'
import { sendError, setCommonHeaders } from './answers.js'

const MAX_SHOWN_PATH = 2000
/** What a browser may be told that it may send. */
const METHODS = ['GET', 'POST', 'HEAD']

const behaviour: Omit<ApiShape, 'prefix' | 'routes'> = {
  cleanPath: true,
  notFound(request, response) {
    setCommonHeaders(request, response)
    sendError(response, 404, 404, `path ${request.path.slice(0, MAX_SHOWN_PATH)} was not found`)
  },
  methodNotAllowed(request, response, allowed) {
    const list = [...allowed].sort().join(',')
    setCommonHeaders(request, response)
    response.setHeader('Allow', list)
    sendError(response, 405, 405, `method ${request.method.slice(0, 32)} is not allowed, but [${list}] are`)
  },
  preflight,
}

/** A preflight is answered with what it asks for; a request for options that is none is a wrong method. */
function preflight(request: Request, response: Response): boolean {
  const asked = request.headers['access-control-request-method']
  if (request.headers.origin === undefined || asked === undefined) return false
  response.setHeader('Vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers')
  if (METHODS.includes(asked)) {
    response.setHeader('Access-Control-Allow-Origin', '*')
    response.setHeader('Access-Control-Allow-Methods', asked)
    const headers = request.headers['access-control-request-headers']
    if (headers !== undefined) response.setHeader('Access-Control-Allow-Headers', headers)
  }
  response.status(204).end()
  return true
}

/** Entries, tree heads, proofs and keys of API v1. */
export const v1LogApi: ApiShape = {
  prefix: '/api/v1/log',
  routes: [
    { method: 'GET', path: /^\/api\/v1\/log(\/(entries|proof|publicKey))?$/ },
    { method: 'POST', path: /^\/api\/v1\/log\/entries$/ },
    { method: 'POST', path: /^\/api\/v1\/log\/entries\/retrieve$/ },
    { method: 'GET', path: /^\/api\/v1\/log\/entries\/[^/]+$/ },
  ],
  ...behaviour,
}

/** Searching the entries of API v1. */
export const v1IndexApi: ApiShape = {
  prefix: '/api/v1/index',
  routes: [{ method: 'POST', path: /^\/api\/v1\/index\/retrieve$/ }],
  ...behaviour,
}
