import { absent } from '../ambient/find-ambient.js'
import { unfitError, expiryText } from '../commands/whoami.js'
import type { CliContext } from '../context.js'
import { readCaConfiguration } from '../identity/ca-configuration.js'
import { forecast } from '../identity/forecast.js'
import { caUrlOf, issuerUrl } from '../services.js'
import { lookForToken, type FoundToken, type TokenOptions } from '../tokens.js'
import type { TrustedInstance } from '../trust-store.js'
import { finding, ok, problem, warning, type Finding } from './finding.js'

const SOON_MS = 120_000

/** Is there a token, and would the CA take it? It is sent to nobody, and no login is begun. */
export function checkToken(context: CliContext, instance: TrustedInstance, options: TokenOptions): Promise<Finding> {
  return finding('token', async () => {
    const { found, lacking, unused } = await lookForToken(context, issuerUrl(context, instance), options)
    if (found !== undefined) return judge(context, instance, found)
    // A job has nobody who could log in.
    if (lacking[0] !== undefined && !context.interactive) return problem('token', absent(lacking[0]))
    if (unused !== undefined)
      return warning(
        'token',
        'the kept login is not used',
        'Log in again: touchmark login',
        `${unused.file}: ${unused.why}`,
      )
    return warning('token', 'there is none: signing would begin a login', 'Nothing, or log in now: touchmark login')
  })
}

async function judge(context: CliContext, instance: TrustedInstance, found: FoundToken): Promise<Finding> {
  const now = context.clock.now()
  const told = forecast(found, await readCaConfiguration(context, caUrlOf(context, instance)), now)
  if (told.state === 'refused') return problem('token', unfitError(told))
  const who = told.state === 'known' ? told.name : found.claims.principal
  const says = `${found.source}: ${who}, by ${found.claims.issuer}, expires ${expiryText(found.claims.expiresAt, now)}`
  const left = (found.claims.expiresAt?.getTime() ?? 0) - now.getTime()
  return left < SOON_MS ? warning('token', says, 'Get a fresh one before you sign.') : ok('token', says)
}
