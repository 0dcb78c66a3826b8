import { Catch, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common'
import { requestId } from '@touchmark/service'
import type { Response } from 'express'
import { isOurFault, sendSearchError } from './problems.js'
import { SEARCH_SETTINGS, type SearchSettings } from './search-settings.js'

/** Every error of the search route as a problem. */
@Catch()
export class SearchErrorFilter implements ExceptionFilter {
  readonly #settings: SearchSettings

  constructor(@Inject(SEARCH_SETTINGS) settings: SearchSettings) {
    this.#settings = settings
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>()
    this.#settings.report(error, { requestId: requestId(response), ours: isOurFault(error) })
    if (response.headersSent || response.destroyed) return void response.end()
    sendSearchError(response, error)
  }
}
