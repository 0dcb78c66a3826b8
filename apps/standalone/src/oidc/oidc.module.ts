import { Module, type DynamicModule } from '@nestjs/common'
import { sendProblem, type ApiShape } from '@touchmark/service'
import { DEMO_ISSUER, OidcController, type DemoIssuer } from './oidc.controller.js'

/** The demonstration issuer under /oidc. */
@Module({})
export class OidcModule {
  static register(issuer: DemoIssuer): DynamicModule {
    return {
      module: OidcModule,
      controllers: [OidcController],
      providers: [{ provide: DEMO_ISSUER, useValue: issuer }],
    }
  }
}

const BELOW = /^\/oidc\/.+/

/** Everything below /oidc goes to the provider, which has its own answers to what it does not know. */
export const oidcShape: ApiShape = {
  prefix: '/oidc',
  routes: ['GET', 'HEAD', 'POST', 'OPTIONS'].map((method) => ({ method, path: BELOW })),
  notFound: (_request, response) => sendProblem(response, 404, 'NOT_FOUND', 'There is nothing at this path.'),
  methodNotAllowed: (_request, response) =>
    sendProblem(response, 405, 'METHOD_NOT_ALLOWED', 'The issuer does not take this method.'),
}
