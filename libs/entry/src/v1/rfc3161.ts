import type { CryptoPort } from '@touchmark/crypto'
import { DerReader, utf8Encode } from '@touchmark/encoding'
import { isCodedError } from '@touchmark/errors'
import { parseTimestampResponse, verifyEmbeddedSigners } from '@touchmark/timestamp'
import { decodeBase64 } from './base64.js'
import type { KindContext, KindEntry } from './canonicalise.js'
import { invalid, invalidMembers } from './errors.js'
import { objectMember, stringMember } from './json.js'

const MAX_TSR_BYTES = 10_240
/** granted, grantedWithMods. */
const GRANTED = [0, 1]

/**
 * rfc3161 0.0.1 (log-v1.md §6): a timestamp response whose signature is right by the certificate inside it. Bytes behind its DER are kept.
 * Throws ENTRY_V1_INVALID.
 */
export function rfc3161Entry({ spec, crypto }: KindContext): KindEntry {
  const tsr = objectMember(spec, 'tsr')
  if (tsr === undefined) return invalidMembers('tsr in body is required')
  const sent = stringMember(tsr, 'content')
  if (sent === undefined || sent === '') return invalidMembers('tsr.tsr.content in body is required')
  const content = decodeBase64(sent, 'tsr content')
  if (content.bytes.length > MAX_TSR_BYTES) return invalid('tsr exceeds maximum allowed size (10kB)')
  checkResponse(content.bytes, crypto)
  const body = `{"apiVersion":"0.0.1","kind":"rfc3161","spec":{"tsr":{"content":"${content.text}"}}}`
  return { body: utf8Encode(body) }
}

function checkResponse(bytes: Uint8Array, crypto: CryptoPort): void {
  let response
  try {
    response = parseTimestampResponse(new DerReader(bytes).any().bytes)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    return invalid(`asn1: ${cause.message}`, cause)
  }
  const { status, token } = response
  if (!GRANTED.includes(status)) return invalid(`tsr status not granted: ${status}`)
  if (token === undefined) return invalid('tsr verification error: the response holds no token')
  try {
    verifyEmbeddedSigners(token, crypto)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    return invalid(`tsr verification error: ${cause.message}`, cause)
  }
}
