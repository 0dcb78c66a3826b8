import 'reflect-metadata'
import {
  Catch,
  HttpException,
  Module,
  type ArgumentsHost,
  type DynamicModule,
  type ExceptionFilter,
  type INestApplicationContext,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express'
import { isCodedError } from '@touchmark/errors'
import { edge, requestId, sendProblem, type EdgeOptions, type HotRoute, type Logger } from '@touchmark/service'
import type { RequestListener } from 'node:http'
import type { Response } from 'express'

/** One Nest application over the modules of all services. */
@Module({})
class StandaloneModule {
  static register(imports: readonly DynamicModule[]): DynamicModule {
    return { module: StandaloneModule, imports: [...imports] }
  }
}

/** A body that did not come, or that was too large, on a route whose API has no words of its own for it. */
const BODY_STATUS: Readonly<Record<string, number>> = {
  SERVICE_BODY_TOO_LARGE: 413,
  SERVICE_BODY_ABORTED: 400,
  SERVICE_BODY_TIMEOUT: 408,
  SERVICE_BODY_BUSY: 503,
}

/** What no controller's own filter took is our fault: a request id for the client, the cause for the log. */
@Catch()
class LastFilter implements ExceptionFilter {
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>()
    const bodyStatus = isCodedError(error) ? BODY_STATUS[error.code] : undefined
    if (isCodedError(error) && bodyStatus !== undefined)
      return sendProblem(response, bodyStatus, error.code, error.message)
    // A path that a route table knows and no controller takes.
    if (error instanceof HttpException && error.getStatus() < 500)
      return sendProblem(response, error.getStatus(), 'REQUEST_INVALID', error.message)
    this.#logger.error({ err: error, id: requestId(response) }, 'unexpected error')
    if (response.headersSent) response.destroy()
    else
      sendProblem(response, 500, 'INTERNAL', 'Something went wrong here; the operator finds it under the request id.')
  }
}

export interface NestApp {
  readonly handler: RequestListener
  close(): Promise<void>
}

/**
 * Builds the application. Bodies are read by the routes (`bodyParser: false`), paths are exact, and no header says what serves them.
 * The edge comes first, so that what is in no route table reaches no controller.
 */
export async function createNestApp(
  modules: readonly DynamicModule[],
  edgeOptions: EdgeOptions,
  hotRoutesOf: (app: INestApplicationContext) => readonly HotRoute[] = () => [],
): Promise<NestApp> {
  const adapter = new ExpressAdapter()
  const express = adapter.getInstance()
  express.disable('x-powered-by')
  express.set('etag', false)
  express.set('query parser', 'simple')
  express.enable('case sensitive routing')
  const options = { bodyParser: false, logger: false, abortOnError: false } as const
  const app = await NestFactory.create<NestExpressApplication>(StandaloneModule.register(modules), adapter, options)
  let hotRoutes: readonly HotRoute[] = []
  app.use(edge({ ...edgeOptions, hotRoutes: () => hotRoutes }))
  app.useGlobalFilters(new LastFilter(edgeOptions.logger))
  await app.init()
  hotRoutes = hotRoutesOf(app)
  return { handler: express as RequestListener, close: () => app.close() }
}
