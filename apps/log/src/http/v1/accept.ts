import type { Request, Response } from 'express'
import { sendError } from './answers.js'

/** More is not read. */
const MAX_ACCEPT_CHARS = 2048
const WEIGHT = /^q=([0-9.]{1,6})$/

/**
 * Chooses what a GET is answered with: the offer of the greatest weight, at equal weights the first. Without an Accept header the first one.
 * Answers with 406 and gives undefined when none is taken (log-v1.md §1).
 */
export function negotiated(request: Request, response: Response, offers: readonly string[]): string | undefined {
  const header = (request.headers.accept ?? '').slice(0, MAX_ACCEPT_CHARS)
  if (header.trim() === '') return offers[0]
  const weights = offers.map((offer) => weightOf(offer, header))
  const best = Math.max(...weights)
  if (best > 0) return offers[weights.indexOf(best)]
  sendError(response, 406, 406, `unsupported media type requested, only [${offers.join(' ')}] are available`)
  return undefined
}

function weightOf(offer: string, header: string): number {
  const [type] = offer.split('/')
  const taken = [offer, `${type}/*`, '*/*']
  let best = 0
  for (const range of header.split(',')) {
    const [name = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    if (!taken.includes(name)) continue
    const q = parameters.map((parameter) => WEIGHT.exec(parameter)?.[1]).find((found) => found !== undefined)
    best = Math.max(best, q === undefined ? 1 : Number(q) || 0)
  }
  return best
}

/** True when the body of a POST is JSON by its header; else answers, with 415 or 400, and gives false. */
export function isJsonBody(request: Request, response: Response): boolean {
  const header = request.headers['content-type'] ?? ''
  const type = header.split(';', 1)[0]!.trim().toLowerCase()
  if (type === 'application/json') return true
  if (header !== '' && type === '') {
    const shown = JSON.stringify(header.slice(0, 100))
    sendError(response, 400, 400, `parsing Content-Type header from ${shown} failed, because mime: no media type`)
  } else {
    const shown = JSON.stringify((type === '' ? 'application/octet-stream' : type).slice(0, 100))
    sendError(response, 415, 415, `unsupported media type ${shown}, only [application/json] are allowed`)
  }
  // What is left of the body is read past, so that the client comes to read the answer.
  request.resume()
  return false
}
