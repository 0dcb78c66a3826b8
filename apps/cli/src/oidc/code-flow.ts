import { timingSafeEqual } from 'node:crypto'
import { excerpt, printableExcerpt, send, tokenPayload, type HttpOptions } from '@touchmark/sign'
import { CliError } from '../errors.js'
import type { Provider } from './discovery.js'
import { readGrant, type Grant } from './id-token.js'
import { newLoginSecrets, type LoginSecrets } from './pkce.js'

/** What is asked for; a refresh token only of a provider that gives one. */
export function scopeOf(provider: Provider): string {
  return provider.refreshes ? 'openid email offline_access' : 'openid email'
}

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
    client_id: provider.clientId,
    redirect_uri: redirectUri,
    scope: scopeOf(provider),
    state: secrets.state,
    nonce: secrets.nonce,
    code_challenge: secrets.codeChallenge,
    code_challenge_method: 'S256',
    // Without it a provider must leave offline_access out (OpenID Connect Core §11).
    ...(provider.refreshes ? { prompt: 'consent' } : {}),
  }
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  return { secrets, redirectUri, url: url.href }
}

/**
 * Takes the redirect of the provider: the state must be ours (CSRF), the issuer that it names, if any, the one that was asked (RFC 9207), and
 * an error of the provider is passed on; a parameter that comes twice is refused (RFC 6749 §3.1). Returns the code. Throws CLI_LOGIN_STATE or CLI_LOGIN_FAILED.
 */
export function codeOfRedirect(provider: Provider, login: CodeLogin, callback: URLSearchParams): string {
  const state = Buffer.from(callback.get('state') ?? '')
  const wanted = Buffer.from(login.secrets.state)
  if (state.length !== wanted.length || !timingSafeEqual(state, wanted)) {
    throw new CliError('CLI_LOGIN_STATE', 'the answer of the browser does not belong to this login', {
      hint: 'Close other login pages and run the command again. If it happens again, somebody may be trying to log you in as someone else.',
    })
  }
  for (const name of ['state', 'code', 'iss', 'error']) {
    if (callback.getAll(name).length > 1)
      throw new CliError('CLI_LOGIN_FAILED', `the answer of the browser holds "${name}" more than once`)
  }
  const issuer = callback.get('iss')
  if (issuer === null ? provider.namesItself : issuer !== provider.issuer) {
    throw new CliError('CLI_LOGIN_FAILED', 'another identity provider answered than the one that was asked', {
      expected: provider.issuer,
      found: printableExcerpt(issuer ?? 'no name'),
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

/** Exchanges the code for a grant whose ID token has our nonce. Throws CLI_LOGIN_FAILED, CLI_LOGIN_NONCE, SIGN_TOKEN_MALFORMED and what `send` throws. */
export async function exchangeCode(
  provider: Provider,
  login: CodeLogin,
  code: string,
  http: HttpOptions,
): Promise<Grant> {
  const form = {
    grant_type: 'authorization_code',
    client_id: provider.clientId,
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
  const grant = readGrant(provider, answer.body)
  if (tokenPayload(grant.idToken)['nonce'] !== login.secrets.nonce) {
    throw new CliError('CLI_LOGIN_NONCE', 'the identity token was made for another login', {
      hint: 'Run the command again.',
    })
  }
  return grant
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
