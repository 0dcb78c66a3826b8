import type { Claims } from '../principal.js'
import { IdentityError } from '../errors.js'

export function refuse(why: string): never {
  throw new IdentityError('IDENTITY_CLAIMS_REFUSED', why)
}

/** A claim that is a string, or the empty string when it is absent or null. Another type is refused. */
export function optionalText(claims: Claims, name: string): string {
  const value = Object.hasOwn(claims, name) ? claims[name] : null
  if (value === null || value === undefined) return ''
  if (typeof value !== 'string') return refuse(`the claim ${name} is not a string`)
  return value
}

/** A claim that must be a non-empty string. */
export function requiredText(claims: Claims, name: string): string {
  const value = optionalText(claims, name)
  if (value === '') refuse(`the claim ${name} is missing`)
  return value
}

/** A claim that is an object of claims, or an empty one when it is absent or null. */
export function optionalObject(claims: Claims, name: string): Claims {
  const value = Object.hasOwn(claims, name) ? claims[name] : null
  if (value === null || value === undefined) return {}
  if (typeof value !== 'object' || Array.isArray(value)) return refuse(`the claim ${name} is not an object`)
  return value as Claims
}

/**
 * `email_verified`: true, "true" or "True" (ca.md §5). Absent is false; any other spelling, null and numbers are errors even where the claim
 * is not asked for.
 */
export function emailVerified(claims: Claims): boolean {
  if (!Object.hasOwn(claims, 'email_verified')) return false
  const value = claims['email_verified']
  if (value === true || value === 'true' || value === 'True') return true
  if (value === false || value === 'false' || value === 'False') return false
  return refuse('the claim email_verified is not a boolean')
}
