import { createHash } from 'node:crypto'
import { Controller, Get, Inject, Req, Res } from '@nestjs/common'
import type { Request, Response } from 'express'
import { TRUST_DOCUMENTS, type TrustDocuments } from './documents.js'

interface Prepared {
  readonly body: Buffer
  readonly etag: string
}

/** Serves the trust material: made from the keys of this instance, the same bytes for everybody, no secret in them. */
@Controller('trust')
export class TrustController {
  readonly #current: () => TrustDocuments
  #prepared: ReadonlyMap<string, Prepared> = new Map()
  #of: TrustDocuments | undefined

  constructor(@Inject(TRUST_DOCUMENTS) current: () => TrustDocuments) {
    this.#current = current
  }

  @Get('trusted_root.json')
  trustedRoot(@Req() request: Request, @Res() response: Response): void {
    this.#send('trustedRoot', request, response)
  }

  @Get('signing_config.v0.2.json')
  signingConfig(@Req() request: Request, @Res() response: Response): void {
    this.#send('signingConfig', request, response)
  }

  @Get('client_trust_config.json')
  clientTrustConfig(@Req() request: Request, @Res() response: Response): void {
    this.#send('clientTrustConfig', request, response)
  }

  #newest(): ReadonlyMap<string, Prepared> {
    const documents = this.#current()
    if (documents !== this.#of) {
      this.#prepared = new Map(
        Object.entries(documents).map(([name, text]) => [name, prepare(text as string)] as const),
      )
      this.#of = documents
    }
    return this.#prepared
  }

  #send(name: keyof TrustDocuments, request: Request, response: Response): void {
    const { body, etag } = this.#newest().get(name)!
    response.setHeader('content-type', 'application/json')
    response.setHeader('cache-control', 'max-age=60')
    response.setHeader('etag', etag)
    if (isKnown(request.headers['if-none-match'], etag)) return void response.status(304).end()
    response.setHeader('content-length', body.length)
    response.status(200).end(request.method === 'HEAD' ? undefined : body)
  }
}

/** RFC 9110 §13.1.2: any, or a list; a tag that a proxy has made weak is the same. */
function isKnown(header: string | undefined, etag: string): boolean {
  const tags = (header ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return tags.includes(etag) || tags.includes('*')
}

function prepare(text: string): Prepared {
  const body = Buffer.from(text, 'utf8')
  return { body, etag: `"${createHash('sha256').update(body).digest('hex')}"` }
}
