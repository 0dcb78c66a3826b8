import { Controller, Get, Req, Res } from '@nestjs/common'
import type { Request, Response } from 'express'
import { setCors } from './cors.js'

/** `/ping`, for an authority that runs alone. */
@Controller('ping')
export class PingController {
  @Get()
  ping(@Req() request: Request, @Res() response: Response): void {
    setCors(request, response)
    response.setHeader('Content-Type', 'text/plain')
    response.setHeader('Content-Length', 1)
    response.end('.')
  }
}
