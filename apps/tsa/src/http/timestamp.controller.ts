import { Controller, Get, Inject, Post, Req, Res, UseFilters } from '@nestjs/common'
import type { Request, Response } from 'express'
import { rawBody } from '@touchmark/service'
import { parseTimestampRequest, parseTimestampRequestJson } from '@touchmark/timestamp'
import { TsaError } from '../errors.js'
import { TSA_SETTINGS, type TsaSettings } from '../tokens.js'
import { setCors } from './cors.js'
import { JSON_TYPE, readMediaType } from './media-type.js'
import { TsaErrorFilter } from './tsa-error.filter.js'

const NO_CACHE = {
  'Cache-Control': 'no-cache, no-store, no-transform, must-revalidate, private, max-age=0',
  Expires: 'Thu, 01 Jan 1970 00:00:00 GMT',
  Pragma: 'no-cache',
  'X-Accel-Expires': '0',
} as const

/** RFC 3161 over HTTP, as Sigstore's clients speak it (tsa.md §1–§3). */
@Controller('api/v1/timestamp')
@UseFilters(TsaErrorFilter)
export class TimestampController {
  readonly #settings: TsaSettings
  readonly #chain: Buffer

  constructor(@Inject(TSA_SETTINGS) settings: TsaSettings) {
    this.#settings = settings
    this.#chain = Buffer.from(settings.issuer.chainPem)
  }

  @Post()
  async timestamp(@Req() request: Request, @Res() response: Response): Promise<void> {
    setCors(request, response)
    for (const [name, value] of Object.entries(NO_CACHE)) response.setHeader(name, value)
    const { issuer, guard, successStatus } = this.#settings
    const { body, isJson } = await this.#read(request)
    const query = isJson ? parseTimestampRequestJson(body) : parseTimestampRequest(body)
    const token = await issuer.issue(query, guard.now())
    response.status(successStatus).setHeader('Content-Type', 'application/timestamp-reply')
    response.setHeader('Content-Length', token.length)
    response.end(token)
  }

  /** No body comes before a wrong media type (tsa.md §2, layer A); whether a chunked one is empty is known only when it was read. */
  async #read(request: Request): Promise<{ body: Uint8Array; isJson: boolean }> {
    const type = request.headers['content-type']
    const isChunked = request.headers['transfer-encoding'] !== undefined
    if (!isChunked) {
      if (Number(request.headers['content-length'] ?? 0) === 0) throw bodyMissing()
      readMediaType(type)
    }
    const body = await rawBody(request, this.#settings.maxBodyBytes)
    if (body.length === 0) throw bodyMissing()
    return { body, isJson: readMediaType(type) === JSON_TYPE }
  }

  @Get('certchain')
  chain(@Req() request: Request, @Res() response: Response): void {
    setCors(request, response)
    response.setHeader('Content-Type', 'application/pem-certificate-chain')
    response.setHeader('Cache-Control', 'max-age=86400, immutable')
    response.setHeader('Content-Length', this.#chain.length)
    response.end(this.#chain)
  }
}

function bodyMissing(): TsaError {
  return new TsaError('TSA_BODY_MISSING', 'request in body is required')
}
