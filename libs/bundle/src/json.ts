import * as encoding from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'

export type JsonValue = encoding.JsonValue

export function isJsonObject(value: JsonValue | undefined): value is { readonly [name: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Standard base64 (RFC 4648 §4), or undefined. */
export function base64Decode(text: string): Uint8Array | undefined {
  try {
    return encoding.base64Decode(text)
  } catch (error) {
    if (isCodedError(error)) return undefined
    throw error
  }
}
