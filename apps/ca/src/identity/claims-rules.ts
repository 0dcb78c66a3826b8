import type { JsonValue } from '@touchmark/encoding'
import { refuseToken } from './token-shape.js'

/** A client's clock may be this much ahead of ours (what go-oidc and Azure allow). */
const NOT_BEFORE_LEEWAY_MS = 5 * 60 * 1000
/** 9999-12-31: what a Date and a certificate can hold. */
const LAST_SECOND = 253_402_300_799

export interface ClaimsRules {
  readonly issuer: string
  /** An issuer without one accepts nothing. */
  readonly audience: string
  readonly now: Date
}

/**
 * The registered claims (ca.md §5.5): `iss` equal, `aud` contains our audience, `exp` there and not passed (no leeway), `nbf` at most five
 * minutes ahead; `iat` is not judged but must be a time, `sub` a string where it is there. Answers when the token ends. Throws CA_TOKEN_REFUSED.
 */
export function checkClaims(claims: Readonly<Record<string, JsonValue>>, rules: ClaimsRules): Date {
  const claim = (name: string): JsonValue | undefined => (Object.hasOwn(claims, name) ? claims[name] : undefined)
  if (claim('iss') !== rules.issuer) refuseToken('the token is of another issuer')
  for (const name of ['sub', 'nonce', 'at_hash']) {
    const value = claim(name)
    if (value !== undefined && value !== null && typeof value !== 'string') refuseToken(`${name} is not a string`)
  }
  checkAudience(claim('aud'), rules.audience)
  const now = rules.now.getTime()
  const expires = claim('exp')
  if (expires === undefined) refuseToken('the token has no exp')
  const expiresAt = secondsOf(expires, 'exp') * 1000
  if (expiresAt < now) refuseToken('the token has expired')
  const notBefore = claim('nbf')
  if (notBefore !== undefined && notBefore !== null) {
    if (secondsOf(notBefore, 'nbf') * 1000 > now + NOT_BEFORE_LEEWAY_MS) refuseToken('the token is not valid yet')
  }
  const issuedAt = claim('iat')
  if (issuedAt !== undefined) secondsOf(issuedAt, 'iat')
  return new Date(expiresAt)
}

function checkAudience(audience: JsonValue | undefined, wanted: string): void {
  if (wanted === '') refuseToken('the issuer has no client-id')
  const all = typeof audience === 'string' ? [audience] : audience
  if (!Array.isArray(all) || !all.every((one) => typeof one === 'string')) {
    return refuseToken('aud is neither a string nor a list of strings')
  }
  if (!all.includes(wanted)) refuseToken('the token is for another audience')
}

/** Whole seconds of a NumericDate, which may be a fraction or a numeric string; cut, not rounded. */
function secondsOf(value: JsonValue, name: string): number {
  const numeric = typeof value === 'string' && /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(value)
  const seconds = typeof value === 'number' ? value : numeric ? Number(value) : Number.NaN
  if (!(Math.abs(seconds) <= LAST_SECOND)) refuseToken(`${name} is not a time`)
  return Math.trunc(seconds)
}
