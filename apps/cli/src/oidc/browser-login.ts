import { spawn } from 'node:child_process'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpOptions } from '@touchmark/sign'
import { CliError } from '../errors.js'
import { codeOfRedirect, exchangeCode, startCodeLogin, type CodeLogin } from './code-flow.js'
import type { Provider } from './discovery.js'
import type { Grant } from './id-token.js'
import { listenOnLoopback } from './loopback.js'

const WAIT_MS = 180_000
const CALLBACK_PATH = '/auth/callback'
const HTML = { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }
const PAGE = (title: string, text: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><style>body{font:17px/1.5 system-ui,sans-serif;margin:0;background:#f4f1ea;color:#1d1b16}main{max-width:26em;margin:15vh auto 0;background:#fff;padding:1.5em 2em 2em;border-radius:8px;box-shadow:0 1px 4px #0003}h1{font-size:1.35em;margin:.2em 0 .6em}</style><main><h1>${title}</h1><p>${text}</p></main></html>`

export interface BrowserLoginOptions {
  readonly http: HttpOptions
  /** Opens the URL for the person; resolves false when that cannot be done. */
  readonly open: (url: string) => Promise<boolean>
  /** Told the URL, so that a person can open it by hand. */
  readonly announce: (url: string, opened: boolean) => void
  readonly waitMs?: number
}

/**
 * Logs in with the person's browser: the provider redirects to a listener on a free loopback port (RFC 8252 §7.3) that takes exactly one
 * answer, and only at its own path. Throws CLI_LOGIN_* and what the token endpoint's failures throw.
 */
export async function browserLogin(provider: Provider, options: BrowserLoginOptions): Promise<Grant> {
  const waitMs = options.waitMs ?? WAIT_MS
  const callback = new Callback(provider)
  const listener = await listenOnLoopback((request, response) => callback.take(request, response))
  const timer = setTimeout(() => callback.giveUp(waitMs), waitMs)
  try {
    const login = startCodeLogin(provider, `http://localhost:${listener.port}${CALLBACK_PATH}`)
    const code = callback.codeFor(login)
    options.announce(login.url, await options.open(login.url))
    return await exchangeCode(provider, login, await code, options.http)
  } finally {
    clearTimeout(timer)
    listener.close()
  }
}

/** The one answer that a login waits for. */
class Callback {
  readonly #provider: Provider
  #login: CodeLogin | undefined
  #resolve: (code: string) => void = () => undefined
  #reject: (error: unknown) => void = () => undefined

  constructor(provider: Provider) {
    this.#provider = provider
  }

  codeFor(login: CodeLogin): Promise<string> {
    this.#login = login
    const code = new Promise<string>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // It may be rejected before anybody awaits it.
    code.catch(() => undefined)
    return code
  }

  giveUp(waitMs: number): void {
    this.#reject(new CliError('CLI_LOGIN_TIMEOUT', `nobody logged in within ${waitMs / 1000} s`))
  }

  take(request: IncomingMessage, response: ServerResponse): void {
    const [path, query = ''] = (request.url ?? '').split('?', 2)
    if (request.method !== 'GET' || path !== CALLBACK_PATH)
      return void response.writeHead(404, HTML).end(PAGE('Nothing here', ''))
    const login = this.#login
    this.#login = undefined
    if (login === undefined)
      return void response.writeHead(400, HTML).end(PAGE('Already answered', 'This login has had its answer.'))
    try {
      const code = codeOfRedirect(this.#provider, login, new URLSearchParams(query))
      const page = PAGE('You are logged in', 'Close this page and go back to the terminal, which goes on from here.')
      this.#settle(response, 200, page, () => this.#resolve(code))
    } catch (error) {
      this.#settle(
        response,
        400,
        PAGE('Not logged in', 'The terminal says why, and what to do. You can close this page.'),
        () => this.#reject(error),
      )
    }
  }

  /** The person's page is delivered before the listener closes; a browser that has gone away is not waited for. */
  #settle(response: ServerResponse, status: number, page: string, settle: () => void): void {
    response.once('close', settle)
    response.writeHead(status, { ...HTML, connection: 'close' }).end(page)
  }
}

/** Opens a URL with the desktop's own opener. Resolves false when there is no desktop or no opener. */
export function openInBrowser(url: string, environment: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  const opener = process.platform === 'darwin' ? 'open' : process.platform === 'win32' ? 'explorer.exe' : 'xdg-open'
  const desktop =
    process.platform !== 'linux' || (environment['DISPLAY'] ?? environment['WAYLAND_DISPLAY'] ?? '') !== ''
  if (!desktop) return Promise.resolve(false)
  return new Promise((resolve) => {
    const child = spawn(opener, [url], { stdio: 'ignore', detached: true, env: environment })
    child.once('error', () => resolve(false))
    child.once('spawn', () => resolve(true))
    child.unref()
  })
}
