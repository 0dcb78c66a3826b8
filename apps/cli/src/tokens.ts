import { readTokenClaims, type TokenClaims } from '@touchmark/sign'
import { absent, AMBIENT_PLACES, findAmbient, type Lacking } from './ambient/find-ambient.js'

import type { CliContext } from './context.js'
import { CliError } from './errors.js'
import { tokenOrFile } from './given-token.js'
import { forgetLogin, keepLogin, lockedLogin, readKept, type KeptLogin, type LoginPlace } from './kept-login.js'
import { browserLogin, openInBrowser } from './oidc/browser-login.js'
import { deviceLogin } from './oidc/device-login.js'
import { CLIENT_ID, discoverProvider, type Provider } from './oidc/discovery.js'
import type { Grant } from './oidc/id-token.js'
import { refreshLogin } from './oidc/refresh.js'
import { printable } from './output.js'

export interface TokenOptions {
  /** A token, or a file that holds one. */
  readonly identityToken?: string
  /** Log in on another device even where there is a browser. */
  readonly device?: boolean
  /** False: `--no-ambient`, do not ask the system that this runs on. */
  readonly ambient?: boolean
  /** Ask this system and nothing else. */
  readonly oidcProvider?: string
  /** The OAuth client, and the audience of the token; `sigstore` unless the instance is set up otherwise. */
  readonly oidcClientId?: string
}

/** Where a token came from, for people; the name of an ambient provider, or one of these. */
export type TokenSource =
  'given' | 'SIGSTORE_ID_TOKEN' | 'kept login' | 'refreshed login' | 'browser' | 'device' | (string & {})

export interface FoundToken {
  readonly token: string
  readonly claims: TokenClaims
  readonly source: TokenSource
}

/** What was looked at before a login would be begun. */
export interface Looked {
  readonly found: FoundToken | undefined
  /** Systems that are here and hand out no token as they are set up. */
  readonly lacking: readonly Lacking[]
  /** A kept login that is not used, and why. */
  readonly unused: { readonly file: string; readonly why: string } | undefined
}

/**
 * The OAuth client and audience. It is never the instance's to say: one that asked for the audience of another service would be handed a token that
 * it could spend there.
 */
export function clientIdOf(context: CliContext, options: TokenOptions): string {
  return options.oidcClientId ?? (context.environment['TOUCHMARK_OIDC_CLIENT_ID'] || CLIENT_ID)
}

/**
 * Finds the identity token: given, then `SIGSTORE_ID_TOKEN`, then of the system that this runs on, then a kept login, then a new login with browser or
 * device. Throws SIGN_TOKEN_MALFORMED, CLI_AMBIENT_*, CLI_LOGIN_* and what a service's failures throw.
 */
export async function findToken(context: CliContext, issuer: string, options: TokenOptions): Promise<FoundToken> {
  const { found, lacking, unused } = await lookForToken(context, issuer, options)
  if (found !== undefined) return found
  // Nobody sits at a job: a login that nobody can answer would only hold it up.
  const attended = options.device === true || canBrowse(context, options)
  if (lacking[0] !== undefined && !attended) throw absent(lacking[0])
  if (unused !== undefined)
    context.err(`The login in ${printable(unused.file)} is not used: ${unused.why}. It is replaced by a new one.\n`)
  return login(context, issuer, options)
}

/** Looks for a token without beginning a login. Refreshes a kept one that has run out. Throws as {@link findToken}. */
export async function lookForToken(context: CliContext, issuer: string, options: TokenOptions): Promise<Looked> {
  const nothing = { lacking: [], unused: undefined }
  if (options.identityToken !== undefined)
    return { found: asFound(await tokenOrFile(options.identityToken), 'given'), ...nothing }
  const inEnvironment = context.environment['SIGSTORE_ID_TOKEN']?.trim() ?? ''
  if (inEnvironment !== '' && options.oidcProvider === undefined)
    return { found: asFound(inEnvironment, 'SIGSTORE_ID_TOKEN'), ...nothing }
  const clientId = clientIdOf(context, options)
  const outside = {
    environment: context.environment,
    http: context.http,
    places: context.ambientPlaces ?? AMBIENT_PLACES,
  }
  const ambient =
    options.ambient === false && options.oidcProvider === undefined
      ? { lacking: [] }
      : await findAmbient(outside, clientId, options.oidcProvider)
  if (ambient.found !== undefined)
    return { found: asFound(ambient.found.token, ambient.found.provider), lacking: ambient.lacking, unused: undefined }
  return { ...(await lookAtKept(context, { issuer, clientId })), lacking: ambient.lacking }
}

async function lookAtKept(context: CliContext, place: LoginPlace): Promise<Pick<Looked, 'found' | 'unused'>> {
  const kept = await readKept(context, place)
  if (kept.state === 'open') return { found: undefined, unused: { file: kept.file, why: kept.why } }
  if (kept.state === 'absent') return { found: undefined, unused: undefined }
  if (kept.alive) return { found: asFound(kept.login.token, 'kept login'), unused: undefined }
  const refreshed = kept.login.refreshToken === undefined ? undefined : await refreshKept(context, place)
  return { found: refreshed, unused: undefined }
}

/** Refreshes what is kept when another process has not done so meanwhile. What the provider gives is kept before it is used. */
async function refreshKept(context: CliContext, place: LoginPlace): Promise<FoundToken | undefined> {
  // Asked for before the lock: what is done under it has a known end.
  const provider = await discoverProvider(place.issuer, context.http, place.clientId)
  return lockedLogin(context, place, async () => {
    const kept = await readKept(context, place)
    if (kept.state !== 'kept') return undefined
    if (kept.alive) return asFound(kept.login.token, 'kept login')
    if (!hasRefresh(kept.login)) return undefined
    const grant = await refreshLogin(provider, kept.login, context.http)
    if (grant === undefined) {
      await forgetLogin(context, place)
      return undefined
    }
    const found = asFound(grant.idToken, 'refreshed login')
    await keepLogin(context, place, grant)
    return found
  })
}

function hasRefresh(login: KeptLogin): login is KeptLogin & { refreshToken: string } {
  return login.refreshToken !== undefined
}

function canBrowse(context: CliContext, options: TokenOptions): boolean {
  return options.device !== true && (context.interactive || context.environment['TOUCHMARK_BROWSER'] !== undefined)
}

/** Logs in and keeps the token until it expires. Throws CLI_LOGIN_*. */
export async function login(context: CliContext, issuer: string, options: TokenOptions): Promise<FoundToken> {
  const clientId = clientIdOf(context, options)
  const provider = await discoverProvider(issuer, context.http, clientId)
  const browse = canBrowse(context, options)
  const grant = browse ? await withBrowser(context, provider) : await withDevice(context, provider)
  // A token that cannot be read, or be used, is not kept.
  const result = asFound(grant.idToken, browse ? 'browser' : 'device')
  refuseExpired(context, result.claims)
  await keepLogin(context, { issuer, clientId }, grant)
  return result
}

function refuseExpired(context: CliContext, { expiresAt }: TokenClaims): void {
  const now = context.clock.now()
  if (expiresAt === undefined || expiresAt.getTime() > now.getTime()) return
  throw new CliError('CLI_LOGIN_FAILED', 'the token of the identity provider has expired already', {
    expected: `later than ${now.toISOString()}`,
    found: expiresAt.toISOString(),
    hint: "Set this machine's clock; `touchmark doctor` says how far it is off.",
  })
}

function withBrowser(context: CliContext, provider: Provider): Promise<Grant> {
  const announce = (url: string, opened: boolean): void =>
    context.err(
      opened
        ? `Log in with the page that your browser opened:\n  ${printable(url)}\n`
        : `Open this page to log in:\n  ${printable(url)}\n`,
    )
  const open =
    context.environment['TOUCHMARK_BROWSER'] === 'none'
      ? () => Promise.resolve(false)
      : (url: string) => openInBrowser(url, context.environment)
  return browserLogin(provider, { http: context.http, open, announce })
}

function withDevice(context: CliContext, provider: Provider): Promise<Grant> {
  const announce = ({ url, code }: { url: string; code: string }): void =>
    context.err(
      `To log in, open this page on any device:\n  ${printable(url)}\nand check that it shows this code:\n  ${printable(code)}\n`,
    )
  return deviceLogin(provider, { http: context.http, announce })
}

function asFound(token: string, source: TokenSource): FoundToken {
  return { token, claims: readTokenClaims(token), source }
}
