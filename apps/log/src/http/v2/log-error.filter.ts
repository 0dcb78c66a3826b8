import { Catch, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common'
import { requestId } from '@touchmark/service'
import type { Response } from 'express'
import { LOG_SETTINGS, type LogSettings } from '../../tokens.js'
import { isOurFault, sendError } from './problems.js'

/** Every error of the API v2 routes in the gateway's shape. */
@Catch()
export class LogErrorFilter implements ExceptionFilter {
  readonly #settings: LogSettings

  constructor(@Inject(LOG_SETTINGS) settings: LogSettings) {
    this.#settings = settings
  }

  catch(error: unknown, host: ArgumentsHost): void {
    this.answer(error, host.switchToHttp().getResponse<Response>())
  }

  answer(error: unknown, response: Response): void {
    this.#settings.report(error, { requestId: requestId(response), ours: isOurFault(error) })
    if (response.headersSent || response.destroyed) return void response.end()
    sendError(response, error)
  }
}
