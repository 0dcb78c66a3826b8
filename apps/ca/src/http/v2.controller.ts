import { Controller, Get, Inject, Post, Req, Res, UseFilters } from '@nestjs/common'
import type { Request, Response } from 'express'
import { rawBody } from '@touchmark/service'
import type { CertificateRequests } from '../certificate-requests.js'
import { CA_FACTS, CERTIFICATE_REQUESTS, type CaFacts } from '../tokens.js'
import { sendJson } from './answers.js'
import { configurationAnswer } from './configuration.js'
import { CaProblemFilter } from './problem.filter.js'
import { headerToken, MAX_BODY_BYTES, readV2Request } from './requests.js'

@Controller('api/v2')
@UseFilters(CaProblemFilter)
export class CaV2Controller {
  readonly #requests: CertificateRequests
  readonly #facts: CaFacts

  constructor(@Inject(CERTIFICATE_REQUESTS) requests: CertificateRequests, @Inject(CA_FACTS) facts: CaFacts) {
    this.#requests = requests
    this.#facts = facts
  }

  @Post('signingCert')
  async signingCert(@Req() request: Request, @Res() response: Response): Promise<void> {
    const { token, proof } = readV2Request(await rawBody(request, MAX_BODY_BYTES))
    const given = token === '' ? headerToken(request.headers.authorization) : token
    const issued = await this.#requests.issue('v2', given, proof)
    const certificates = issued.chainPem.map((pem) => pem.trim())
    sendJson(request, response, 200, { signedCertificateEmbeddedSct: { chain: { certificates } } })
  }

  @Get('trustBundle')
  trustBundle(@Req() request: Request, @Res() response: Response): void {
    sendJson(request, response, 200, { chains: this.#facts.chainsPem.map((certificates) => ({ certificates })) })
  }

  @Get('configuration')
  configuration(@Req() request: Request, @Res() response: Response): void {
    sendJson(request, response, 200, configurationAnswer(this.#facts.configuration))
  }
}
