import { Catch, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common'
import type { Response } from 'express'
import { TSA_SETTINGS, type TsaSettings } from '../tokens.js'
import { isOurFault, sendError } from './problems.js'

/** Every error of the timestamp routes in their own shape. */
@Catch()
export class TsaErrorFilter implements ExceptionFilter {
  readonly #settings: TsaSettings

  constructor(@Inject(TSA_SETTINGS) settings: TsaSettings) {
    this.#settings = settings
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>()
    if (isOurFault(error)) this.#settings.report(error)
    if (response.headersSent || response.destroyed) return void response.end()
    sendError(response, error)
  }
}
