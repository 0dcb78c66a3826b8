import { Catch, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common'
import { requestId } from '@touchmark/service'
import type { Response } from 'express'
import { CERTIFICATE_LOG_SETTINGS, type CertificateLogSettings } from '../../tokens.js'
import { isOurFault, sendCtError } from './problems.js'

/** Every error of the certificate log's routes as a problem. */
@Catch()
export class CtErrorFilter implements ExceptionFilter {
  readonly #settings: CertificateLogSettings

  constructor(@Inject(CERTIFICATE_LOG_SETTINGS) settings: CertificateLogSettings) {
    this.#settings = settings
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>()
    this.#settings.report(error, { requestId: requestId(response), ours: isOurFault(error) })
    if (response.headersSent || response.destroyed) return void response.end()
    sendCtError(response, error)
  }
}
