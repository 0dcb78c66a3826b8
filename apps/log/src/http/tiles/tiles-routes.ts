import { Get, Req, Res } from '@nestjs/common'
import type { Log } from '@touchmark/ledger'
import type { Request, Response } from 'express'
import { serveCheckpoint, serveTile } from './serve-log.js'

/** The static files of a log (C2SP tlog-tiles), below the path of the controller that extends this. HEAD is answered like GET, without the bytes. */
export abstract class TilesRoutes {
  /** The log that a request is about. */
  protected abstract logOf(request: Request): Log

  @Get('checkpoint')
  async checkpoint(@Req() request: Request, @Res() response: Response): Promise<void> {
    await serveCheckpoint(this.logOf(request), request, response)
  }

  @Get('tile/*path')
  async tile(@Req() request: Request, @Res() response: Response): Promise<void> {
    const { path } = request
    await serveTile(this.logOf(request), path.slice(path.indexOf('/tile/') + 1), request, response)
  }
}
