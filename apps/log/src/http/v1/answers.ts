import { escapeUnprintable } from '@touchmark/service'
import type { Request, Response } from 'express'

/** Of every answer to a GET that a route takes, errors included (log-v1.md §1). */
const UNCACHED = [
  ['Cache-Control', 'no-cache, no-store, no-transform, must-revalidate, private, max-age=0'],
  ['Expires', 'Thu, 01 Jan 1970 00:00:00 GMT'],
  ['Pragma', 'no-cache'],
  ['X-Accel-Expires', '0'],
] as const

/** Headers that every answer to a request of this API has, whatever it says. */
export function setCommonHeaders(request: Request, response: Response): void {
  response.setHeader('Vary', 'Origin')
  if (request.headers.origin !== undefined) response.setHeader('Access-Control-Allow-Origin', '*')
}

/** The same for a request that a route takes. */
export function setRouteHeaders(request: Request, response: Response): void {
  setCommonHeaders(request, response)
  if (request.method === 'GET') for (const [name, value] of UNCACHED) response.setHeader(name, value)
}

export function sendText(response: Response, status: number, contentType: string, text: string): void {
  const body = Buffer.from(text)
  response.status(status).setHeader('Content-Type', contentType)
  response.setHeader('Content-Length', body.length)
  response.end(body)
}

/** A handler's answer: JSON and a newline. */
export function sendJson(response: Response, status: number, json: string): void {
  sendText(response, status, 'application/json', `${json}\n`)
}

/** Not found: nothing but the status. */
export function sendNothing(response: Response): void {
  response.status(404).setHeader('Content-Length', 0)
  response.end()
}

/** JSON as Go writes it: what HTML could take for its own is escaped. */
export function goJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** An error's body: a status, or a number of its own, and a text. */
export function errorJson(code: number, message: string): string {
  return escapeUnprintable(goJson({ code, message }))
}

/** An error that is said before a handler is asked: without a newline. */
export function sendError(response: Response, status: number, code: number, message: string): void {
  sendText(response, status, 'application/json', errorJson(code, message))
}
