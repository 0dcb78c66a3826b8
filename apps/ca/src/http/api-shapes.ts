import type { ApiShape } from '@touchmark/service'
import { answerPreflight, GRPC, sendStatus } from './answers.js'

/** Every route of the CA (ca.md §1); paths are exact and case-sensitive. */
const ROUTES = [
  ['POST', '/api/v2/signingCert'],
  ['GET', '/api/v2/trustBundle'],
  ['GET', '/api/v2/configuration'],
  ['POST', '/api/v1/signingCert'],
  ['GET', '/api/v1/rootCert'],
] as const

/** The CA's part of the route table: 404 and 501 as gRPC statuses, preflight on every path. HEAD and plain OPTIONS are not served. */
export const CA_SHAPES: readonly ApiShape[] = ROUTES.map(([method, prefix]) => ({
  prefix,
  routes: [{ method, path: new RegExp(`^${prefix}$`) }],
  notFound: (request, response) => sendStatus(request, response, 404, GRPC.notFound, 'Not Found'),
  methodNotAllowed: (request, response) => sendStatus(request, response, 501, GRPC.unimplemented, 'Method Not Allowed'),
  preflight: answerPreflight,
}))
