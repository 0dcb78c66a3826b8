import { Controller, Get, Inject, Req, Res, UseFilters } from '@nestjs/common'
import type { Request, Response } from 'express'
import { LOG_SETTINGS, type LogSettings } from '../../tokens.js'
import { serveCheckpoint, serveTile } from '../tiles/serve-log.js'
import { LogErrorFilter } from './log-error.filter.js'

/** Checkpoint, tiles and entry bundles of the signature log (log-v2.md §7, §8). An entry bundle holds the canonical bodies. */
@Controller('api/v2')
@UseFilters(LogErrorFilter)
export class TilesController {
  readonly #settings: LogSettings

  constructor(@Inject(LOG_SETTINGS) settings: LogSettings) {
    this.#settings = settings
  }

  @Get('checkpoint')
  async checkpoint(@Req() request: Request, @Res() response: Response): Promise<void> {
    await serveCheckpoint(this.#settings.log, request, response)
  }

  @Get('tile/*path')
  async tile(@Req() request: Request, @Res() response: Response): Promise<void> {
    await serveTile(this.#settings.log, request.path.slice('/api/v2/'.length), request, response)
  }
}
