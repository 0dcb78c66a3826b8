import { base64Decode, parseJson, type JsonValue } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { CaError } from '../errors.js'

/** A token over this is nobody's; read before anything is allocated for it (CVE-2025-66506). */
export const MAX_TOKEN_LENGTH = 64 * 1024
const MAX_DEPTH = 32

/** A token as it reads, before anything about it is known to be true. */
export interface UnverifiedToken {
  /** The compact serialisation. */
  readonly compact: string
  readonly algorithm: string
  readonly keyId: string | undefined
  readonly claims: Readonly<Record<string, JsonValue>>
  /** Decides which issuer's keys are tried, and nothing else. */
  readonly issuer: string
}

export function refuseToken(why: string, cause?: unknown): never {
  throw new CaError('CA_TOKEN_REFUSED', why, cause === undefined ? {} : { cause })
}

/** A compact JWS whose signature can be tried: nothing in it is true yet. */
export interface SignedParts {
  readonly compact: string
  readonly algorithm: string
  readonly keyId: string | undefined
  readonly payload: Uint8Array
}

/**
 * Reads a compact JWS by strict rules: at most 64 KiB, exactly two dots, base64url without padding, a header that is JSON without duplicate
 * members, no `crit`, no unencoded payload. Of the header only `alg` and `kid` are ever used: keys and addresses that a token brings along
 * (`jwk`, `jku`, `x5c`, `x5u`) mean nothing. Throws CA_TOKEN_REFUSED.
 */
export function readSignedParts(compact: string): SignedParts {
  if (compact === '') refuseToken('there is no token')
  if (compact.length > MAX_TOKEN_LENGTH) refuseToken(`the token is longer than ${MAX_TOKEN_LENGTH} characters`)
  const first = compact.indexOf('.')
  const second = compact.indexOf('.', first + 1)
  // Counted, not split: a string of dots alone would make as many parts as it is long (CVE-2025-30204).
  if (first < 0 || second < 0 || compact.indexOf('.', second + 1) >= 0) refuseToken('a token has exactly two dots')
  const header = readObject(decodePart(compact.slice(0, first), 'header'), 'header')
  const payload = decodePart(compact.slice(first + 1, second), 'payload')
  decodePart(compact.slice(second + 1), 'signature')
  if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64')) refuseToken('the header asks for an extension')
  const { alg, kid } = header
  if (typeof alg !== 'string') refuseToken('the header has no alg')
  if (kid !== undefined && typeof kid !== 'string') refuseToken('the header has a kid that is not a string')
  return { compact, algorithm: alg, keyId: kid === '' ? undefined : kid, payload }
}

/** {@link readSignedParts}, and claims that are JSON without duplicate members and name an issuer. Throws CA_TOKEN_REFUSED. */
export function readToken(compact: string): UnverifiedToken {
  const { payload, ...parts } = readSignedParts(compact)
  const claims = readObject(payload, 'payload')
  const issuer = Object.hasOwn(claims, 'iss') ? claims['iss'] : undefined
  if (typeof issuer !== 'string' || issuer === '') refuseToken('the token has no iss')
  return { ...parts, claims, issuer }
}

function decodePart(text: string, name: string): Uint8Array {
  try {
    return base64Decode(text, { alphabet: 'url', padding: 'none' })
  } catch (cause) {
    return refuseToken(`the token's ${name} is not base64url`, cause)
  }
}

function readObject(bytes: Uint8Array, name: string): Readonly<Record<string, JsonValue>> {
  let value: JsonValue
  try {
    value = parseJson(bytes, { maxDepth: MAX_DEPTH })
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    return refuseToken(`the token's ${name} is not JSON: ${cause.message}`, cause)
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    return refuseToken(`the token's ${name} is not an object`)
  }
  return value as Readonly<Record<string, JsonValue>>
}
