import { parseJson } from '@touchmark/encoding'
import { printableExcerpt, tokenPayload } from '@touchmark/sign'
import { CliError } from '../errors.js'
import { jsonObject, type Provider } from './discovery.js'

/** What a token endpoint hands out. */
export interface Grant {
  readonly idToken: string
  /** For the next ID token, without a login; not every provider gives one. */
  readonly refreshToken: string | undefined
}

const MOST_REFRESH_CHARS = 16 * 1024
/** Signatures that only a provider's private key makes: none, and none made with a secret that is shared. */
const ALGORITHMS = /^(RS|PS|ES)(256|384|512)$|^EdDSA$|^Ed25519$/

/**
 * Reads a token response and checks that the ID token is by this provider and for this client (OpenID Connect Core §3.1.3.7). Its signature is the CA's
 * to verify: the token came from the provider's own address, and goes nowhere else. Throws CLI_LOGIN_FAILED and SIGN_TOKEN_MALFORMED.
 */
export function readGrant(provider: Provider, body: Uint8Array): Grant {
  const answer = jsonObject(body, 'token')
  const idToken = answer['id_token']
  if (typeof idToken !== 'string') throw new CliError('CLI_LOGIN_FAILED', 'the identity provider sent no ID token')
  checkIdToken(provider, idToken)
  const refresh = answer['refresh_token']
  const usable = typeof refresh === 'string' && refresh !== '' && refresh.length <= MOST_REFRESH_CHARS
  return { idToken, refreshToken: usable ? refresh : undefined }
}

function checkIdToken(provider: Provider, token: string): void {
  const claims = tokenPayload(token)
  const audience = claims['aud']
  const audiences = Array.isArray(audience) ? audience : [audience]
  const algorithm = algorithmOf(token)
  refuseUnless(algorithm !== undefined && ALGORITHMS.test(algorithm), 'is not signed as one must be', {
    expected: 'RS256 or another signature by a private key',
    found: printableExcerpt(algorithm ?? 'no algorithm'),
  })
  refuseUnless(claims['iss'] === provider.issuer, 'is by another issuer', {
    expected: provider.issuer,
    found: shown(claims['iss']),
  })
  refuseUnless(audiences.includes(provider.clientId), 'is for another client', {
    expected: provider.clientId,
    found: shown(audience),
  })
  const party = claims['azp']
  refuseUnless(party === undefined || party === provider.clientId, 'was given to another client', {
    expected: provider.clientId,
    found: shown(party),
  })
}

function algorithmOf(token: string): string | undefined {
  try {
    const header = parseJson(Buffer.from(token.split('.', 1)[0]!, 'base64url'), { trailing: 'refuse' })
    const algorithm = (header as Readonly<Record<string, unknown>> | null)?.['alg']
    return typeof algorithm === 'string' ? algorithm : undefined
  } catch {
    return undefined
  }
}

function shown(value: unknown): string {
  return printableExcerpt(JSON.stringify(value) ?? 'none')
}

function refuseUnless(fits: boolean, what: string, details: { expected: string; found: string }): void {
  if (!fits) throw new CliError('CLI_LOGIN_FAILED', `the token of the identity provider ${what}`, details)
}
