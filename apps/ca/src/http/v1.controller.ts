import { Controller, Get, Inject, Post, Req, Res, UseFilters } from '@nestjs/common'
import type { Request, Response } from 'express'
import { rawBody } from '@touchmark/service'
import type { CertificateRequests } from '../certificate-requests.js'
import { CA_FACTS, CERTIFICATE_REQUESTS, type CaFacts } from '../tokens.js'
import { sendPem } from './answers.js'
import { CaProblemFilter } from './problem.filter.js'
import { headerToken, MAX_BODY_BYTES, readV1Request } from './requests.js'

@Controller('api/v1')
@UseFilters(CaProblemFilter)
export class CaV1Controller {
  readonly #requests: CertificateRequests
  readonly #facts: CaFacts

  constructor(@Inject(CERTIFICATE_REQUESTS) requests: CertificateRequests, @Inject(CA_FACTS) facts: CaFacts) {
    this.#requests = requests
    this.#facts = facts
  }

  /** The token comes in the header alone. The SCT is always embedded, so there is no `SCT` header. */
  @Post('signingCert')
  async signingCert(@Req() request: Request, @Res() response: Response): Promise<void> {
    const proof = readV1Request(await rawBody(request, MAX_BODY_BYTES))
    const issued = await this.#requests.issue('v1', headerToken(request.headers.authorization), proof)
    sendPem(request, response, 201, issued.chainPem.map((pem) => pem.trim()).join('\n'))
  }

  @Get('rootCert')
  rootCert(@Req() request: Request, @Res() response: Response): void {
    const certificates = this.#facts.chainsPem.flat().map((pem) => `${pem.trim()}\n`)
    sendPem(request, response, 200, certificates.join('\n').trim())
  }
}
