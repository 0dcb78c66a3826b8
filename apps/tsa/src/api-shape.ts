import type { Request, Response } from 'express'
import type { ApiShape } from '@touchmark/service'
import { answerPreflight, setCors } from './http/cors.js'
import { sendProblem } from './http/problems.js'

function notFound(request: Request, response: Response): void {
  setCors(request, response)
  sendProblem(response, 404, 404, `path ${request.path} was not found`)
}

function methodNotAllowed(request: Request, response: Response, allowed: readonly string[]): void {
  setCors(request, response)
  response.setHeader('Allow', allowed.join(', '))
  sendProblem(response, 405, 405, `method ${request.method} is not allowed, but [${allowed.join(' ')}] are`)
}

/** The routes of the timestamp API and what it answers to everything else below its prefix. */
export const timestampApi: ApiShape = {
  prefix: '/api/v1/timestamp',
  routes: [
    { method: 'POST', path: /^\/api\/v1\/timestamp\/?$/ },
    { method: 'GET', path: /^\/api\/v1\/timestamp\/certchain\/?$/ },
  ],
  notFound,
  methodNotAllowed,
  preflight: answerPreflight,
}

/** The rest of the origin, when the authority runs alone: `/ping` in any letter case, and 404 for every other path and method. */
export const aloneApi: ApiShape = {
  prefix: '/',
  routes: [
    { method: 'GET', path: /^\/ping$/i },
    { method: 'HEAD', path: /^\/ping$/i },
  ],
  notFound,
  methodNotAllowed: notFound,
  preflight: answerPreflight,
}
