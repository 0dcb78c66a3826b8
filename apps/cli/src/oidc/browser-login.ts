import { spawn } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { HttpOptions } from '@touchmark/sign'
import { CliError } from '../errors.js'
import { codeOfRedirect, exchangeCode, startCodeLogin, type CodeLogin } from './code-flow.js'
import type { Provider } from './discovery.js'

const WAIT_MS = 180_000
const PAGE = (title: string, text: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><style>body{font:18px/1.5 system-ui;margin:15vh auto;max-width:32em;padding:0 1em}</style><h1>${title}</h1><p>${text}</p></html>`

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
 * answer, and only at its own path. Resolves with the ID token. Throws CLI_LOGIN_*.
 */
export async function browserLogin(provider: Provider, options: BrowserLoginOptions): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  try {
    const login = startCodeLogin(provider, `http://localhost:${(server.address() as AddressInfo).port}/auth/callback`)
    const code = waitForCode(server, login, options.waitMs ?? WAIT_MS)
    code.catch(() => undefined)
    options.announce(login.url, await options.open(login.url))
    return await exchangeCode(provider, login, await code, options.http)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

function waitForCode(server: Server, login: CodeLogin, waitMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new CliError('CLI_LOGIN_TIMEOUT', `nobody logged in within ${waitMs / 1000} s`)),
      waitMs,
    )
    let answered = false
    server.on('request', (request, response) => {
      const url = new URL(request.url ?? '/', 'http://localhost')
      const html = { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }
      if (request.method !== 'GET' || url.pathname !== '/auth/callback')
        return void response.writeHead(404, html).end(PAGE('Nothing here', ''))
      if (answered)
        return void response.writeHead(400, html).end(PAGE('Already answered', 'This login has had its answer.'))
      answered = true
      clearTimeout(timer)
      try {
        const code = codeOfRedirect(login, url.searchParams)
        response
          .writeHead(200, html)
          .end(PAGE('You are logged in', 'You can close this page and go back to the terminal.'), () => resolve(code))
      } catch (error) {
        response.writeHead(400, html).end(PAGE('Not logged in', 'The terminal says why.'), () => reject(error as Error))
      }
    })
  })
}

/** Opens a URL with the desktop's own opener. Resolves false when there is no desktop or no opener. */
export function openInBrowser(url: string, environment: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  const opener = process.platform === 'darwin' ? 'open' : process.platform === 'win32' ? 'explorer.exe' : 'xdg-open'
  const desktop =
    process.platform !== 'linux' || (environment['DISPLAY'] ?? environment['WAYLAND_DISPLAY'] ?? '') !== ''
  if (!desktop) return Promise.resolve(false)
  return new Promise((resolve) => {
    const child = spawn(opener, [url], { stdio: 'ignore', detached: true })
    child.once('error', () => resolve(false))
    child.once('spawn', () => resolve(true))
    child.unref()
  })
}
