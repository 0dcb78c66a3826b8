import { Catch, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common'
import type { Request, Response } from 'express'
import { requestId } from '@touchmark/service'
import { CA_REPORT, type CaReport } from '../tokens.js'
import { sendStatus } from './answers.js'
import { problemOf } from './problems.js'

/** The CA's error bodies; for its own controllers only. The cause of what is our fault goes to the report, never to the client. */
@Catch()
export class CaProblemFilter implements ExceptionFilter {
  readonly #report: CaReport

  constructor(@Inject(CA_REPORT) report: CaReport) {
    this.#report = report
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp()
    const response = http.getResponse<Response>()
    const { status, code, message } = problemOf(error)
    if (status >= 500) this.#report(error, { requestId: requestId(response) })
    if (response.headersSent) return void response.destroy()
    sendStatus(http.getRequest<Request>(), response, status, code, message)
  }
}
