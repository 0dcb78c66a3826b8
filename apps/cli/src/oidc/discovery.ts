import { parseJson, type JsonValue } from '@touchmark/encoding'
import { send, type HttpOptions } from '@touchmark/sign'
import { CliError } from '../errors.js'

/** The OAuth client that every Sigstore client is, and the audience that a CA takes unless it is set up otherwise. */
export const CLIENT_ID = 'sigstore'

/** The members of an OpenID provider's discovery document that a login needs. */
export interface Provider {
  readonly issuer: string
  readonly authorizationEndpoint: string
  readonly tokenEndpoint: string
  readonly deviceAuthorizationEndpoint: string | undefined
  readonly revocationEndpoint: string | undefined
  /** The OAuth client that logs in, and the audience of its tokens. */
  readonly clientId: string
  /** The provider hands out refresh tokens to who asks with `offline_access`. */
  readonly refreshes: boolean
  /** The provider names itself in every redirect (RFC 9207 §3). */
  readonly namesItself: boolean
  /** Set by Touchmark's demonstration issuer and by nothing else. */
  readonly demo: boolean
}

/**
 * Reads `<issuer>/.well-known/openid-configuration` (OpenID Connect Discovery §4); its `issuer` must be the one asked for, byte by byte, and its
 * endpoints must be web addresses no less protected than the issuer: a browser is sent there, and a code. Throws CLI_LOGIN_FAILED and what `send` throws.
 */
export async function discoverProvider(issuer: string, http: HttpOptions, clientId = CLIENT_ID): Promise<Provider> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const answer = await send('identity provider', url, { headers: { accept: 'application/json' } }, http)
  if (answer.status !== 200)
    throw new CliError('CLI_LOGIN_FAILED', `the identity provider answered ${answer.status} to discovery (${url})`)
  const document = jsonObject(answer.body, 'discovery')
  const text = (name: string): string | undefined => (typeof document[name] === 'string' ? document[name] : undefined)
  const authorizationEndpoint = text('authorization_endpoint')
  const tokenEndpoint = text('token_endpoint')
  if (text('issuer') !== issuer || authorizationEndpoint === undefined || tokenEndpoint === undefined) {
    throw new CliError('CLI_LOGIN_FAILED', 'the discovery document is not that of this issuer', {
      expected: issuer,
      found: text('issuer') ?? 'none',
    })
  }
  const deviceAuthorizationEndpoint = text('device_authorization_endpoint')
  const revocationEndpoint = text('revocation_endpoint')
  for (const endpoint of [authorizationEndpoint, tokenEndpoint, deviceAuthorizationEndpoint, revocationEndpoint]) {
    if (endpoint === undefined || isFitEndpoint(issuer, endpoint)) continue
    throw new CliError('CLI_LOGIN_FAILED', 'the discovery document names an endpoint that cannot be used', {
      expected: issuer.startsWith('https:') ? 'an https URL' : 'an http or https URL',
      found: endpoint.slice(0, 200),
    })
  }
  const lists = (name: string, value: string): boolean | undefined => {
    const list = document[name]
    return Array.isArray(list) ? list.includes(value) : undefined
  }
  // Without the proof of RFC 7636 a code that leaks is a login: a provider that says that it does not check it is not used.
  if (lists('code_challenge_methods_supported', 'S256') === false) {
    throw new CliError('CLI_LOGIN_FAILED', 'the identity provider does not support PKCE', {
      expected: 'S256 among code_challenge_methods_supported',
    })
  }
  return {
    issuer,
    authorizationEndpoint,
    tokenEndpoint,
    deviceAuthorizationEndpoint,
    revocationEndpoint,
    clientId,
    refreshes:
      lists('scopes_supported', 'offline_access') === true && lists('grant_types_supported', 'refresh_token') !== false,
    namesItself: document['authorization_response_iss_parameter_supported'] === true,
    demo: document['touchmark_demo'] === true,
  }
}

function isFitEndpoint(issuer: string, endpoint: string): boolean {
  const protocol = URL.canParse(endpoint) ? new URL(endpoint).protocol : ''
  return protocol === 'https:' || (protocol === 'http:' && issuer.startsWith('http:'))
}

/** Parses a JSON object that an identity provider sent. */
export function jsonObject(body: Uint8Array, what: string): Readonly<Record<string, JsonValue>> {
  try {
    const value = parseJson(body, { trailing: 'refuse' })
    if (value !== null && typeof value === 'object' && !Array.isArray(value))
      return value as Readonly<Record<string, JsonValue>>
  } catch (cause) {
    throw new CliError('CLI_LOGIN_FAILED', `the identity provider's ${what} answer is not JSON`, { cause })
  }
  throw new CliError('CLI_LOGIN_FAILED', `the identity provider's ${what} answer is not an object`)
}
