import { isCodedError } from '@touchmark/errors'
import { excerpt, tokenPayload, type HttpOptions } from '@touchmark/sign'
import { CliError } from '../errors.js'
import { postForm } from './code-flow.js'
import { jsonObject, type Provider } from './discovery.js'
import { readGrant, type Grant } from './id-token.js'

/**
 * Gets a new ID token for a kept login (RFC 6749 §6). Resolves with nothing when the provider has ended the login (`invalid_grant`), or gives no ID token this way.
 * The token must be for the same person as before (OpenID Connect Core §12.2). Asked once: a provider that changes refresh tokens may take a second
 * request for theft. Throws CLI_LOGIN_FAILED and what `send` throws.
 */
export async function refreshLogin(
  provider: Provider,
  kept: { readonly token: string; readonly refreshToken: string },
  http: HttpOptions,
): Promise<Grant | undefined> {
  const form = { grant_type: 'refresh_token', client_id: provider.clientId, refresh_token: kept.refreshToken }
  const answer = await postForm(provider.tokenEndpoint, form, { ...http, tries: 1 })
  if (answer.status === 400 && hasEnded(answer.body)) return undefined
  if (answer.status !== 200) {
    throw new CliError('CLI_LOGIN_FAILED', `the identity provider did not refresh the login (${answer.status})`, {
      found: excerpt(answer.body),
      hint: 'Log in again: touchmark login.',
    })
  }
  if (jsonObject(answer.body, 'token')['id_token'] === undefined) return undefined
  const grant = readGrant(provider, answer.body)
  const [before, now] = [tokenPayload(kept.token)['sub'], tokenPayload(grant.idToken)['sub']]
  if (before !== now) {
    throw new CliError('CLI_LOGIN_FAILED', 'the identity provider refreshed the login of somebody else', {
      hint: 'Log in again: touchmark login.',
    })
  }
  return { idToken: grant.idToken, refreshToken: grant.refreshToken ?? kept.refreshToken }
}

/** `invalid_grant` (RFC 6749 §5.2), and nothing else, says so: a proxy, or a provider that is set up otherwise meanwhile, ends no login. */
function hasEnded(body: Uint8Array): boolean {
  try {
    return jsonObject(body, 'token')['error'] === 'invalid_grant'
  } catch (error) {
    if (isCodedError(error)) return false
    throw error
  }
}

/** Ends a login at the provider, where it offers that (RFC 7009). Resolves false when it does not or did not. */
export async function revokeLogin(provider: Provider, refreshToken: string, http: HttpOptions): Promise<boolean> {
  if (provider.revocationEndpoint === undefined) return false
  const form = { token: refreshToken, token_type_hint: 'refresh_token', client_id: provider.clientId }
  return (await postForm(provider.revocationEndpoint, form, http)).status === 200
}
