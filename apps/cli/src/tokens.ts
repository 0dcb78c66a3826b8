import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { readTokenClaims, type TokenClaims } from '@touchmark/sign'
import type { CliContext } from './context.js'
import { CliError } from './errors.js'
import { exists, readInput, writePrivate } from './files.js'
import { browserLogin, openInBrowser } from './oidc/browser-login.js'
import { deviceLogin } from './oidc/device-login.js'
import { discoverProvider } from './oidc/discovery.js'
import { printable } from './output.js'

/** A token with less life left than this is not begun with. */
const MARGIN_MS = 30_000

export interface TokenOptions {
  /** A token, or a file that holds one. */
  readonly identityToken?: string
  /** Log in on another device even where there is a browser. */
  readonly device?: boolean
}

/** Where a token came from, for people. */
export interface FoundToken {
  readonly token: string
  readonly claims: TokenClaims
  readonly source: 'given' | 'SIGSTORE_ID_TOKEN' | 'kept login' | 'browser' | 'device'
}

/**
 * Finds the identity token: given, then `SIGSTORE_ID_TOKEN`, then a kept login, then a new login with browser or device.
 * Throws SIGN_TOKEN_MALFORMED, CLI_LOGIN_* and what an identity provider's failures throw.
 */
export async function findToken(context: CliContext, issuer: string, options: TokenOptions): Promise<FoundToken> {
  if (options.identityToken !== undefined) return found(await tokenOrFile(options.identityToken), 'given')
  const ambient = context.environment['SIGSTORE_ID_TOKEN']
  if (ambient !== undefined && ambient !== '') return found(ambient.trim(), 'SIGSTORE_ID_TOKEN')
  const kept = await keptToken(context, issuer)
  if (kept !== undefined) return found(kept, 'kept login')
  return login(context, issuer, options)
}

/** Logs in and keeps the token until it expires. */
export async function login(context: CliContext, issuer: string, options: TokenOptions): Promise<FoundToken> {
  const provider = await discoverProvider(issuer, context.http)
  const canBrowse =
    options.device !== true && (context.interactive || context.environment['TOUCHMARK_BROWSER'] !== undefined)
  const token = canBrowse ? await withBrowser(context, provider) : await withDevice(context, provider)
  // A token that cannot be read is not kept.
  const result = found(token, canBrowse ? 'browser' : 'device')
  await keepToken(context, issuer, token)
  return result
}

function withBrowser(context: CliContext, provider: Parameters<typeof browserLogin>[0]): Promise<string> {
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

function withDevice(context: CliContext, provider: Parameters<typeof deviceLogin>[0]): Promise<string> {
  const announce = ({ url, code }: { url: string; code: string }): void =>
    context.err(
      `To log in, open this page on any device:\n  ${printable(url)}\nand check that it shows this code:\n  ${printable(code)}\n`,
    )
  return deviceLogin(provider, { http: context.http, announce })
}

function found(token: string, source: FoundToken['source']): FoundToken {
  return { token, claims: readTokenClaims(token), source }
}

/** A JWT begins with the base64 of `{`, in which it differs from a file name such as `token.prod.txt`. */
async function tokenOrFile(value: string): Promise<string> {
  if (/^e[\w-]+\.[\w-]+\.[\w-]*$/.test(value) && startsAsJwt(value)) return value
  if (!(await exists(value))) {
    throw new CliError('CLI_FILE_UNREADABLE', '--identity-token is neither a token nor a file', {
      hint: 'Give a JWT, or the path of a file that holds one.',
    })
  }
  return Buffer.from(await readInput(value, 128 * 1024))
    .toString('utf8')
    .trim()
}

function startsAsJwt(value: string): boolean {
  return Buffer.from(value.slice(0, 4), 'base64url')[0] === 0x7b
}

function keptFile(context: CliContext, issuer: string): string {
  return join(context.home, 'logins', `${createHash('sha256').update(issuer).digest('hex')}.json`)
}

async function keepToken(context: CliContext, issuer: string, token: string): Promise<void> {
  await writePrivate(keptFile(context, issuer), JSON.stringify({ issuer, token }))
}

async function keptToken(context: CliContext, issuer: string): Promise<string | undefined> {
  const file = keptFile(context, issuer)
  if (!(await exists(file))) return undefined
  try {
    const kept = JSON.parse(Buffer.from(await readInput(file, 128 * 1024)).toString('utf8')) as {
      issuer?: unknown
      token?: unknown
    }
    if (kept.issuer !== issuer || typeof kept.token !== 'string') return undefined
    const { expiresAt } = readTokenClaims(kept.token)
    const alive = expiresAt !== undefined && expiresAt.getTime() - context.clock.now().getTime() > MARGIN_MS
    return alive ? kept.token : undefined
  } catch {
    return undefined // A kept login that cannot be read is as good as none.
  }
}
