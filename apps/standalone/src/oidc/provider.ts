import { createHash } from 'node:crypto'
import type { Clock } from '@touchmark/clock'
import type { Database } from '@touchmark/postgres'
import { Provider, interactionPolicy, type Configuration, type JWK, type KoaContextWithOIDC } from 'oidc-provider'
import { BANNER, deviceConfirmPage, deviceDonePage, deviceInputPage, errorPage } from './pages.js'
import { RecordStore } from './record-store.js'

/** The one client: what every Sigstore client calls itself. */
export const CLIENT_ID = 'sigstore'
/** The out-of-band redirect of old native apps, which oidc-provider does not know; {@link OOB_PATH} stands in for it. */
export const OOB_REDIRECT = 'urn:ietf:wg:oauth:2.0:oob'
export const OOB_PATH = '/oob'

const RESOURCE = 'urn:touchmark:sigstore'
const MINUTES = 60

export interface DemoProviderOptions {
  readonly issuer: string
  readonly signingKey: JWK
  readonly db: Database
  readonly clock: Clock
  /** Told of errors that are not the client's. */
  readonly report: (error: Error) => void
}

/**
 * A real OpenID provider whose accounts are whatever is typed: authorization code with PKCE and device flow, RS256 tokens.
 * The access token is a JWT with the same claims as the ID token, for sigstore-python reads that one.
 */
export function createDemoProvider(options: DemoProviderOptions): Provider {
  const cookieKey = createHash('sha256')
    .update('touchmark demo issuer cookies\0')
    .update(options.signingKey.d ?? '')
    .digest('base64url')
  const provider = new Provider(options.issuer, configuration(options, cookieKey))
  provider.proxy = true
  provider.use(sayDemo)
  provider.on('server_error', (ctx, error) => {
    if (!isStaleForm(ctx)) options.report(error)
  })
  return provider
}

function configuration(options: DemoProviderOptions, cookieKey: string): Configuration {
  const cookie = { signed: true, httpOnly: true, sameSite: 'lax' } as const
  return {
    adapter: (kind) => new RecordStore(options.db, options.clock, kind),
    clients: [client(options.issuer)],
    jwks: { keys: [options.signingKey] },
    cookies: { keys: [cookieKey], short: cookie, long: cookie },
    scopes: ['openid', 'email'],
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    conformIdTokenClaims: false,
    responseTypes: ['code'],
    clientAuthMethods: ['none'],
    pkce: { methods: ['S256'], required: () => true },
    enabledJWA: { idTokenSigningAlgValues: ['RS256'] },
    discovery: { touchmark_demo: true },
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id, email: id, email_verified: true }) }),
    extraTokenClaims: (_ctx, token) => ({ email: (token as { accountId?: string }).accountId, email_verified: true }),
    interactions: {
      policy: askEveryTime(),
      url: (_ctx, interaction) => `${new URL(options.issuer).pathname}/login/${interaction.uid}`,
    },
    loadExistingGrant: grantEverything,
    // A code outlives the browser session it was made in: a client may poll while the session is still being stored.
    expiresWithSession: () => false,
    features: features(),
    renderError: (ctx, out) => {
      ctx.type = 'html'
      ctx.body = errorPage(out.error, out.error_description ?? '')
    },
    ttl: {
      AccessToken: 10 * MINUTES,
      AuthorizationCode: 2 * MINUTES,
      DeviceCode: 10 * MINUTES,
      Grant: 15 * MINUTES,
      IdToken: 10 * MINUTES,
      Interaction: 10 * MINUTES,
      Session: 15 * MINUTES,
    },
  }
}

/** A device form whose session is gone: the provider stumbles over that with a TypeError, and it is nobody's fault. */
function isStaleForm(ctx: KoaContextWithOIDC): boolean {
  const { route, session } = (ctx as Partial<KoaContextWithOIDC>).oidc ?? {}
  return ctx.method === 'POST' && route === 'code_verification' && (session as { new?: true } | undefined)?.new === true
}

/** The provider has a page of its own, which submits a device code that stands in the address: it too says what it is, and none can be framed. */
async function sayDemo(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
  await next()
  if (isStaleForm(ctx)) {
    ctx.status = 400
    html(ctx, errorPage('gone', 'This page is too old, or was opened in another browser. Open it again.'))
  }
  if (!ctx.response.is('html') || typeof ctx.body !== 'string') return
  ctx.set('x-frame-options', 'DENY')
  if (!ctx.body.includes(BANNER)) ctx.body = ctx.body.replace('<body>', `<body>${BANNER}`)
}

function client(issuer: string): NonNullable<Configuration['clients']>[number] {
  return {
    client_id: CLIENT_ID,
    client_name: 'Sigstore clients',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'],
    response_types: ['code'],
    // The port of a loopback redirect is not compared (RFC 8252 §7.3).
    redirect_uris: [
      'http://localhost/auth/callback',
      'http://127.0.0.1/auth/callback',
      'http://localhost',
      'http://127.0.0.1',
      `${issuer}${OOB_PATH}`,
    ],
    id_token_signed_response_alg: 'RS256',
  }
}

function features(): NonNullable<Configuration['features']> {
  return {
    devInteractions: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    userinfo: { enabled: false },
    deviceFlow: {
      enabled: true,
      charset: 'base-20',
      mask: '****-****',
      userCodeInputSource: (ctx, form, _out, error) =>
        html(ctx, deviceInputPage(form, error === undefined ? undefined : deviceError(error))),
      userCodeConfirmSource: (ctx, form, _client, _device, userCode) => html(ctx, deviceConfirmPage(form, userCode)),
      successSource: (ctx) => html(ctx, deviceDonePage()),
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => RESOURCE,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: 'openid email',
        audience: CLIENT_ID,
        accessTokenTTL: 10 * MINUTES,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  }
}

function html(ctx: KoaContextWithOIDC, body: string): void {
  ctx.type = 'html'
  ctx.body = body
}

function deviceError(error: Error): string {
  return error.message === 'no code submitted' ? 'Type the code first.' : 'That code is not right, or it is too old.'
}

/** Who comes is asked every time: a person tries several identities in a demonstration. */
function askEveryTime(): interactionPolicy.DefaultPolicy {
  const policy = interactionPolicy.base()
  const ask = new interactionPolicy.Check('every_time', 'who is it?', (ctx) => ctx.oidc.result?.login === undefined)
  policy.get('login')?.checks.add(ask)
  policy.remove('consent')
  return policy
}

async function grantEverything(ctx: KoaContextWithOIDC): Promise<InstanceType<Provider['Grant']> | undefined> {
  const { client: forClient, session, provider } = ctx.oidc
  if (forClient === undefined || session?.accountId === undefined) return undefined
  const grant = new provider.Grant({ clientId: forClient.clientId, accountId: session.accountId })
  grant.addOIDCScope('openid email')
  grant.addResourceScope(RESOURCE, 'openid email')
  await grant.save()
  return grant
}
