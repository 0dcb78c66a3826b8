import { isCodedError } from '@touchmark/errors'
import type { CliContext } from '../context.js'
import { forgetLogin, readKept } from '../kept-login.js'
import { discoverProvider } from '../oidc/discovery.js'
import { revokeLogin } from '../oidc/refresh.js'
import { printJson } from '../output.js'
import { issuerUrl } from '../services.js'
import { clientIdOf, type TokenOptions } from '../tokens.js'
import { trustInstance, type InstanceOptions } from '../trust-store.js'

/** `touchmark logout`: forgets the kept login, and ends it at the provider where that can be done. The file goes first, whatever the provider says. */
export async function logoutCommand(context: CliContext, options: InstanceOptions & TokenOptions): Promise<void> {
  const instance = await trustInstance(context, options)
  const place = { issuer: issuerUrl(context, instance), clientId: clientIdOf(context, options) }
  const kept = await readKept(context, place)
  const forgotten = await forgetLogin(context, place)
  const refreshToken = kept.state === 'kept' ? kept.login.refreshToken : undefined
  let revoked: boolean | undefined
  if (refreshToken !== undefined) {
    try {
      revoked = await revokeLogin(
        await discoverProvider(place.issuer, context.http, place.clientId),
        refreshToken,
        context.http,
      )
    } catch (error) {
      if (!isCodedError(error)) throw error
      revoked = false
    }
  }
  if (context.json) return printJson(context, { issuer: place.issuer, forgotten, revoked })
  if (!forgotten) return context.out('Nobody was logged in.\n')
  context.out(
    revoked === false
      ? 'Logged out here. The identity provider did not end the login: it may know a refresh token that is good for longer.\n'
      : 'Logged out.\n',
  )
}
