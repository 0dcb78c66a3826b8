import type { INestApplicationContext } from '@nestjs/common'
import type { HotRoute } from '@touchmark/service'
import type { Request, Response } from 'express'
import { V1EntriesController } from './http/v1/entries.controller.js'
import { EntriesController } from './http/v2/entries.controller.js'
import { LogErrorFilter } from './http/v2/log-error.filter.js'
import { TilesController } from './http/v2/tiles.controller.js'
import { LOG_SETTINGS, type LogSettings } from './tokens.js'

/**
 * The routes that carry a log's load: writes, and the static files. They are the controllers' own methods and errors, called by the edge without a walk through
 * the router and Nest's proxies (docs/design/performance.md). The same requests are answered the same way when this list is empty.
 */
export function logHotRoutes(app: INestApplicationContext): HotRoute[] {
  const filter = new LogErrorFilter(app.get<LogSettings>(LOG_SETTINGS, { strict: false }))
  const answered =
    (work: (request: Request, response: Response) => Promise<void>) =>
    (request: Request, response: Response): void => {
      work(request, response).catch((error: unknown) => filter.answer(error, response))
    }
  const entries = app.get(EntriesController, { strict: false })
  const v1 = app.get(V1EntriesController, { strict: false })
  const tiles = app.get(TilesController, { strict: false })
  return [
    { method: 'POST', path: '/api/v2/log/entries', handle: answered((...both) => entries.create(...both)) },
    { method: 'POST', path: '/api/v1/log/entries', handle: answered((...both) => v1.create(...both)) },
    { method: 'GET', path: '/api/v2/tile/', handle: answered((...both) => tiles.tile(...both)) },
    { method: 'GET', path: '/api/v2/checkpoint', handle: answered((...both) => tiles.checkpoint(...both)) },
  ]
}
