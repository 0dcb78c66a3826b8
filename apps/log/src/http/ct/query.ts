import { base64Decode, EncodingError } from '@touchmark/encoding'
import type { Request } from 'express'
import { LogApiError } from '../../errors.js'

/** Query parameters of an RFC 6962 request; others are ignored, of several with one name the first counts. */
export class CtQuery {
  readonly #parameters: URLSearchParams

  constructor(request: Request) {
    const at = request.url.indexOf('?')
    this.#parameters = new URLSearchParams(at < 0 ? '' : request.url.slice(at + 1))
  }

  /** A decimal number below 2^63, without sign and leading zeros. Throws LOG_PARAMETER_INVALID. */
  number(name: string): bigint {
    const text = this.#get(name)
    const value = /^(0|[1-9][0-9]{0,18})$/.test(text) ? BigInt(text) : -1n
    if (value < 0n || value >= 1n << 63n) throw invalid(`parameter "${name}" must be a decimal number`)
    return value
  }

  /** A SHA-256 hash in base64; a `+` that was not escaped, and so reads as a space, is taken. Throws LOG_PARAMETER_INVALID. */
  hash(name: string): Uint8Array {
    let bytes
    try {
      bytes = base64Decode(this.#get(name).replaceAll(' ', '+'))
    } catch (cause) {
      if (!(cause instanceof EncodingError)) throw cause
      throw invalid(`parameter "${name}" must be base64`)
    }
    if (bytes.length !== 32) throw invalid(`parameter "${name}" must be a hash of 32 bytes`)
    return bytes
  }

  #get(name: string): string {
    const value = this.#parameters.get(name)
    if (value === null || value.length > 64) throw invalid(`parameter "${name}" is missing or too long`)
    return value
  }
}

function invalid(text: string): LogApiError {
  return new LogApiError('LOG_PARAMETER_INVALID', text)
}
