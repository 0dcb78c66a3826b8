import { createHash } from 'node:crypto'
import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { parseJson } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { readTokenClaims } from '@touchmark/sign'
import type { CliContext } from './context.js'
import { writePrivate } from './files.js'
import { CLIENT_ID } from './oidc/discovery.js'
import type { Grant } from './oidc/id-token.js'
import { withLock } from './oidc/login-lock.js'
import { readPrivate } from './private-file.js'

/** A token with less life left than this is not begun with. */
const MARGIN_MS = 30_000
const LIMIT_BYTES = 128 * 1024

/** Which login: each issuer and client has one. */
export interface LoginPlace {
  readonly issuer: string
  readonly clientId: string
}

export interface KeptLogin {
  readonly token: string
  readonly refreshToken: string | undefined
}

export type KeptState =
  | { readonly state: 'absent' }
  /** Others could get at the file: it is not used. */
  | { readonly state: 'open'; readonly file: string; readonly why: string }
  | { readonly state: 'kept'; readonly login: KeptLogin; readonly alive: boolean }

/** Where a login is kept. */
export function keptFile(context: CliContext, { issuer, clientId }: LoginPlace): string {
  const name = clientId === CLIENT_ID ? issuer : `${issuer} ${clientId}`
  return join(context.home, 'logins', `${createHash('sha256').update(name).digest('hex')}.json`)
}

/** Keeps a login for its owner alone; whole or not at all. Throws CLI_FILE_UNWRITABLE. */
export async function keepLogin(context: CliContext, place: LoginPlace, grant: Grant): Promise<void> {
  const { idToken: token, refreshToken } = grant
  await writePrivate(keptFile(context, place), JSON.stringify({ ...place, token, refreshToken }))
}

/** Forgets a login; without one, nothing happens. Resolves true when there was one. */
export async function forgetLogin(context: CliContext, place: LoginPlace): Promise<boolean> {
  return unlink(keptFile(context, place)).then(
    () => true,
    () => false,
  )
}

/** Reads what is kept. A file that says nothing readable is as good as none. */
export async function readKept(context: CliContext, place: LoginPlace): Promise<KeptState> {
  const file = keptFile(context, place)
  const read = await readPrivate(file, LIMIT_BYTES)
  if (read.state === 'open') return { state: 'open', file, why: read.why }
  if (read.state === 'absent') return read
  const login = parseKept(read.text, place)
  if (login === undefined) return { state: 'absent' }
  const expiresAt = expiryOf(login.token)
  const alive = expiresAt !== undefined && expiresAt.getTime() - context.clock.now().getTime() > MARGIN_MS
  return { state: 'kept', login, alive }
}

function parseKept(text: string, { issuer, clientId }: LoginPlace): KeptLogin | undefined {
  try {
    const kept = parseJson(Buffer.from(text), { trailing: 'refuse' }) as Readonly<Record<string, unknown>> | null
    if (kept === null || kept['issuer'] !== issuer || (kept['clientId'] ?? CLIENT_ID) !== clientId) return undefined
    const { token, refreshToken } = kept
    if (typeof token !== 'string') return undefined
    readTokenClaims(token)
    return { token, refreshToken: typeof refreshToken === 'string' ? refreshToken : undefined }
  } catch (error) {
    if (isCodedError(error)) return undefined
    throw error
  }
}

function expiryOf(token: string): Date | undefined {
  return readTokenClaims(token).expiresAt
}

/**
 * Runs one refresh at a time: a provider that changes refresh tokens takes the second use of one for theft, and ends the login. Who waits here looks
 * again at what is kept afterwards. `work` MUST be one request, asked once, and nothing that waits for a person or for other requests.
 */
export function lockedLogin<T>(context: CliContext, place: LoginPlace, work: () => Promise<T>): Promise<T> {
  return withLock(`${keptFile(context, place)}.lock`, context.http, work)
}
