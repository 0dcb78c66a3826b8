import { Controller, Inject, UseFilters } from '@nestjs/common'
import type { Log } from '@touchmark/ledger'
import type { Request } from 'express'
import { LOG_SETTINGS, type LogSettings } from '../../tokens.js'
import { TilesRoutes } from '../tiles/tiles-routes.js'
import { LogErrorFilter } from './log-error.filter.js'

/** Checkpoint, tiles and entry bundles of the signature log (log-v2.md §7, §8). An entry bundle holds the canonical bodies. */
@Controller('api/v2')
@UseFilters(LogErrorFilter)
export class TilesController extends TilesRoutes {
  readonly #settings: LogSettings

  constructor(@Inject(LOG_SETTINGS) settings: LogSettings) {
    super()
    this.#settings = settings
  }

  protected override logOf(request: Request): Log {
    return this.#settings.logs.forHost(request.headers.host)
  }
}
