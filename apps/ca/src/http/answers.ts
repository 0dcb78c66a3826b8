import type { JsonValue } from '@touchmark/encoding'
import type { Request, Response } from 'express'
import { protoJsonText } from './proto-json-text.js'

/** gRPC status codes that the answers carry. */
export const GRPC = {
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const

const ALLOWED_HEADERS = ['accept', 'content-type', 'x-requested-with']
const ALLOWED_METHODS = ['GET', 'POST', 'HEAD']

/** What every answer carries (ca.md §1): caches must tell origins apart, and any page may read. */
function addCors(request: Request, response: Response): void {
  response.setHeader('Vary', 'Origin')
  if (request.headers.origin !== undefined && ALLOWED_METHODS.includes(request.method)) {
    response.setHeader('Access-Control-Allow-Origin', '*')
  }
}

export function sendJson(request: Request, response: Response, status: number, value: JsonValue): void {
  send(request, response, status, 'application/json', protoJsonText(value))
}

/** PEM text of certificates. */
export function sendPem(request: Request, response: Response, status: number, text: string): void {
  send(request, response, status, 'application/pem-certificate-chain', text)
}

function send(request: Request, response: Response, status: number, type: string, text: string): void {
  addCors(request, response)
  response.statusCode = status
  response.setHeader('Content-Type', type)
  response.setHeader('Content-Length', Buffer.byteLength(text))
  response.end(text)
}

/** A gRPC status as JSON: the error body of all routes (ca.md §4). */
export function sendStatus(request: Request, response: Response, status: number, code: number, message: string): void {
  sendJson(request, response, status, { code, message, details: [] })
}

/**
 * Answers a CORS preflight with 204; the headers that let a browser go on only when method and headers are within what is allowed.
 * `authorization` is not: pages send the token in the body. False when the request is a plain OPTIONS.
 */
export function answerPreflight(request: Request, response: Response): boolean {
  const method = request.headers['access-control-request-method']
  if (request.method !== 'OPTIONS' || method === undefined) return false
  response.statusCode = 204
  response.setHeader('Vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers')
  const asked = request.headers['access-control-request-headers']
  const names = asked === undefined || asked === '' ? [] : asked.split(',')
  // As browsers send it: lower case, sorted, no spaces.
  const ordered = names.every(
    (name, index) => ALLOWED_HEADERS.includes(name) && (index === 0 || names[index - 1]! < name),
  )
  if (request.headers.origin !== undefined && ALLOWED_METHODS.includes(method) && ordered) {
    response.setHeader('Access-Control-Allow-Origin', '*')
    response.setHeader('Access-Control-Allow-Methods', method)
    if (names.length > 0) response.setHeader('Access-Control-Allow-Headers', names.join(','))
  }
  response.end()
  return true
}
