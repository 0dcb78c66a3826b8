import { createHash } from 'node:crypto'
import type { Request, Response } from 'express'
import { askedRange } from './byte-range.js'

/** Tiles and bundles never change once they are there (log-v2.md §8). */
export const IMMUTABLE = 'max-age=604800,immutable'

export interface StaticAnswer {
  /** What is sent; MUST never change. The log gives a full tile as the same object as long as it is cached. */
  readonly bytes: Uint8Array
  readonly contentType: string
  readonly cacheControl: string
}

/** Tags are as old as the bytes they were made of: a file in the log's cache is hashed once. */
const etags = new WeakMap<Uint8Array, string>()

function etagOf(bytes: Uint8Array): string {
  let etag = etags.get(bytes)
  if (etag === undefined) {
    etag = `"${createHash('sha256').update(bytes).digest('base64url')}"`
    etags.set(bytes, etag)
  }
  return etag
}

/**
 * Answers with bytes and a strong ETag made of them, with the one range that is asked for (206, or 416 behind the end), or with 304 when the client has
 * these bytes. RFC 9110 §13.2.2: If-None-Match is looked at first, then If-Range, then Range.
 */
export function sendStatic(
  request: Request,
  response: Response,
  { bytes, contentType, cacheControl }: StaticAnswer,
): void {
  const { headers } = request
  const etag = etagOf(bytes)
  response.setHeader('ETag', etag)
  response.setHeader('Cache-Control', cacheControl)
  response.setHeader('Accept-Ranges', 'bytes')
  if (matches(headers['if-none-match'], etag)) return void response.status(304).end()
  const range =
    request.method === 'GET' && isCurrent(headers['if-range'], etag) ? askedRange(headers.range, bytes.length) : 'whole'
  if (range === 'unsatisfiable') {
    response.setHeader('Content-Range', `bytes */${bytes.length}`)
    // The answer to one request, not what the file is.
    response.setHeader('Cache-Control', 'no-store')
    return void response.status(416).end()
  }
  response.setHeader('Content-Type', contentType)
  if (range === 'whole') return send(response, 200, bytes)
  response.setHeader('Content-Range', `bytes ${range.start}-${range.end - 1}/${bytes.length}`)
  send(response, 206, bytes.subarray(range.start, range.end))
}

function send(response: Response, status: 200 | 206, bytes: Uint8Array): void {
  response.status(status).setHeader('Content-Length', bytes.length)
  response.end(bytes)
}

/** If-None-Match (RFC 9110 §13.1.2): a list of tags, compared weakly, or `*`. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined || header.length > 4096) return false
  if (header.trim() === '*') return true
  return header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)
}

/** If-Range (RFC 9110 §13.1.5): compared strongly. A date never fits, since no Last-Modified is sent. */
function isCurrent(header: string | string[] | undefined, etag: string): boolean {
  return header === undefined || header === etag
}
