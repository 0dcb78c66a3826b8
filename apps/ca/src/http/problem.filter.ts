import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common'
import type { Request, Response } from 'express'
import { sendStatus } from './answers.js'
import { problemOf } from './problems.js'

/** The CA's error bodies; for its own controllers only. */
@Catch()
export class CaProblemFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp()
    const response = http.getResponse<Response>()
    if (response.headersSent) return void response.destroy()
    const { status, code, message } = problemOf(error)
    sendStatus(http.getRequest<Request>(), response, status, code, message)
  }
}
