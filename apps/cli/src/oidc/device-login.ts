import { excerpt, type HttpOptions } from '@touchmark/sign'
import { CliError } from '../errors.js'
import { postForm, scopeOf } from './code-flow.js'
import { jsonObject, type Provider } from './discovery.js'
import { readGrant, type Grant } from './id-token.js'
import { newLoginSecrets } from './pkce.js'

export interface DeviceLoginOptions {
  readonly http: HttpOptions
  /** Told where to go and which code to type. */
  readonly announce: (where: { url: string; code: string }) => void
}

/** Logs in on another device (RFC 8628, with PKCE). Throws CLI_LOGIN_FAILED or CLI_LOGIN_TIMEOUT. */
export async function deviceLogin(provider: Provider, options: DeviceLoginOptions): Promise<Grant> {
  if (provider.deviceAuthorizationEndpoint === undefined) {
    throw new CliError('CLI_LOGIN_FAILED', 'the identity provider offers no device flow', {
      hint: 'Log in where there is a browser, or pass --identity-token.',
    })
  }
  const { codeVerifier, codeChallenge } = newLoginSecrets()
  const request = {
    client_id: provider.clientId,
    scope: scopeOf(provider),
    code_challenge: codeChallenge,
    code_challenge_method: 'S256',
  }
  const answer = await postForm(provider.deviceAuthorizationEndpoint, request, options.http)
  if (answer.status !== 200)
    throw new CliError('CLI_LOGIN_FAILED', `the device flow was refused (${answer.status})`, {
      found: excerpt(answer.body),
    })
  const started = jsonObject(answer.body, 'device')
  const [deviceCode, userCode, plain, complete] = [
    'device_code',
    'user_code',
    'verification_uri',
    'verification_uri_complete',
  ].map((name) => started[name])
  if (typeof deviceCode !== 'string' || typeof userCode !== 'string' || typeof plain !== 'string') {
    throw new CliError('CLI_LOGIN_FAILED', 'the device answer of the identity provider is incomplete')
  }
  options.announce({ url: typeof complete === 'string' ? complete : plain, code: userCode })
  const seconds = (value: unknown, otherwise: number): number =>
    typeof value === 'number' && value >= 1 && value <= 3600 ? value : otherwise
  const poll = {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    client_id: provider.clientId,
    device_code: deviceCode,
    code_verifier: codeVerifier,
  }
  return pollForToken(
    provider,
    poll,
    { interval: seconds(started['interval'], 5), patience: seconds(started['expires_in'], 600) },
    options.http,
  )
}

async function pollForToken(
  provider: Provider,
  form: Readonly<Record<string, string>>,
  times: { interval: number; patience: number },
  http: HttpOptions,
): Promise<Grant> {
  let interval = times.interval
  for (let waited = 0; waited < times.patience; waited += interval) {
    await http.sleep(interval * 1000)
    const answer = await postForm(provider.tokenEndpoint, form, http)
    if (answer.status === 200) return readGrant(provider, answer.body)
    const error = jsonObject(answer.body, 'device')['error']
    if (error === 'expired_token') break
    if (error === 'slow_down') interval += 5
    else if (error !== 'authorization_pending')
      throw new CliError('CLI_LOGIN_FAILED', 'the device login was refused', { found: excerpt(answer.body) })
  }
  throw new CliError('CLI_LOGIN_TIMEOUT', `nobody logged in within ${times.patience} s`)
}
