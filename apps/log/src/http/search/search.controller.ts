import { Controller, Get, Inject, Req, Res, UseFilters } from '@nestjs/common'
import type { Request, Response } from 'express'
import { searchAnswer } from './search-answer.js'
import { SearchErrorFilter } from './search-error.filter.js'
import { parseSearchQuery } from './search-query.js'
import { SEARCH_SETTINGS, type SearchSettings } from './search-settings.js'

/**
 * `GET /api/touchmark/v1/search`: entries by digest, identity, issuer, public key or serial number, each with its proof, and the size of each tree up to which
 * the answer is complete. It says what was logged; whether a signature is good is for a verifier.
 */
@Controller('api/touchmark/v1/search')
@UseFilters(SearchErrorFilter)
export class SearchController {
  readonly #settings: SearchSettings

  constructor(@Inject(SEARCH_SETTINGS) settings: SearchSettings) {
    this.#settings = settings
  }

  @Get()
  async search(@Req() request: Request, @Res() response: Response): Promise<void> {
    const { index, logs, crypto } = this.#settings
    const query = parseSearchQuery(request.url, (bytes) => crypto.hash('SHA2_256', bytes))
    const body = await searchAnswer(await index.find(query), logs())
    response.status(200).setHeader('Content-Type', 'application/json')
    // The next entry may change it; who asks has named a person.
    response.setHeader('Cache-Control', 'no-store')
    response.setHeader('Content-Length', body.length)
    response.end(body)
  }
}
