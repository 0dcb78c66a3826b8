import type { Request, Response } from 'express'

const METHODS = ['GET', 'HEAD', 'POST']
const HEADERS = ['accept', 'content-type', 'x-requested-with']

/** Headers of every answer that is not a preflight's (tsa.md §1). */
export function setCors(request: Request, response: Response): void {
  response.setHeader('Vary', 'Origin')
  const allowed = METHODS.includes(request.method) || request.method === 'OPTIONS'
  if (allowed && request.headers.origin !== undefined) response.setHeader('Access-Control-Allow-Origin', '*')
}

/** Answers a CORS preflight, on any path, and returns true; an OPTIONS without `Access-Control-Request-Method` is none. */
export function answerPreflight(request: Request, response: Response): boolean {
  const method = request.headers['access-control-request-method']
  if (request.method !== 'OPTIONS' || method === undefined || method === '') return false
  response.setHeader('Vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers')
  const asked = request.headers['access-control-request-headers']
  if (request.headers.origin !== undefined && METHODS.includes(method) && headersAllowed(asked)) {
    response.setHeader('Access-Control-Allow-Origin', '*')
    response.setHeader('Access-Control-Allow-Methods', method)
    if (asked !== undefined && asked !== '') response.setHeader('Access-Control-Allow-Headers', asked)
  }
  response.status(204).end()
  return true
}

/** Names in lower case, sorted, each once: the way browsers send them. */
function headersAllowed(asked: string | undefined): boolean {
  if (asked === undefined || asked === '') return true
  if (asked.length > 256) return false
  const names = asked.split(',').map((name) => name.trim())
  return names.every((name, index) => HEADERS.includes(name) && (index === 0 || names[index - 1]! < name))
}
