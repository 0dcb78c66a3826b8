import { invalidMembers } from './errors.js'
import { stringMember } from './json.js'
import type { JsonObject } from './json.js'

/** A hash as an entry names it. */
export interface NamedHash {
  readonly algorithm: 'sha256'
  readonly value: string
}

const HEX_SHA256 = /^[0-9a-fA-F]{64}$/

export function sha256Hash(hex: string): NamedHash {
  return { algorithm: 'sha256', value: hex }
}

/** Reads a SHA-256 as the schemas have it: `path` is its place in their words. The value is not looked at. Throws ENTRY_V1_INVALID. */
export function readHash(hash: JsonObject, path: string): NamedHash {
  const algorithm = stringMember(hash, 'algorithm')
  if (algorithm === undefined) return invalidMembers(`${path}.algorithm in body is required`)
  if (algorithm !== 'sha256') return invalidMembers(`${path}.algorithm in body should be one of [sha256]`)
  const value = stringMember(hash, 'value')
  if (value === undefined) return invalidMembers(`${path}.value in body is required`)
  return { algorithm, value }
}

/** The same for a hash of a canonical form, whose value must be one. */
export function readHexHash(hash: JsonObject, path: string): NamedHash {
  const read = readHash(hash, path)
  if (!HEX_SHA256.test(read.value)) {
    return invalidMembers(`${path}.value in body should match '^[0-9a-fA-F]{64}$'`)
  }
  return read
}
