import { sendProblem, type ApiShape } from '@touchmark/service'

const PATHS = /^\/trust\/(trusted_root\.json|signing_config\.v0\.2\.json|client_trust_config\.json)$/

/** Routes of the trust material; its errors are RFC 9457 problems. */
export const trustShape: ApiShape = {
  prefix: '/trust',
  routes: [
    { method: 'GET', path: PATHS },
    { method: 'HEAD', path: PATHS },
  ],
  notFound: (_request, response) => sendProblem(response, 404, 'NOT_FOUND', 'There is no such trust document.'),
  methodNotAllowed: (_request, response, allowed) => {
    response.setHeader('allow', allowed.join(', '))
    sendProblem(response, 405, 'METHOD_NOT_ALLOWED', 'Trust documents are only read.')
  },
}
