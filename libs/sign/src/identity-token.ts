import { base64Decode, parseJson, type JsonValue } from '@touchmark/encoding'
import { SignError } from './errors.js'

/** What the client reads from a token, unverified: the CA verifies it. */
export interface TokenClaims {
  readonly issuer: string
  readonly subject: string | undefined
  readonly email: string | undefined
  /** The name that the proof of possession signs: the e-mail when there is one, else the subject (contract of the CA, §3). */
  readonly principal: string
  readonly audiences: readonly string[]
  readonly expiresAt: Date | undefined
}

const TOKEN_LIMIT_CHARS = 64 * 1024

/** Reads the claims of a JWT. Throws SIGN_TOKEN_MALFORMED, or SIGN_EMAIL_NOT_VERIFIED as every Go and JS client does. */
export function readTokenClaims(token: string): TokenClaims {
  const claims = tokenPayload(token)
  const issuer = text(claims['iss'])
  if (issuer === undefined) throw new SignError('SIGN_TOKEN_MALFORMED', 'the identity token names no issuer')
  const email = text(claims['email'])
  const subject = text(claims['sub'])
  if (email !== undefined && claims['email_verified'] !== true && claims['email_verified'] !== 'true') {
    throw new SignError('SIGN_EMAIL_NOT_VERIFIED', `the issuer has not verified the e-mail address of this token`, {
      found: `email_verified: ${JSON.stringify(claims['email_verified'] ?? null)}`,
      hint: 'Verify the address at the identity provider, or use a token without an e-mail claim.',
    })
  }
  const principal = email ?? subject
  if (principal === undefined)
    throw new SignError('SIGN_TOKEN_MALFORMED', 'the identity token names neither e-mail nor subject')
  const audience = claims['aud']
  const audiences = (Array.isArray(audience) ? audience : [audience]).filter(
    (one): one is string => typeof one === 'string',
  )
  return {
    issuer,
    subject,
    email,
    principal,
    audiences,
    expiresAt: instant(claims['exp']),
  }
}

/** The members of a JWT's payload; its signature is the CA's to verify. Throws SIGN_TOKEN_MALFORMED. */
export function tokenPayload(token: string): Readonly<Record<string, JsonValue>> {
  const malformed = (cause?: unknown): SignError =>
    new SignError('SIGN_TOKEN_MALFORMED', 'the identity token is not a JWT', {
      cause,
      hint: 'Give the token itself, or a file that holds nothing else.',
    })
  if (token.length > TOKEN_LIMIT_CHARS) throw malformed()
  const parts = token.split('.', 4)
  if (parts.length !== 3) throw malformed()
  try {
    const value = parseJson(base64Decode(parts[1]!, { alphabet: 'url', padding: 'none' }), { trailing: 'refuse' })
    if (value === null || typeof value !== 'object' || Array.isArray(value)) throw malformed()
    return value as Readonly<Record<string, JsonValue>>
  } catch (cause) {
    throw cause instanceof SignError ? cause : malformed(cause)
  }
}

function text(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** A NumericDate (RFC 7519 §2); undefined for what no Date can hold. */
function instant(seconds: JsonValue | undefined): Date | undefined {
  const date = new Date(typeof seconds === 'number' ? seconds * 1000 : Number.NaN)
  return Number.isNaN(date.getTime()) ? undefined : date
}
