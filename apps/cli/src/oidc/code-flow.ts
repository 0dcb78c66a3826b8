import { timingSafeEqual } from 'node:crypto'
import { excerpt, printableExcerpt, send, tokenPayload, type HttpOptions } from '@touchmark/sign'
import { CliError } from '../errors.js'
import { jsonObject, type Provider } from './discovery.js'
import { newLoginSecrets, type LoginSecrets } from './pkce.js'

/** The OAuth client that every Sigstore client is. */
export const CLIENT_ID = 'sigstore'
export const SCOPE = 'openid email'

export interface CodeLogin {
  readonly secrets: LoginSecrets
  readonly redirectUri: string
  /** Where the person's browser goes. */
  readonly url: string
}

/** Prepares an authorization code login with PKCE, state and nonce (OpenID Connect Core §3.1, RFC 7636). */
export function startCodeLogin(provider: Provider, redirectUri: string): CodeLogin {
  const secrets = newLoginSecrets()
  const url = new URL(provider.authorizationEndpoint)
  const query = {
    response_type: 'code',
    client_id: CLIENT_ID,
    redirect_uri: redirectUri,
    scope: SCOPE,
    state: secrets.state,
    nonce: secrets.nonce,
    code_challenge: secrets.codeChallenge,
    code_challenge_method: 'S256',
  }
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  return { secrets, redirectUri, url: url.href }
}

/**
 * Takes the redirect of the provider: the state must be ours (CSRF), the issuer that it names, if any, the one that was asked (RFC 9207), and
 * an error of the provider is passed on. Returns the code. Throws CLI_LOGIN_STATE or CLI_LOGIN_FAILED.
 */
export function codeOfRedirect(provider: Provider, login: CodeLogin, callback: URLSearchParams): string {
  const state = Buffer.from(callback.get('state') ?? '')
  const wanted = Buffer.from(login.secrets.state)
  if (state.length !== wanted.length || !timingSafeEqual(state, wanted)) {
    throw new CliError('CLI_LOGIN_STATE', 'the answer of the browser does not belong to this login', {
      hint: 'Close other login pages and run the command again. If it happens again, somebody may be trying to log you in as someone else.',
    })
  }
  const issuer = callback.get('iss')
  if (issuer !== null && issuer !== provider.issuer) {
    throw new CliError('CLI_LOGIN_FAILED', 'another identity provider answered than the one that was asked', {
      expected: provider.issuer,
      found: printableExcerpt(issuer),
    })
  }
  const error = callback.get('error')
  if (error !== null) {
    const said = printableExcerpt(`${error} ${callback.get('error_description') ?? ''}`)
    throw new CliError('CLI_LOGIN_FAILED', 'the identity provider refused the login', { found: said })
  }
  const code = callback.get('code')
  if (code === null || code === '' || code.length > 4096)
    throw new CliError('CLI_LOGIN_FAILED', 'the answer of the browser holds no code')
  return code
}

/** Exchanges the code for an ID token whose nonce must be ours. Throws CLI_LOGIN_FAILED, CLI_LOGIN_NONCE, SIGN_TOKEN_MALFORMED and what `send` throws. */
export async function exchangeCode(
  provider: Provider,
  login: CodeLogin,
  code: string,
  http: HttpOptions,
): Promise<string> {
  const form = {
    grant_type: 'authorization_code',
    client_id: CLIENT_ID,
    code,
    redirect_uri: login.redirectUri,
    code_verifier: login.secrets.codeVerifier,
  }
  // A code works once: a lost answer means a new login, not a second try.
  const answer = await postForm(provider.tokenEndpoint, form, { ...http, tries: 1 })
  if (answer.status !== 200)
    throw new CliError('CLI_LOGIN_FAILED', `the identity provider refused the code (${answer.status})`, {
      found: excerpt(answer.body),
    })
  const token = idToken(answer.body)
  if (tokenPayload(token)['nonce'] !== login.secrets.nonce) {
    throw new CliError('CLI_LOGIN_NONCE', 'the identity token was made for another login', {
      hint: 'Run the command again.',
    })
  }
  return token
}

export function postForm(
  url: string,
  form: Readonly<Record<string, string>>,
  http: HttpOptions,
): ReturnType<typeof send> {
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  }
  return send('identity provider', url, init, http)
}

/** The ID token of a token response. */
export function idToken(body: Uint8Array): string {
  const token = jsonObject(body, 'token')['id_token']
  if (typeof token !== 'string') throw new CliError('CLI_LOGIN_FAILED', 'the identity provider sent no ID token')
  return token
}
