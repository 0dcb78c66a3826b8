import { parseJson } from '@touchmark/encoding'
import { excerpt, send, type HttpAnswer } from '@touchmark/sign'
import { CliError } from '../errors.js'
import type { AmbientOutside } from './provider.js'

/** No token service needs longer for one answer; `send` asks again when it was busy. */
const TIMEOUT_MS = 10_000
/** Twice the largest token that is read. */
export const ANSWER_LIMIT_BYTES = 128 * 1024
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/**
 * Asks a token service. The address must be https, or http on this machine, since a bearer goes there; redirects are refused by `send`.
 * An answer other than 200 is refused with what was said. Throws CLI_AMBIENT_REFUSED and SIGN_SERVICE_*.
 */
export async function askService(
  service: string,
  url: string,
  init: RequestInit,
  outside: AmbientOutside,
): Promise<HttpAnswer> {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const safe =
    parsed?.protocol === 'https:' || (parsed?.protocol === 'http:' && LOOPBACK.test(parsed.hostname) === true)
  if (!safe)
    throw new CliError('CLI_AMBIENT_REFUSED', `the address of the ${service} is not one that a secret may be sent to`, {
      expected: 'an https URL',
      found: parsed === undefined ? 'no URL' : parsed.origin,
    })
  return askPlain(service, url, init, outside)
}

/** The same for an address that is fixed, and that no secret is sent to. */
export async function askPlain(
  service: string,
  url: string,
  init: RequestInit,
  outside: AmbientOutside,
): Promise<HttpAnswer> {
  const answer = await send(service, url, init, {
    ...outside.http,
    timeoutMs: Math.min(outside.http.timeoutMs, TIMEOUT_MS),
    answerLimitBytes: ANSWER_LIMIT_BYTES,
  })
  if (answer.status === 200) return answer
  throw new CliError('CLI_AMBIENT_REFUSED', `the ${service} gave no token (${answer.status})`, {
    found: excerpt(answer.body),
  })
}

/** A text member of a JSON answer. What was answered is not shown: it may hold a token under another name. Throws CLI_AMBIENT_REFUSED. */
export function memberOf(service: string, answer: HttpAnswer, name: string): string {
  const refused = (cause?: unknown): CliError =>
    new CliError('CLI_AMBIENT_REFUSED', `the ${service} did not answer with a token`, {
      cause,
      expected: `a JSON object with "${name}"`,
    })
  let value
  try {
    value = parseJson(answer.body, { trailing: 'refuse' })
  } catch (cause) {
    throw refused(cause)
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw refused()
  const member = (value as Readonly<Record<string, unknown>>)[name]
  if (typeof member !== 'string' || member === '') throw refused()
  return member
}
