import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { answer, bodyOf, httpServer, type LocalServer } from '../../../../libs/sign/src/testing/servers.js'

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A JWT that nobody signed. */
export function unsignedToken(claims: object, header: object = { alg: 'RS256' }): string {
  return `${part(header)}.${part(claims)}.c2ln`
}

export interface ProviderBehaviour {
  /** Members of discovery to replace; undefined removes one. */
  discovery?: Record<string, unknown>
  /** Claims of the ID token to replace. */
  claims?: Record<string, unknown>
  /** The header of the ID token, in place of RS256. */
  header?: object
  /** Gives refresh tokens, a new one each time; the last one only is good, as where they are changed at each use. */
  refresh?: true
  /** Members of a token answer to replace; undefined removes one. */
  tokenAnswer?: Record<string, unknown>
  /** Answers of the token endpoint to give before it does its work: status and body. */
  tokenAnswers?: [status: number, body: string][]
  device?: Record<string, unknown>
  /** Held until it resolves: the answer to the token request. */
  tokenGate?: Promise<void>
}

/** A small OpenID provider: code flow with PKCE, device flow. It checks what a real one checks, and notes what it was asked. */
export class TestProvider {
  behaviour: ProviderBehaviour = {}
  readonly requests: { path: string; form: URLSearchParams }[] = []
  #server!: LocalServer
  /** The one that is good now. */
  refreshToken: string | undefined
  #refreshes = 0
  readonly #codes = new Map<string, { challenge: string; nonce: string | null; redirectUri: string }>()

  static async start(): Promise<TestProvider> {
    const provider = new TestProvider()
    provider.#server = await httpServer((request, response) => void provider.#serve(request, response))
    return provider
  }

  get issuer(): string {
    return this.#server.url
  }

  close(): Promise<void> {
    return this.#server.close()
  }

  /** What the provider does when the person has said yes: where the browser is sent. */
  approve(authorizationUrl: string): URL {
    const query = new URL(authorizationUrl).searchParams
    if (query.get('code_challenge_method') !== 'S256' || query.get('response_type') !== 'code')
      throw new Error(`not a code request with PKCE: ${authorizationUrl}`)
    const code = `code-${this.#codes.size + 1}`
    const redirectUri = query.get('redirect_uri')!
    this.#codes.set(code, { challenge: query.get('code_challenge')!, nonce: query.get('nonce'), redirectUri })
    const redirect = new URL(redirectUri)
    redirect.searchParams.set('code', code)
    redirect.searchParams.set('state', query.get('state')!)
    return redirect
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url!
    const form = new URLSearchParams((await bodyOf(request)).toString())
    this.requests.push({ path, form })
    const json = (status: number, value: object): void =>
      answer(response, status, JSON.stringify(value), { 'content-type': 'application/json' })
    if (path === '/.well-known/openid-configuration') return json(200, this.#discovery())
    if (path === '/device')
      return json(200, {
        device_code: 'device-1',
        user_code: 'ABCD-EFGH',
        verification_uri: `${this.issuer}/activate`,
        interval: 3,
        expires_in: 60,
        ...this.behaviour.device,
      })
    if (path === '/revoke') {
      if (form.get('token') === this.refreshToken) this.refreshToken = undefined
      return json(200, {})
    }
    if (path !== '/token') return answer(response, 404)
    await this.behaviour.tokenGate
    const ready = this.behaviour.tokenAnswers?.shift()
    if (ready !== undefined) return answer(response, ready[0], ready[1])
    if (form.get('grant_type') === 'refresh_token' && form.get('refresh_token') !== this.refreshToken)
      return json(400, { error: 'invalid_grant' })
    const nonce = form.get('grant_type') === 'authorization_code' ? this.#redeem(form) : null
    if (nonce === undefined) return json(400, { error: 'invalid_grant' })
    const claims = {
      iss: this.issuer,
      sub: 'user-1',
      email: 'dev@example.com',
      email_verified: true,
      aud: 'sigstore',
      exp: Date.parse('2026-06-01T12:10:00Z') / 1000,
      nonce,
      ...this.behaviour.claims,
    }
    const { header, refresh, tokenAnswer } = this.behaviour
    if (refresh === true) this.refreshToken = `refresh-${++this.#refreshes}`
    const id_token = header === undefined ? unsignedToken(claims) : unsignedToken(claims, header)
    const more = refresh === true ? { refresh_token: this.refreshToken } : {}
    return json(200, { id_token, access_token: 'x', token_type: 'Bearer', ...more, ...tokenAnswer })
  }

  #discovery(): object {
    return {
      issuer: this.issuer,
      authorization_endpoint: `${this.issuer}/auth`,
      token_endpoint: `${this.issuer}/token`,
      device_authorization_endpoint: `${this.issuer}/device`,
      ...(this.behaviour.refresh === true
        ? { scopes_supported: ['openid', 'offline_access'], revocation_endpoint: `${this.issuer}/revoke` }
        : {}),
      ...this.behaviour.discovery,
    }
  }

  /** RFC 6749 §4.1.3 and RFC 7636 §4.6; undefined when anything does not fit. A code works once. */
  #redeem(form: URLSearchParams): string | null | undefined {
    const known = this.#codes.get(form.get('code') ?? '')
    this.#codes.delete(form.get('code') ?? '')
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    const fits =
      known !== undefined &&
      challenge === known.challenge &&
      form.get('redirect_uri') === known.redirectUri &&
      form.get('client_id') === 'sigstore'
    return fits ? known.nonce : undefined
  }
}
