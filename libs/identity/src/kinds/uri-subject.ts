import type { SubjectAltName } from '@touchmark/x509'
import { IdentityError } from '../errors.js'
import { parseGoUrl, printGoUrl, type GoUrl } from '../go/url.js'

/** Turns a refusal of the URL parser into one that the client sees. */
export function asSubject<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof IdentityError) || cause.code !== 'IDENTITY_URL_INVALID') throw cause
    throw new IdentityError('IDENTITY_SUBJECT_INVALID', cause.message, { cause })
  }
}

/** A URI name, parsed and printed again as the reference does. Throws IDENTITY_SUBJECT_INVALID. */
export function uriSubject(uri: string | GoUrl): SubjectAltName {
  return { type: 'uri', value: asSubject(() => printGoUrl(typeof uri === 'string' ? parseGoUrl(uri) : uri)) }
}
