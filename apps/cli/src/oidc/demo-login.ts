import { send, type HttpOptions } from '@touchmark/sign'
import { CliError } from '../errors.js'
import { codeOfRedirect, exchangeCode, startCodeLogin } from './code-flow.js'
import type { Provider } from './discovery.js'

const REDIRECT = 'http://localhost/auth/callback'
const MOST_STEPS = 10
const MOST_PAGE_BYTES = 200_000

/**
 * Logs in at Touchmark's demonstration issuer as a person would, page by page, with no browser: the real authorization code flow with PKCE,
 * the form filled in. Any issuer that does not say that it is the demonstration one is refused (CLI_NOT_DEMO): no real password belongs here.
 */
export async function demoLogin(
  provider: Provider,
  who: { email: string; name: string },
  http: HttpOptions,
): Promise<string> {
  if (!provider.demo) {
    throw new CliError('CLI_NOT_DEMO', `${provider.issuer} is not the demonstration issuer of a Touchmark instance`, {
      hint: 'This command makes up identities, which only the demonstration issuer allows. Use `touchmark login` instead.',
    })
  }
  const login = startCodeLogin(provider, REDIRECT)
  const origin = new URL(provider.issuer).origin
  const cookies = new Map<string, string>()
  let url = login.url
  let form: URLSearchParams | undefined
  for (let step = 0; step < MOST_STEPS; step++) {
    if (url.startsWith(`${REDIRECT}?`)) {
      const code = codeOfRedirect(provider, login, new URL(url).searchParams)
      return (await exchangeCode(provider, login, code, http)).idToken
    }
    if (new URL(url).origin !== origin)
      throw new CliError('CLI_LOGIN_FAILED', 'the demonstration issuer led to another host')
    const page = await visit(url, form, cookies, http)
    form = undefined
    if (page.location !== undefined) {
      url = absolute(page.location, url)
      continue
    }
    const filled = fillForm(page.html, who)
    url = absolute(filled.action, url)
    form = filled.fields
  }
  throw new CliError('CLI_LOGIN_FAILED', 'the demonstration issuer asked for too many steps')
}

function absolute(reference: string, base: string): string {
  if (URL.canParse(reference, base)) return new URL(reference, base).href
  throw new CliError('CLI_LOGIN_FAILED', 'the demonstration issuer led to something that is no URL')
}

async function visit(
  url: string,
  form: URLSearchParams | undefined,
  cookies: Map<string, string>,
  http: HttpOptions,
): Promise<{ location: string | undefined; html: string }> {
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const headers: Record<string, string> = { accept: 'text/html', ...(cookie === '' ? {} : { cookie }) }
  if (form !== undefined) headers['content-type'] = 'application/x-www-form-urlencoded'
  const init = {
    method: form === undefined ? 'GET' : 'POST',
    headers,
    redirect: 'manual' as const,
  }
  // A form is sent once: a lost answer means a new login.
  const answer = await send(
    'demonstration issuer',
    url,
    form === undefined ? init : { ...init, body: form.toString() },
    { ...http, tries: 1 },
  )
  for (const line of answer.headers.getSetCookie()) {
    const [name, value] = line.split(';', 1)[0]!.split(/=(.*)/s)
    if (name !== undefined && value !== undefined) cookies.set(name, value)
  }
  if (answer.status >= 400) throw new CliError('CLI_LOGIN_FAILED', `the demonstration issuer answered ${answer.status}`)
  const html = new TextDecoder().decode(answer.body.subarray(0, MOST_PAGE_BYTES))
  return { location: answer.headers.get('location') ?? undefined, html }
}

/** Fills the first form of a page: hidden fields as they are, `email` and `name` with ours. */
function fillForm(html: string, who: { email: string; name: string }): { action: string; fields: URLSearchParams } {
  const action = /<form[^>]*\saction="([^"]*)"/.exec(html)?.[1]
  if (action === undefined)
    throw new CliError('CLI_LOGIN_FAILED', 'the demonstration issuer showed a page without a form')
  const fields = new URLSearchParams()
  for (const [input] of html.matchAll(/<input[^>]*>/g)) {
    const name = /\sname="([^"]*)"/.exec(input)?.[1]
    if (name === undefined) continue
    fields.set(unescapeHtml(name), unescapeHtml(/\svalue="([^"]*)"/.exec(input)?.[1] ?? ''))
  }
  fields.set('email', who.email)
  fields.set('name', who.name)
  return { action: unescapeHtml(action), fields }
}

function unescapeHtml(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}
