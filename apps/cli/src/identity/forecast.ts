import { findIssuer, principalOf, type IssuerConfiguration } from '@touchmark/identity'
import { isCodedError } from '@touchmark/errors'
import { tokenPayload } from '@touchmark/sign'
import type { FoundToken } from '../tokens.js'

/** What a certificate for a token would say, by the rules of the CA that would issue it. */
export type Forecast =
  | {
      readonly state: 'known'
      /** The one subjectAltName, and its kind. */
      readonly name: string
      readonly kind: string
      readonly issuer: string
      /** Extensions by name, beside the issuer. */
      readonly extensions: Readonly<Record<string, string>>
    }
  /** The CA does not say all of its rules. */
  | { readonly state: 'unknown'; readonly why: string }
  | {
      readonly state: 'refused'
      readonly why: string
      readonly expected?: string
      readonly found?: string
      readonly hint: string
    }

const CLOCK_LEEWAY_MS = 60_000

/**
 * Says what the CA would make of a token, as far as it can be known without asking: times, issuer, audience and the rules of the issuer's kind. The
 * signature is not looked at. `configuration` is what {@link readCaConfiguration} read.
 */
export function forecast({ token, claims }: FoundToken, configuration: IssuerConfiguration, now: Date): Forecast {
  const refused = timesRefused(claims.expiresAt, now)
  if (refused !== undefined) return refused
  const issuer = findIssuer(configuration, claims.issuer)
  if (issuer === undefined) {
    const known = configuration.issuers.map(({ url }) => url)
    return {
      state: 'refused',
      why: 'the CA does not take tokens of this issuer',
      expected: known.slice(0, 10).join(', ') || 'none: no issuer is set up',
      found: claims.issuer,
      hint: 'Use a token of an issuer that it takes, or have its operator add this one (--issuers).',
    }
  }
  if (issuer.clientId !== '' && !claims.audiences.includes(issuer.clientId)) {
    return {
      state: 'refused',
      why: 'the CA takes tokens of this issuer for another audience only',
      expected: issuer.clientId,
      found: claims.audiences.join(', ') || 'none',
      hint: `Get a token for that audience; for logins and CI systems: --oidc-client-id ${issuer.clientId}, if you know it to be the CA's own.`,
    }
  }
  if (issuer.type === 'ci-provider')
    return { state: 'unknown', why: 'the CA makes the names for this issuer with templates that it does not publish' }
  try {
    const principal = principalOf(tokenPayload(token), issuer, configuration)
    return {
      state: 'known',
      name: principal.subject.value,
      kind: principal.subject.type,
      issuer: principal.issuer,
      extensions: Object.fromEntries(Object.entries(principal.extensions).filter(([, value]) => value !== '')),
    }
  } catch (error) {
    if (!isCodedError(error)) throw error
    return {
      state: 'refused',
      why: `the CA takes this issuer's tokens as kind ${issuer.type}, and this one does not fit`,
      found: error.message,
      hint: 'Use another token of this issuer, or ask the operator of the CA.',
    }
  }
}

function timesRefused(expiresAt: Date | undefined, now: Date): Forecast | undefined {
  if (expiresAt !== undefined && expiresAt.getTime() + CLOCK_LEEWAY_MS > now.getTime()) return undefined
  return {
    state: 'refused',
    why: expiresAt === undefined ? 'the token does not say when it expires' : 'the token has expired',
    ...(expiresAt === undefined ? {} : { expected: `later than ${now.toISOString()}`, found: expiresAt.toISOString() }),
    hint: 'Get a fresh token: touchmark login, or from the system that made this one.',
  }
}
