import { createHash } from 'node:crypto'
import type { Request, Response } from 'express'

/** Tiles and bundles never change once they are there (log-v2.md §8). */
export const IMMUTABLE = 'max-age=604800,immutable'

export interface StaticAnswer {
  readonly bytes: Uint8Array
  readonly contentType: string
  readonly cacheControl: string
}

/** Answers with bytes and a strong ETag made of them, or with 304 when the client has these. */
export function sendStatic(request: Request, response: Response, answer: StaticAnswer): void {
  const etag = `"${createHash('sha256').update(answer.bytes).digest('base64url')}"`
  response.setHeader('ETag', etag)
  response.setHeader('Cache-Control', answer.cacheControl)
  if (matches(request.headers['if-none-match'], etag)) return void response.status(304).end()
  response.status(200).setHeader('Content-Type', answer.contentType)
  response.setHeader('Content-Length', answer.bytes.length)
  response.end(answer.bytes)
}

/** If-None-Match (RFC 9110 §13.1.2): a list of tags, compared weakly, or `*`. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined || header.length > 4096) return false
  if (header.trim() === '*') return true
  return header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)
}
