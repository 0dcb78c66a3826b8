import { IncomingMessage } from 'node:http'
import { All, Controller, Inject, Req, Res } from '@nestjs/common'
import { rawBody } from '@touchmark/service'
import type { Request, Response } from 'express'
import type { Provider } from 'oidc-provider'
import { codePage, errorPage, loginPage } from './pages.js'
import { CLIENT_ID, OOB_PATH, OOB_REDIRECT } from './provider.js'

export const DEMO_ISSUER = Symbol('DemoIssuer')

export interface DemoIssuer {
  readonly provider: Provider
  readonly publicUrl: URL
}

const FORM_LIMIT_BYTES = 16 * 1024
/** The provider stores what it is asked with; headers may be as long as a token elsewhere on this origin. */
const TARGET_LIMIT_CHARACTERS = 8 * 1024
const EMAIL =
  /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}$/
const NUL = '\u0000'

/** Everything below /oidc: our login pages, and oidc-provider behind a shim for what real Sigstore clients do. */
@Controller('oidc')
export class OidcController {
  readonly #provider: Provider
  readonly #publicUrl: URL
  readonly #callback: ReturnType<Provider['callback']>

  constructor(@Inject(DEMO_ISSUER) issuer: DemoIssuer) {
    this.#provider = issuer.provider
    this.#publicUrl = issuer.publicUrl
    this.#callback = issuer.provider.callback()
  }

  @All('login/:uid')
  async login(@Req() request: Request, @Res() response: Response): Promise<void> {
    if (isUnstorable(request.url)) return refuse(response)
    this.#pinHost(request)
    try {
      await this.#provider.interactionDetails(request, response)
    } catch {
      return html(
        response,
        400,
        errorPage(
          'gone',
          'This login is too old or was begun in another browser. Go back to the terminal and try again.',
        ),
      )
    }
    const action = request.path
    if (request.method !== 'POST') return html(response, 200, loginPage({ action, name: '', email: '' }))
    const form = await readForm(request)
    const email = (form.get('email') ?? '').trim()
    if (email.length > 254 || !EMAIL.test(email)) {
      const again = { action, name: form.get('name') ?? '', email, wrong: 'That is not an e-mail address.' }
      return html(response, 400, loginPage(again))
    }
    const result = { login: { accountId: email } }
    await this.#provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false })
  }

  @All('oob')
  outOfBand(@Req() request: Request, @Res() response: Response): void {
    const { code, error, error_description: description } = request.query
    if (typeof code === 'string') return html(response, 200, codePage(code))
    html(
      response,
      400,
      errorPage(typeof error === 'string' ? error : 'no code', typeof description === 'string' ? description : ''),
    )
  }

  @All('*path')
  async provide(@Req() request: Request, @Res() response: Response): Promise<void> {
    if (isUnstorable(request.url)) return refuse(response)
    this.#pinHost(request)
    const url = this.#withKnownRedirect(request.url.replace(/^\/oidc/, '') || '/')
    Object.assign(request, { url, baseUrl: '/oidc', originalUrl: `/oidc${url}` })
    if (request.method !== 'POST') return void (await this.#callback(request, response))
    const form = await readForm(request)
    if ([...form.values()].some((value) => value.includes(NUL))) return refuse(response)
    // The provider would let it pass: its client has no secret, so none is looked at.
    if ((form.get('client_secret') ?? '') !== '') return refuseSecret(response)
    await this.#callback(this.#normalisedPost(request, form), response)
  }

  /** What the provider derives from a request's host comes from the public URL instead: headers of the client do not count. */
  #pinHost(request: Request): void {
    for (const name of Object.keys(request.headers)) if (name.startsWith('x-forwarded-')) delete request.headers[name]
    request.headers.host = this.#publicUrl.host
    request.headers['x-forwarded-proto'] = this.#publicUrl.protocol.slice(0, -1)
    request.headers['x-forwarded-host'] = this.#publicUrl.host
  }

  #outOfBandUri(): string {
    return `${this.#publicUrl.origin}/oidc${OOB_PATH}`
  }

  #withKnownRedirect(url: string): string {
    const parsed = new URL(url, 'http://any')
    if (parsed.searchParams.get('redirect_uri') !== OOB_REDIRECT) return url
    parsed.searchParams.set('redirect_uri', this.#outOfBandUri())
    return parsed.pathname + parsed.search
  }

  /**
   * cosign and sigstore-python authenticate with HTTP Basic, `sigstore` and an empty secret. This client has no secret, so that says
   * the same as `client_id` in the form; any other credential stays for the provider to refuse. Gives the request as it should have been sent.
   */
  #normalisedPost(request: Request, form: URLSearchParams): IncomingMessage {
    const headers = { ...request.headers }
    if (headers.authorization === `Basic ${Buffer.from(`${CLIENT_ID}:`).toString('base64')}`) {
      delete headers.authorization
      if (!form.has('client_id')) form.set('client_id', CLIENT_ID)
    }
    if (form.get('client_secret') === '') form.delete('client_secret')
    if (form.get('redirect_uri') === OOB_REDIRECT) form.set('redirect_uri', this.#outOfBandUri())
    const body = Buffer.from(form.toString())
    delete headers['transfer-encoding']
    const { method, url, baseUrl, originalUrl } = request
    const sent = Object.assign(new IncomingMessage(request.socket), { method, url, baseUrl, originalUrl })
    sent.headers = { ...headers, 'content-length': String(body.length) }
    sent.complete = true
    sent.push(body)
    sent.push(null)
    return sent
  }
}

async function readForm(request: Request): Promise<URLSearchParams> {
  return new URLSearchParams(Buffer.from(await rawBody(request, FORM_LIMIT_BYTES)).toString('utf8'))
}

/** PostgreSQL's JSON holds no NUL. */
function isUnstorable(target: string): boolean {
  return target.length > TARGET_LIMIT_CHARACTERS || target.includes('%00')
}

function refuse(response: Response): void {
  html(response, 400, errorPage('invalid_request', 'This address or form holds what no client sends.'))
}

function refuseSecret(response: Response): void {
  response.status(401).setHeader('content-type', 'application/json; charset=utf-8')
  response.setHeader('cache-control', 'no-store')
  response.end(JSON.stringify({ error: 'invalid_client', error_description: 'this client has no secret' }))
}

function html(response: Response, status: number, body: string): void {
  response.status(status)
  response.setHeader('content-type', 'text/html; charset=utf-8')
  response.setHeader('cache-control', 'no-store')
  response.setHeader('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
  response.end(body)
}
