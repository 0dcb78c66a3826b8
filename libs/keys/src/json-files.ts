import { utf8Decode } from '@touchmark/encoding'
import { KeysError } from './errors.js'

/** Parses a file of the store; `take` answers undefined, or throws, for what it does not know. Throws KEYS_FILE_INVALID. */
export function readJson<T>(bytes: Uint8Array, path: string, take: (json: unknown) => T | undefined): T {
  let found: T | undefined
  try {
    found = take(JSON.parse(utf8Decode(bytes)))
  } catch (cause) {
    throw new KeysError('KEYS_FILE_INVALID', `${path} is damaged`, { cause })
  }
  if (found === undefined) throw new KeysError('KEYS_FILE_INVALID', `${path} is not a file of this name and version`)
  return found
}

/** The members of an object; nothing for any other value. */
export function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
