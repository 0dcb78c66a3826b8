import type { DerReader } from '@touchmark/encoding'
import { readDer, TAG, utf8Decode } from '@touchmark/encoding'
import { refusedAs, TimestampError } from './errors.js'
import { readToken, type TimestampToken } from './signed-data.js'

/** Tokens are a few hundred to a few thousand bytes; the limit is read before anything is parsed. */
export const MAX_RESPONSE_BYTES = 64 * 1024

const MAX_STATUS_TEXTS = 16

/** TimeStampResp (RFC 3161 §2.4.2). */
export interface TimestampResponse {
  /** PKIStatus: 0 granted, 1 granted with changes, 2 rejected … */
  readonly status: number
  readonly statusText: readonly string[]
  /** Content of the failInfo BIT STRING. */
  readonly failInfo?: Uint8Array
  readonly token?: TimestampToken
}

/**
 * Reads a TimeStampResp in strict DER. Nothing is verified: not the status, no signature, not the TSTInfo inside.
 * Throws TIMESTAMP_RESPONSE_INVALID or TIMESTAMP_CONTENT_TYPE.
 */
export function parseTimestampResponse(der: Uint8Array): TimestampResponse {
  checkSize(der)
  return refusedAs('TIMESTAMP_RESPONSE_INVALID', 'timestamp response', () => readDer(der, readResponse))
}

/** Reads a bare token, a ContentInfo, as {@link parseTimestampResponse} does. */
export function parseTimestampToken(der: Uint8Array): TimestampToken {
  checkSize(der)
  return refusedAs('TIMESTAMP_RESPONSE_INVALID', 'timestamp token', () => readDer(der, readToken))
}

function checkSize(der: Uint8Array): void {
  if (der.length > MAX_RESPONSE_BYTES)
    throw new TimestampError(
      'TIMESTAMP_RESPONSE_INVALID',
      `timestamp response of more than ${MAX_RESPONSE_BYTES} bytes`,
    )
}

function readResponse(outer: DerReader): TimestampResponse {
  const reader = outer.sequence()
  const info = reader.sequence()
  const status = info.smallInteger()
  const texts = info.enterOptional(TAG.sequence)
  const statusText: string[] = []
  while (texts !== undefined && !texts.done) {
    if (statusText.length === MAX_STATUS_TEXTS)
      throw new TimestampError('TIMESTAMP_RESPONSE_INVALID', `more than ${MAX_STATUS_TEXTS} status texts`)
    statusText.push(utf8Decode(texts.element(TAG.utf8String).content))
  }
  if (texts !== undefined && statusText.length === 0)
    throw new TimestampError('TIMESTAMP_RESPONSE_INVALID', 'the list of status texts is empty')
  const failInfo = info.optional(TAG.bitString)?.content
  info.end()
  const token = reader.done ? undefined : readToken(reader)
  reader.end()
  return {
    status,
    statusText,
    ...(failInfo === undefined ? {} : { failInfo }),
    ...(token === undefined ? {} : { token }),
  }
}
